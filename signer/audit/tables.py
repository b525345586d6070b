"""Write rows as a table: CSV, JSON or Parquet. Each row is written as it is read."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from signer.audit.rows import COLUMNS, Row
from signer.errors import UsageError
from signer.storage.files import atomic_writer, convert_os_errors, write_pieces

_LISTS = ("paths", "packages", "hardware_ids", "machines", "answers", "events", "devices")
_FORMULAS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""Characters that begin a formula, or that a spreadsheet skips before it (OWASP, "CSV Injection")."""
_BATCH = 2_000
"""Number of rows of a group of a Parquet file."""


Write = Callable[[Iterable[Row], Path], None]
"""Writes rows to a file, as a whole or not at all. Raises FileError."""


def table_writer(path: Path) -> Write:
    """Return the function that writes rows to a file, by the suffix of its path.

    Raises UsageError for another suffix, and for Parquet without its package.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _parquet()
    if suffix not in _WRITERS:
        known = ", ".join((*_WRITERS, ".parquet"))
        problem = f"no table has the suffix {suffix!r}" if suffix else "the name has no suffix, which tells the format"
        raise UsageError(
            problem, path=path, hint=f"Name a file with one of {known}; --json writes to the standard output."
        )
    return _WRITERS[suffix]


def json_rows(rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield the rows as a JSON array in pieces, one row a line."""
    separator = "["
    for row in rows:
        yield f"{separator}\n{json.dumps(row.as_json())}".encode("ascii")
        separator = ","
    yield b"[]\n" if separator == "[" else b"\n]\n"


def csv_rows(rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield the rows as CSV (RFC 4180) in UTF-8, in pieces; lists are joined by semicolons.

    A byte order mark comes first, which Excel needs.
    """
    yield codecs.BOM_UTF8
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(value) for value in _flat(row).values()])
        yield _encoded(text.getvalue())
        text.seek(0)
        text.truncate()
    yield _encoded(text.getvalue())


def _encoded(text: str) -> bytes:
    """Return text in UTF-8, with escapes for the surrogates of names that are not UTF-8."""
    return text.encode("utf-8", "backslashreplace")


def _cell(value: Any) -> str:
    """Return a cell. A spreadsheet would run one that begins like a formula, so that gets an apostrophe."""
    text = "; ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _flat(row: Row) -> dict[str, Any]:
    """Return a row whose lists are texts: INFs with their class in parentheses, answers, events."""
    texts = {
        "packages": [f"{one.inf} ({one.device_class})" if one.device_class else one.inf for one in row.packages],
        "answers": [": ".join(filter(None, (one.machine, one.reason.answer))) for one in row.answers],
        "events": list(map(str, row.events)),
    }
    document = row.as_json() | texts
    return {name: document[name] for name in COLUMNS}


def _parquet() -> Write:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            "writing Parquet needs the package pyarrow",
            hint="Run: pip install 'drvsign[parquet]'. Or write .csv or .json.",
        ) from error
    text = pyarrow.string()
    types = dict.fromkeys(_LISTS, pyarrow.list_(text)) | {"present": pyarrow.bool_()}
    schema = pyarrow.schema([(name, types.get(name, text)) for name in COLUMNS])

    def write(rows: Iterable[Row], path: Path) -> None:
        cells = ({name: _utf8(value) for name, value in _flat(row).items()} for row in rows)
        with atomic_writer(path) as file, convert_os_errors(path), parquet.ParquetWriter(file, schema) as writer:
            while batch := list(islice(cells, _BATCH)):
                writer.write_table(pyarrow.Table.from_pylist(batch, schema))

    return write


def _utf8(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_utf8, value))
    return _encoded(value).decode() if isinstance(value, str) else value


_WRITERS: dict[str, Write] = {
    ".csv": lambda rows, path: write_pieces(path, csv_rows(rows)),
    ".json": lambda rows, path: write_pieces(path, json_rows(rows)),
}

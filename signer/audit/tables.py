"""Write rows as a table: CSV, JSON or Parquet. Each row is written as it is read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from signer.audit.rows import COLUMNS, Row
from signer.errors import UsageError

_LISTS = ("paths", "packages", "hardware_ids", "machines", "answers", "events", "devices")
_BATCH = 10_000
"""Number of rows of a group of a Parquet file."""


def table_writer(path: Path) -> Callable[[Iterable[Row], Any], None]:
    """Return the function that writes rows to a binary file, by the suffix of its path.

    Raises UsageError for another suffix, and for Parquet without its package.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _parquet()
    if suffix not in _WRITERS:
        known = ", ".join((*_WRITERS, ".parquet"))
        raise UsageError(f"no table has the suffix {suffix!r}", path=path, hint=f"Name a file with one of {known}.")
    return _WRITERS[suffix]


def json_pieces(rows: Iterable[Row]) -> Iterator[str]:
    """Yield the rows as a JSON array in pieces, one row a line."""
    separator = "["
    for row in rows:
        yield f"{separator}\n{json.dumps(row.as_json())}"
        separator = ","
    yield "[]\n" if separator == "[" else "\n]\n"


def _write_json(rows: Iterable[Row], file: Any) -> None:
    for piece in json_pieces(rows):
        file.write(piece.encode("ascii"))


def _write_csv(rows: Iterable[Row], file: Any) -> None:
    """Write CSV (RFC 4180) in UTF-8 with a byte order mark, which Excel needs; lists are joined by semicolons."""
    text = io.TextIOWrapper(file, "utf-8-sig", errors="backslashreplace", newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in _flat(row).values()] for row in rows)
    text.detach()  # flushes, and leaves the file open for the caller


def _cell(value: Any) -> str:
    """Return a cell. A spreadsheet would run one that begins like a formula, so that gets an apostrophe."""
    text = "; ".join(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _flat(row: Row) -> dict[str, Any]:
    """Return a row whose lists are texts: INFs with their class in parentheses, answers, events."""
    texts = {
        "packages": [f"{one.inf} ({one.device_class})" if one.device_class else one.inf for one in row.packages],
        "answers": [f"{one.machine or '-'}: {one.reason.answer}" for one in row.answers],
        "events": list(map(str, row.events)),
    }
    document = row.as_json() | texts
    return {name: document[name] for name in COLUMNS}


def _parquet() -> Callable[[Iterable[Row], Any], None]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError(
            "writing Parquet needs the package pyarrow",
            hint="Install it: python3 -m pip install 'drvsign[parquet]' (or write .csv or .json)",
        ) from error
    text = pyarrow.string()
    types = dict.fromkeys(_LISTS, pyarrow.list_(text)) | {"present": pyarrow.bool_()}
    schema = pyarrow.schema([(name, types.get(name, text)) for name in COLUMNS])

    def write(rows: Iterable[Row], file: Any) -> None:
        flat = iter(map(_flat, rows))
        with parquet.ParquetWriter(file, schema) as writer:
            while batch := list(islice(flat, _BATCH)):
                writer.write_table(pyarrow.Table.from_pylist(batch, schema))

    return write


_WRITERS: dict[str, Callable[[Iterable[Row], Any], None]] = {".csv": _write_csv, ".json": _write_json}

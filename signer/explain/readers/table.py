"""The table of readers, and how an input's form is told from its content.

A binary log and JSON fill a whole input. Every other form can be mixed with others in one text, as in a report that
quotes an event, the output of a tool and a log: each line is offered to `LINE_READERS` in their order, and the first
one that recognises it takes it, with the lines that belong to it. A new form is one module and one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

from signer.errors import FileError
from signer.explain.budget import LEFT_OUT
from signer.explain.context import Context
from signer.explain.readers import evtx
from signer.explain.readers.device_lists import device_lists
from signer.explain.readers.event_columns import event_columns
from signer.explain.readers.event_fields import event_fields
from signer.explain.readers.event_json import is_json, json_records
from signer.explain.readers.event_lists import event_lists
from signer.explain.readers.event_xml import xml_events
from signer.explain.readers.messages import message_texts
from signer.explain.readers.setupapi_log import setupapi_lines
from signer.explain.readers.tool_text import tool_lines
from signer.explain.readers.unrendered import unrendered_events
from signer.explain.records import Record
from signer.explain.text import Lines, decoded
from signer.formats.detect import detect

SUFFIXES = frozenset({".evtx", ".xml", ".json", ".jsonl", ".csv", ".tsv", ".log", ".txt", ".md", ".yaml", ".yml"})
"""The files of a folder that are read as logs."""
_ARCHIVES = {
    b"\x1f\x8b": "a gzip file",
    b"PK\x03\x04": "a ZIP archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
}
"""Archives, by their first bytes."""

LineReader = Callable[[Context, str, Lines], list[Record] | None]

LINE_READERS: tuple[LineReader, ...] = (
    setupapi_lines,
    xml_events,
    event_columns,
    event_lists,
    unrendered_events,
    message_texts,
    event_fields,
    device_lists,
    tool_lines,
)


def is_log(path: Path) -> bool:
    """Return whether a file of a folder can be a log, by its name."""
    return path.suffix.lower() in SUFFIXES


def read_records(chunks: Iterable[bytes], context: Context) -> Iterator[Record]:
    """Yield the records of one input, told apart by its content. Raises FileError for a file that is not a log."""
    chunks = iter(chunks)
    first = next(chunks, b"")
    if first.startswith(evtx.SIGNATURE):
        yield from evtx.evtx_records(chain((first,), chunks), context)
        return
    _refuse_other_kinds(first, context)
    pieces = decoded(chain((first,), chunks))
    start = next(pieces, "")
    whole = chain((start,), pieces)
    if is_json(start):
        yield from json_records(whole, context)
    else:
        yield from text_records(whole, context)


def _refuse_other_kinds(start: bytes, context: Context) -> None:
    """Raise FileError for a file that is given by mistake, by its first bytes."""
    row = detect(start)
    archive = next((name for mark, name in _ARCHIVES.items() if start.startswith(mark)), None)
    if row is not None:
        hint = "Give drivers and packages to verify or audit, or to explain with --driver or --package."
        raise FileError(f"this is {row.title}, not a log", path=context.source, hint=hint)
    if archive is not None:
        raise FileError(f"this is {archive}, not a log", path=context.source, hint="Unpack it first.")


def text_records(pieces: Iterable[str], context: Context) -> Iterator[Record]:
    """Yield the records of a text in which any of the forms of `LINE_READERS` may be mixed."""
    lines = Lines(pieces, context)
    for line in lines:
        if context.budget.left < 0:
            context.damaged(LEFT_OUT)
            continue
        for reader in LINE_READERS:
            records = reader(context, line, lines)
            if records is not None:
                yield from records
                break

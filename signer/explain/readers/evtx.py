"""Read event logs in Windows' binary form (.evtx), chunk by chunk, with the library `evtx`.

A log is a header of 4 KB and chunks of 64 KB that don't refer to each other. Each chunk is parsed alone: memory stays
flat for any size, and a damaged or truncated chunk does not affect the others.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from typing import Any

from signer.errors import FileError
from signer.explain.budget import LEFT_OUT
from signer.explain.context import Context
from signer.explain.readers.event_xml import MAX_EVENT, read_event
from signer.explain.readers.evtx_size import ChunkSizes, UnreadableEvent
from signer.explain.records import Record

SIGNATURE = b"ElfFile\0"

_FORM = "events in .evtx"
_HEADER, _CHUNK = 4096, 0x10000
_CHARACTERS_PER_UNIT = 256
"""Characters of an event for each unit of the log's budget."""
_CHUNK_SIGNATURE = b"ElfChnk\0"
_CHUNK_COUNT_AT = 42
_TABLES, _TABLES_END = 128, 512
"""Where a chunk has the tables of its names and of its templates: offsets of entries. An entry begins with the offset
of the next entry with the same hash, or zero."""
_MAX_ENTRIES = 4096
"""Number of entries in both tables; a chunk has some hundred."""
_MAX_ESTIMATE = 4 * MAX_EVENT
"""Characters of an event as estimated, which is more than its real length."""
_EMPTY_DOCUMENT = b"\x0f\x01\x01\0\0"
_MAX_FAILURES = 64
"""Failures in one chunk after which the rest of it is skipped; a chunk has some hundred events."""


def evtx_records(pieces: Iterable[bytes], context: Context) -> Iterator[Record]:
    """Yield the records of a binary log. Raises FileError if the library is not installed."""
    parser = _parser()
    context.forms.setdefault(_FORM, 0)
    header, chunks = b"", _chunks(pieces)
    header = next(chunks, b"")
    if len(header) < _HEADER:
        context.damaged("the event log is truncated")
    header = header.ljust(_HEADER, b"\0")
    header = header[:_CHUNK_COUNT_AT] + struct.pack("<H", 1) + header[_CHUNK_COUNT_AT + 2 :]
    for chunk in chunks:
        if len(chunk) < _CHUNK:
            context.damaged("the event log is truncated")
        context.budget.add(len(chunk))
        if context.budget.left < 0:
            context.damaged(LEFT_OUT)
        elif chunk.startswith(_CHUNK_SIGNATURE):
            whole = _without_cycles(chunk.ljust(_CHUNK, b"\0"), context)
            log = header + _without_large_events(whole, context)
            for text in _events(parser, log, context):
                yield from _records(text, context)
        elif any(chunk):
            context.damaged("a chunk of the event log is damaged")


def _records(text: str, context: Context) -> list[Record]:
    """Return the records of an event. A chunk can make large events: its elements can share one long name."""
    context.seen(_FORM)
    context.budget.spend(1 + len(text) // _CHARACTERS_PER_UNIT)
    if len(text) > MAX_EVENT:
        context.damaged("an event of the log is too large")
        return []
    records = read_event(text)
    if records:
        context.budget.spend()
    return records


def _parser() -> Any:
    try:
        from evtx import PyEvtxParser
    except ImportError as error:
        message = "reading .evtx requires the library evtx"
        hint = "Run: pip install 'drvsign[evtx]'. Or export XML: wevtutil qe FILE.evtx /lf:true /f:xml > FILE.xml"
        raise FileError(message, hint=hint) from error
    return PyEvtxParser


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the header, then each chunk; the last one may be shorter."""
    rest, size = b"", _HEADER
    for piece in pieces:
        rest += piece
        while len(rest) >= size:
            yield rest[:size]
            rest, size = rest[size:], _CHUNK
    if rest:
        yield rest


def _without_cycles(chunk: bytes, context: Context) -> bytes:
    """Return the chunk without its tables if their entries form cycles, which the library follows forever.

    The tables only speed up reading: the library finds every name and template without them.
    """
    if _is_acyclic(chunk):
        return chunk
    context.damaged("a chunk of the event log is damaged")
    return chunk[:_TABLES] + bytes(_TABLES_END - _TABLES) + chunk[_TABLES_END:]


def _without_large_events(chunk: bytes, context: Context) -> bytes:
    """Return the chunk with an empty document in place of each event that the library would expand without limit."""
    sizes, kept = ChunkSizes(chunk), bytearray(chunk)
    for start, end in sizes.records():
        try:
            problem = "an event of the log is too large" if sizes.size(start, end) > _MAX_ESTIMATE else None
        except UnreadableEvent:
            problem = "an event of the log is damaged"
        if problem is not None and end - start >= len(_EMPTY_DOCUMENT):
            context.damaged(problem)
            kept[start : start + len(_EMPTY_DOCUMENT)] = _EMPTY_DOCUMENT
    return bytes(kept)


def _is_acyclic(chunk: bytes) -> bool:
    """Return whether each entry of the tables is in one list, and their number is within the limit."""
    seen: set[int] = set()
    for (start,) in struct.iter_unpack("<I", chunk[_TABLES:_TABLES_END]):
        offset = start
        while offset:
            if offset in seen or offset + 4 > len(chunk) or len(seen) >= _MAX_ENTRIES:
                return False
            seen.add(offset)
            (offset,) = struct.unpack_from("<I", chunk, offset)
    return True


def _events(parser: Any, log: bytes, context: Context) -> Iterator[str]:
    """Yield the XML of each event in a log of one chunk; count those that can't be parsed."""
    failures = 0
    try:
        records = parser(io.BytesIO(log), 1).records()
    except (OSError, RuntimeError, ValueError):
        context.damaged("a chunk of the event log is damaged")
        return
    while failures < _MAX_FAILURES:
        try:
            yield next(records)["data"]
        except StopIteration:
            return
        except (OSError, RuntimeError, ValueError):
            failures += 1
            context.damaged("an event of the log is damaged")

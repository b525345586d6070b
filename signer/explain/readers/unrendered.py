"""Read events whose message Event Viewer could not write, as it lacked the provider: only the values are listed."""

from __future__ import annotations

import re

from signer.codeintegrity.event_tables import schemas
from signer.codeintegrity.field_values import FieldValue
from signer.explain.context import Context
from signer.explain.readers.events import event_records, loose_fields
from signer.explain.records import Record
from signer.explain.text import Lines

_START = re.compile(r"^\W*The description for Event ID (\d{1,5}) from source (\S+) cannot be found")
_VALUES = "The following information was included with the event"
_MAX_LINES = 60


def unrendered_events(context: Context, line: str, lines: Lines) -> list[Record] | None:
    """Read the list of values that belongs to this line; None for any other line."""
    start = _START.match(line) if "The description for" in line[:40] else None
    if start is None:
        return None
    before = lines.take_while(lambda following: _VALUES not in following and not _START.match(following), 8)
    if _VALUES not in (lines.peek() or ""):
        lines.put_back(before)
        return None
    next(lines)
    block = lines.take_while(lambda following: _START.match(following) is None, _MAX_LINES)
    event_id, values = int(start[1]), [value.strip() for value in block if value.strip()]
    context.seen("events without a message")
    return event_records(event_id, start[2], _named(event_id, values), "")


def _named(event_id: int, values: list[str]) -> dict[str, FieldValue]:
    """Name the values by a template that has as many fields; else find the path, the policy and the status."""
    found = {
        tuple(field.name for field in one.fields)
        for one in schemas()
        if one.id == event_id and len(one.fields) == len(values)
    }
    if len(found) == 1:
        return dict(zip(found.pop(), values, strict=True))
    return loose_fields("\n".join(values))

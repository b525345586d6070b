"""Read events as JSON: Get-WinEvent | ConvertTo-Json, JSON lines, and drvsign's own documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from signer.codeintegrity.event_tables import schemas
from signer.codeintegrity.field_values import FieldValue
from signer.explain.context import Context
from signer.explain.readers.events import event_record
from signer.explain.records import Record

MAX_OBJECT = 1 << 22
"""Length of the longest event as JSON, in characters."""

_STRUCTURE = re.compile(r'\\.|["{}]', re.DOTALL)
_DATE = re.compile(r"/Date\((\d{1,14})\)/")
_MAX_DEPTH = 12


def is_json(start: str) -> bool:
    """Return whether a text begins as JSON objects do."""
    return bool(re.match(r'\ufeff?\s*(?:\[\s*)?\{\s*"', start))


def json_records(pieces: Iterable[str], context: Context) -> Iterator[Record]:
    """Yield the records of every event in a text."""
    for text in _objects(pieces, context):
        try:
            value = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            context.damaged("a JSON object is malformed")
            continue
        for event in _events(value, _MAX_DEPTH):
            context.seen("events as JSON")
            record = _record(event)
            if record is not None:
                yield record


def _objects(pieces: Iterable[str], context: Context) -> Iterator[str]:
    """Yield each outermost object as text, without the list around them."""
    parts: list[str] = []
    depth, quoted, rest = 0, False, ""
    for piece in pieces:
        text = rest + piece
        rest = "\\" if text.endswith("\\") else ""  # it belongs to the first character of the next piece
        start = 0
        for mark in _STRUCTURE.finditer(text):
            if mark[0] == '"' and depth:
                quoted = not quoted
            elif mark[0] == "{" and not quoted:
                start = mark.start() if depth == 0 else start
                depth += 1
            elif mark[0] == "}" and not quoted and depth:
                depth -= 1
                if depth == 0:
                    yield "".join([*parts, text[start : mark.end()]])
                    parts = []
        if depth:
            parts.append(text[start : len(text) - len(rest)])
        if sum(map(len, parts)) > MAX_OBJECT:
            context.damaged("a JSON object is too large for an event")
            parts, depth, quoted = [], 0, False
    if depth:
        context.damaged("a JSON object has no end")


def _events(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Yield every object that is an event, wherever it is in a document."""
    if not depth:
        return
    if isinstance(value, dict):
        lower = {key.lower(): item for key, item in value.items()}
        if isinstance(_id(lower), int):
            yield lower
            return
        for item in value.values():
            yield from _events(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            yield from _events(item, depth - 1)


def _id(event: dict[str, Any]) -> int | None:
    system = event.get("event", event)
    system = system.get("System", system) if isinstance(system, dict) else event
    for holder in (event, system):
        for name in ("id", "eventid", "EventID", "event_id"):
            value = holder.get(name) if isinstance(holder, dict) else None
            value = value.get("#text") if isinstance(value, dict) else value
            if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
                value = int(value)
            if isinstance(value, int) and not isinstance(value, bool):
                return value
    return None


def _record(event: dict[str, Any]) -> Record | None:
    event_id = _id(event)
    if event_id is None:
        return None
    provider = event.get("providername") or event.get("provider") or event.get("channel") or event.get("logname") or ""
    fields = _fields(event, event_id)
    message = event.get("message")
    activity = event.get("activityid")
    return event_record(
        event_id,
        "" if event_id in (5038, 6281) else str(provider),
        fields,
        message if isinstance(message, str) else "",
        activity=f"{{{activity.strip('{}').lower()}}}" if isinstance(activity, str) and activity else None,
        time=_time(event.get("timecreated")),
    )


def _fields(event: dict[str, Any], event_id: int) -> dict[str, FieldValue]:
    """Return the fields by name. ConvertTo-Json writes values without names; the manifest's template names them."""
    named = event.get("data") or event.get("eventdata")
    if isinstance(named, dict):
        return {key: _plain(value) for key, value in named.items()}
    properties = event.get("properties")
    if not isinstance(properties, list):
        return {}
    values = [_plain(one.get("Value") if isinstance(one, dict) else one) for one in properties]
    names = _template(event_id, event.get("version"), len(values))
    return dict(zip(names, values, strict=True)) if names else {}


def _template(event_id: int, version: Any, count: int) -> tuple[str, ...]:
    """Return the names of an event's fields if only one template of its version has this number of them."""
    found = {
        tuple(field.name for field in one.fields)
        for one in schemas()
        if one.id == event_id and one.version == version and len(one.fields) == count
    }
    return found.pop() if len(found) == 1 else ()


def _plain(value: Any) -> FieldValue:
    if isinstance(value, list) and all(isinstance(one, int) and 0 <= one < 256 for one in value):
        return bytes(value).hex().upper()
    return value if isinstance(value, str | int | bool) or value is None else None


def _time(value: Any) -> str:
    """Return a time that sorts as text: ISO 8601, or the milliseconds of Windows PowerShell's /Date(…)/."""
    if isinstance(value, dict):
        value = value.get("value")
    if not isinstance(value, str):
        return ""
    date = _DATE.fullmatch(value)
    if date is None:
        return value
    from datetime import UTC, datetime

    return datetime.fromtimestamp(min(int(date[1]), 10**13) / 1000, UTC).isoformat()

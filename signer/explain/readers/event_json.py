"""Read events as JSON: Get-WinEvent | ConvertTo-Json, JSON lines, and drvsign's own documents."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from signer.codeintegrity.event_tables import schemas
from signer.codeintegrity.field_values import FieldValue
from signer.explain.budget import LEFT_OUT, STATEMENT
from signer.explain.context import Context
from signer.explain.readers.events import event_records
from signer.explain.records import Record

MAX_OBJECT = 1 << 22
"""Length of the longest event as JSON, in characters."""

_STRUCTURE = re.compile(r'\\.|["{}]', re.DOTALL)
_DATE = re.compile(r"/Date\((\d{1,14})\)/")
_MAX_DEPTH = 12
_MAX_MESSAGE = 1024
"""Characters of a message that cost nothing extra; those of Windows have a few hundred."""
_HOLDERS = frozenset({"event", "system", "winlog"})
_MAX_HOLDERS = 8


def is_json(start: str) -> bool:
    """Return whether a text begins as JSON objects do."""
    return bool(re.match(r'\ufeff?\s*(?:\[\s*)?\{\s*"', start))


def json_records(pieces: Iterable[str], context: Context) -> Iterator[Record]:
    """Yield the records of every event in a text."""
    for text in json_objects(pieces, context):
        if context.budget.left <= 0:
            context.damaged(LEFT_OUT)
            continue
        try:
            value = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            context.damaged("a JSON object is malformed")
            continue
        for event in _events(value, _MAX_DEPTH):
            if context.budget.left <= 0:
                context.damaged(LEFT_OUT)
                break
            context.budget.spend(STATEMENT + max(0, len(str(event.get("message", ""))) - _MAX_MESSAGE) // 4)
            context.seen("events as JSON")
            yield from _records(event)


def json_objects(pieces: Iterable[str], context: Context) -> Iterator[str]:
    """Yield each outermost object as text, without the list around them."""
    parts: list[str] = []
    depth, quoted, rest = 0, False, ""
    for piece in pieces:
        context.budget.add(len(piece))
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
    """Yield every object that is an event, wherever it is in a document, as one flat object."""
    if not depth:
        return
    if isinstance(value, dict):
        event = _flat(value)
        if event["id"] is not None:
            yield event
            return
        for item in value.values():
            yield from _events(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            yield from _events(item, depth - 1)


def _flat(value: dict[str, Any]) -> dict[str, Any]:
    """Return the members of an event and of the objects in it that hold its System part, by lower-case name.

    Winlogbeat has them in "winlog", EvtxECmd has the fields as JSON in "Payload", and converters of XML in "System".
    """
    flat: dict[str, Any] = {}
    todo = [value]
    for holder in todo:
        for key, item in holder.items():
            name = key.lower().replace("_", "")
            flat.setdefault(name, item)
            if isinstance(item, dict) and name in _HOLDERS and len(todo) < _MAX_HOLDERS:
                todo.append(item)
    payload = flat.get("payload")
    if isinstance(payload, str):
        with contextlib.suppress(ValueError, RecursionError):
            parsed = json.loads(payload)
            flat.setdefault("eventdata", parsed.get("EventData") if isinstance(parsed, dict) else None)
    return {**flat, "id": _number(flat.get("eventid", flat.get("id")))}


def _number(value: Any) -> int | None:
    value = value.get("#text") if isinstance(value, dict) else value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _records(event: dict[str, Any]) -> list[Record]:
    event_id = int(event["id"])
    names = ("providername", "provider", "channel", "logname")
    provider = next((text for text in (_attribute(event.get(name), "name") for name in names) if text), "")
    activity = _attribute(event.get("activityid") or event.get("correlation"), "activityid").strip("{}").lower()
    message = event.get("message")
    return event_records(
        event_id,
        "" if event_id in (5038, 6281) else provider,
        _fields(event, event_id),
        message if isinstance(message, str) else "",
        activity=f"{{{activity}}}" if activity else None,
        time=_time(event.get("timecreated") or event.get("@timestamp")),
        computer=_attribute(event.get("machinename") or event.get("computername") or event.get("computer"), "name"),
    )


def _attribute(value: Any, name: str) -> str:
    """Return a text, or the attribute with this name of an element that a converter of XML wrote as an object."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key.lower().strip("@#_").replace("_", "") == name or key.lower().strip("@#_$") in (
                "attributes",
                "value",
            ):
                return _attribute(item, name)
        return ""
    return value if isinstance(value, str) else ""


def _fields(event: dict[str, Any], event_id: int) -> dict[str, FieldValue]:
    """Return the fields by name. ConvertTo-Json writes values without names; the manifest's template names them."""
    named = event.get("eventdata") or event.get("data")
    if isinstance(named, dict) and isinstance(named.get("Data"), list):
        named = named["Data"]
    if isinstance(named, dict):
        return {key: _plain(value) for key, value in named.items()}
    if isinstance(named, list):
        return dict(_pairs(named))
    properties = event.get("properties")
    if not isinstance(properties, list):
        return {}
    values = [_plain(one.get("Value") if isinstance(one, dict) else one) for one in properties]
    names = _template(event_id, event.get("version"), len(values))
    return dict(zip(names, values, strict=True)) if names else {}


def _pairs(data: list[Any]) -> Iterator[tuple[str, FieldValue]]:
    """Yield the names and values of <Data> elements that a converter of XML wrote as objects."""
    for one in data:
        if isinstance(one, dict):
            lower = {key.lower().strip("@#_"): item for key, item in one.items()}
            name = _attribute(lower.get("name") or lower.get("attributes"), "name")
            if name:
                yield name, _plain(lower.get("text", lower.get("value")))


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
    """Return a time as text; Windows PowerShell writes the milliseconds since 1970 as /Date(…)/."""
    text = _attribute(value, "systemtime")
    date = _DATE.fullmatch(text)
    if date is None:
        return text
    from datetime import UTC, datetime

    return datetime.fromtimestamp(min(int(date[1]), 10**13) / 1000, UTC).isoformat()

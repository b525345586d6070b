"""Read an event as lines of one field each: Event Viewer's friendly view, YAML, Markdown, objects of PowerShell."""

from __future__ import annotations

import re
from functools import cache

from signer.explain.context import Context
from signer.explain.readers.events import event_records, field_names, file_of, known_field
from signer.explain.records import Record
from signer.explain.text import Lines

_MAX_LINES = 160
_SYSTEM = (
    "EventID|Event ID|Event Id|Version|Level|Task|Opcode|Keywords|TimeCreated|EventRecordID|Channel|Computer|Provider"
    "|SystemTime|ActivityID|RelatedActivityID|ProcessID|ThreadID|UserID|Name|Guid|Qualifiers|Id"
)
_SKIPPED = re.compile(r"^\s*(?:[+-]\s*[A-Za-z]*|[A-Za-z_]+:|\|[\s:|-]*|```\w*|Correlation|Execution|Security)?\s*$")
"""Lines without a field: blank ones, titles of groups, the rule of a Markdown table."""
_NEEDED = frozenset({"FileName", "EventID"})


def event_fields(context: Context, line: str, lines: Lines) -> list[Record] | None:
    """Read the block of fields that begins in this line; None if none begins."""
    first = _field(line)
    if first is None or first[0] not in _starts():
        return None
    found = dict([first])

    def add(following: str) -> bool:
        field = _field(following)
        if field is None:
            return bool(_SKIPPED.match(following))
        if field[0] in found and field[0] in _starts():
            return False
        found.setdefault(*field)
        return True

    taken = lines.take_while(add, _MAX_LINES)
    known = [name for name in found if known_field(name) is not None]
    if _NEEDED.isdisjoint(found) or not known or len(found) < 2:
        lines.put_back(taken)
        return None
    context.seen("fields of an event")
    records = _records(found)
    context.subject = next((one.file for one in records if one.file), context.subject)
    return records


def _field(line: str) -> tuple[str, str] | None:
    """Return the plain name and the value of a field in a line; None for any other line."""
    match = _pattern().match(line)
    if match is None:
        return None
    name = known_field(match["name"]) or match["name"].replace(" ", "").replace("_", "")
    name = {"eventid": "EventID", "activityid": "ActivityID"}.get(name.lower(), name)
    return name, match["value"].strip().strip("|").strip().strip("\"'")


def _records(found: dict[str, str]) -> list[Record]:
    fields = {name: value for name, value in found.items() if known_field(name) is not None}
    event_id = found.get("EventID", found.get("Id", ""))
    if not event_id.isascii() or not event_id.isdigit() or len(event_id) > 9:
        return [Record(file=file_of(fields), fields=fields)]
    activity = found.get("ActivityID", "").strip("{}").lower()
    return event_records(
        int(event_id),
        "" if event_id in ("5038", "6281") else found.get("Provider") or found.get("Channel") or "",
        fields,
        "",
        activity=f"{{{activity}}}" if activity else None,
        time=found.get("SystemTime") or found.get("TimeCreated", ""),
    )


@cache
def _starts() -> frozenset[str]:
    """Return the names with which a block can begin; others are too common in texts of other kinds."""
    return frozenset({"EventID", "FileName", "SHA256Hash", "SHA1Hash", "PolicyGUID", "FileNameLength"})


@cache
def _pattern() -> re.Pattern[str]:
    """Return the pattern of a line: a known name, with a separator or, in the friendly view, without one."""
    names = sorted({*field_names(), *_SYSTEM.split("|"), "event_id"}, key=len, reverse=True)
    every = "|".join(map(re.escape, names))
    return re.compile(
        rf"^\s{{0,6}}(?:[-*]\s+)?(?:\|\s*)?(?:\[\s*)?[\"'`*]{{0,3}}(?P<name>{every})[\"'`*]{{0,3}}"
        r"(?:\s*[:=|\]]\s*|\s+)(?P<value>\S.*)$",
        re.IGNORECASE,
    )

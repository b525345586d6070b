"""Read an event as lines of one field each: Event Viewer's friendly view, YAML, Markdown, objects of PowerShell."""

from __future__ import annotations

import re
from functools import cache

from signer.explain.context import Context
from signer.explain.readers.events import event_records, file_of, known_field, known_fields
from signer.explain.records import Record
from signer.explain.text import Lines

_MAX_LINES = 160
_MAX_WORDS = 6
_SYSTEM = {
    name.lower(): name
    for name in (
        *("EventID", "Version", "Level", "Task", "Opcode", "Keywords", "TimeCreated", "EventRecordID", "Channel"),
        *("Computer", "Provider", "SystemTime", "ActivityID", "RelatedActivityID", "ProcessID", "ThreadID", "UserID"),
        *("Name", "Guid", "Qualifiers", "Id"),
    )
}
"""Names of the System part of an event, by lower case."""
_STARTS = frozenset({"EventID", "FileName", "SHA256Hash", "SHA1Hash", "PolicyGUID", "FileNameLength"})
"""Names with which a block can begin; others are too common in texts of other kinds."""
_SEPARATED = re.compile(r"^[\s|\[*\"'`-]{0,12}([A-Za-z][\w ]{1,40}?)[\"'`*\]]{0,3}\s{0,40}[:=|\]]\s*+(\S.*)$")
_SKIPPED = re.compile(r"^\s*+(?:[+-]\s*+[A-Za-z]*|[A-Za-z_]+:|\|[\s:|-]*+|```\w*|Correlation|Execution|Security)?\s*$")
"""Lines without a field: blank ones, titles of groups, the rule of a Markdown table."""
_NEEDED = frozenset({"FileName", "EventID"})


def event_fields(context: Context, line: str, lines: Lines) -> list[Record] | None:
    """Read the block of fields that begins in this line; None if none begins."""
    first = _field(line)
    if first is None or first[0] not in _STARTS:
        return None
    context.budget.spend()
    found = dict([first])

    def add(following: str) -> bool:
        field = _field(following)
        if field is None:
            return bool(_SKIPPED.match(following))
        if field[0] in found and field[0] in _STARTS:
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
    separated = _SEPARATED.match(line)
    plain = _plain(separated[1]) if separated is not None else None
    if separated is not None and plain is not None:
        return plain, separated[2].strip().strip("|").strip().strip("\"'")
    # The friendly view indents every field, and has spaces alone between name and value.
    words = line.split(maxsplit=_MAX_WORDS) if line[:1].isspace() else []
    found, name = None, ""
    for count, word in enumerate(words[:-1], 1):
        name += word.replace("_", "").casefold()
        if name not in _beginnings():
            break
        plain = _plain(name)
        found = (plain, " ".join(words[count:])) if plain is not None else found
    return found


def _plain(name: str) -> str | None:
    """Return the plain name of a field of an event or of its System part; None for any other name."""
    return known_field(name) or _SYSTEM.get(name.replace(" ", "").replace("_", "").lower())


@cache
def _beginnings() -> frozenset[str]:
    """Return every beginning of a name that a field can have, by which most other lines are passed over."""
    names = [*(f"{name}buffer" for name in known_fields()), *_SYSTEM]
    return frozenset(name[:size] for name in names for size in range(1, len(name) + 1))


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
        computer=found.get("Computer", ""),
    )

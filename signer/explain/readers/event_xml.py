"""Read events as XML: one event, a list in <Events>, or the output of wevtutil."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from xml.etree.ElementTree import Element, ParseError

from signer.codeintegrity.field_values import FieldValue
from signer.explain.context import Context
from signer.explain.readers.events import event_records, is_relevant
from signer.explain.records import Record
from signer.explain.text import Lines

_START, _END = re.compile(r"<Event(?=[\s>])"), "</Event>"
MAX_EVENT = 1 << 18
"""Length of the longest event as XML, in characters; Windows limits an event to 64 KiB."""
_MAX_LINES = 4000
_MAX_FIELDS = 256
_ID = re.compile(r"<EventID(?:\s[^<>]{0,80})?>\s*(\d{1,9})\s*</EventID>")
_NAMESPACE = re.compile(r"xmlns(?::\w+)?=(?:'[^']*'|\"[^\"]*\")")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Characters that XML 1.0 does not have, and messages of hostile drivers do."""
_CONTROL_REFERENCE = re.compile(r"&#(?:x[01]?[0-9a-fA-F]|[012]?\d);")
_PROVIDER = re.compile(r"<Provider\s[^<>]{0,200}?\bName\s*=\s*[\"']([^\"']{0,200})")


def xml_events(context: Context, line: str, lines: Lines) -> list[Record] | None:
    """Read the event that begins in this line; None if none does."""
    start = _START.search(line)
    if start is None:
        return None
    text = line[start.start() :]
    if _END not in text:
        text = "\n".join([text, *_following(lines, MAX_EVENT - len(text))])
    context.budget.spend()
    end = text.find(_END)
    if not 0 <= end < MAX_EVENT:
        context.damaged("an event in XML has no end" if end < 0 else "an event in XML is too large")
        return []
    context.seen("event XML")
    return read_event(text[: end + len(_END)])


def _following(lines: Lines, most: int) -> list[str]:
    """Take the lines up to the end of an event, at most `_MAX_LINES` lines and about `most` characters."""
    left = most

    def is_within(line: str) -> bool:
        nonlocal left
        left -= len(line) + 1
        return left > 0 and _END not in line

    taken = lines.take_while(is_within, _MAX_LINES)
    last = lines.peek()
    return [*taken, *([next(lines)] if last is not None and _END in last else [])]


def read_event(text: str) -> list[Record]:
    """Return the records of one <Event> element; nothing for an event that says nothing about drivers."""
    event, provider = _ID.search(text), _PROVIDER.search(text)
    if event is not None and provider is not None and not is_relevant(int(event[1]), provider[1]):
        return []
    root = _parsed(text)
    if root is None:
        return []
    system = root.find("System")
    event_id = (system.findtext("EventID") or "").strip() if system is not None else ""
    if system is None or not event_id.isascii() or not event_id.isdigit():
        return []
    return event_records(
        int(event_id[:9]),
        _attribute(system, "Provider", "Name"),
        dict(_data(root)),
        (root.findtext("RenderingInfo/Message") or "").strip(),
        activity=_attribute(system, "Correlation", "ActivityID").lower() or None,
        time=_attribute(system, "TimeCreated", "SystemTime"),
        computer=(system.findtext("Computer") or "").strip(),
    )


def _parsed(text: str) -> Element | None:
    """Parse an event without its namespaces. A document type is refused: its entities could expand without limit."""
    from xml.etree import ElementTree

    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    text = _CONTROL.sub("?", _NAMESPACE.sub("", text))
    if "&#" in text:
        text = _CONTROL_REFERENCE.sub("?", text)
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - entities were refused above
    except ParseError:
        return None


def _data(root: Element) -> Iterator[tuple[str, FieldValue]]:
    """Yield the fields of an event by name; those without a name as param1, param2 and so on."""
    for number, element in enumerate(islice(root.iterfind("EventData/Data"), _MAX_FIELDS), 1):
        yield element.get("Name") or f"param{number}", (element.text or "").strip()
    for element in islice(root.iterfind("UserData/*/*"), _MAX_FIELDS):
        yield element.tag, (element.text or "").strip()


def _attribute(system: Element, name: str, attribute: str) -> str:
    element = system.find(name)
    return element.get(attribute, "") if element is not None else ""

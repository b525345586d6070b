"""Read events as XML: one event, a list in <Events>, or the output of wevtutil."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from signer.codeintegrity.field_values import FieldValue
from signer.explain.context import Context
from signer.explain.readers.events import event_records
from signer.explain.records import Record
from signer.explain.text import Lines

_START, _END = re.compile(r"<Event(?=[\s>])"), "</Event>"
_MAX_LINES = 4000


def xml_events(context: Context, line: str, lines: Lines) -> list[Record] | None:
    """Read the event that begins in this line; None if none does."""
    start = _START.search(line)
    if start is None:
        return None
    text = line[start.start() :]
    if _END not in text:
        rest = lines.take_while(lambda following: _END not in following, _MAX_LINES)
        last = lines.peek()
        text = "\n".join([text, *rest, *([next(lines)] if last is not None and _END in last else [])])
    end = text.find(_END)
    if end < 0:
        context.damaged("an event in XML has no end")
        return []
    context.seen("event XML")
    return read_event(text[: end + len(_END)])


def read_event(text: str) -> list[Record]:
    """Return the records of one <Event> element; nothing for an event that says nothing about drivers."""
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
    )


def _parsed(text: str) -> Element | None:
    """Parse an event without its namespaces. A document type is refused: its entities could expand without limit."""
    from xml.etree import ElementTree

    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return None
    text = re.sub(r"\sxmlns(?::\w+)?=(?:'[^']*'|\"[^\"]*\")", "", text)
    # XML 1.0 has no characters below 32 but these three, and messages of hostile drivers do.
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]|&#(?:x[01]?[0-9a-fA-F]|[012]?\d);", "?", text)
    try:
        return ElementTree.fromstring(text)  # noqa: S314 - entities were refused above
    except ParseError:
        return None


def _data(root: Element) -> Iterator[tuple[str, FieldValue]]:
    """Yield the fields of an event by name; those without a name as param1, param2 and so on."""
    for number, element in enumerate(root.iterfind("EventData/Data"), 1):
        yield element.get("Name") or f"param{number}", (element.text or "").strip()
    for element in root.iterfind("UserData/*/*"):
        yield element.tag, (element.text or "").strip()


def _attribute(system: Element, name: str, attribute: str) -> str:
    element = system.find(name)
    return element.get(attribute, "") if element is not None else ""

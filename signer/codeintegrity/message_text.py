"""Write the message of an event from its fields, and read an event from a message.

Reading knows the wording of every release. One text can belong to several events (3066 and 3076 print the same
sentence), so `read_message` returns every candidate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from signer.codeintegrity.event_tables import Builds, EventMessage, EventSchema
from signer.codeintegrity.field_values import FieldValue, text_of, value_of
from signer.codeintegrity.message_matching import (
    PLACE,
    Matcher,
    MatcherTable,
    matchers,
    unspaced,
    unspaced_matchers,
    unwrapped,
    unwrapped_matchers,
)
from signer.records import dataclass

MAX_MESSAGE = 1 << 16
"""Length of the longest text that is read, in characters; an event of Windows can't hold more than 64 KiB."""

_ELLIPSES = ("...", "\N{HORIZONTAL ELLIPSIS}")
_MIN_START = 20
"""Length of the shortest text that is read as the start of a message, in characters."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An event that a message can belong to."""

    id: int
    versions: tuple[int, ...]
    """The versions of the event that print this text."""
    builds: tuple[Builds, ...]
    """The builds that print it."""
    fields: Mapping[str, FieldValue]
    """The fields that the text shows, by their names in the manifest."""
    typed: bool = True
    """Whether each value has the type of its field."""

    def printed_by(self, build: int) -> bool:
        """Return whether a build prints this text for this event."""
        return any(build in one for one in self.builds)


def write_message(message: EventMessage, schema: EventSchema, data: Mapping[str, FieldValue], build: int) -> str:
    """Return the message with the values of `data` filled in; an unknown value leaves its place empty."""

    def filled(place: re.Match[str]) -> str:
        field = schema.fields[int(place[1]) - 1]
        return text_of(field, data.get(field.name), build)

    # In one pass: a value may itself look like a place.
    return PLACE.sub(filled, message.text)


def read_message(text: str) -> tuple[Reading, ...]:
    """Return every event that can have this message; an empty tuple if no release prints it.

    White space is compared exactly first; a text whose lines were wrapped is then compared with each run of white space
    as one space, and at last without white space: Format-List also breaks lines within words, and the fields of such a
    text have lost their spaces. A text that ends with an ellipsis, as PowerShell's tables cut messages off, is read as
    the start of a message, with the fields that are complete. Readings with a value that its field's type does not have
    count only if there are no others.
    """
    text = text.strip()
    if len(text) > MAX_MESSAGE:
        return ()
    exact = _readings(text, matchers())
    if exact.typed:
        return exact.typed
    wrapped = _readings(unwrapped(text), unwrapped_matchers())
    if wrapped.typed:
        return wrapped.typed
    broken = _readings(unspaced(text), unspaced_matchers()) if "\n" in text else _Readings((), ())
    return broken.typed or _read_start(unwrapped(text)) or exact.untyped or wrapped.untyped


class _Readings(NamedTuple):
    typed: tuple[Reading, ...]
    """Those whose values all have the type of their field."""
    untyped: tuple[Reading, ...]


def _readings(text: str, among: MatcherTable) -> _Readings:
    typed: list[Reading] = []
    untyped: list[Reading] = []
    for matcher in among.beginning(text):
        texts = matcher.split(text)
        # Windows prints no line break within a field: there is one if a line was wrapped.
        if texts is not None and not any("\n" in one for one in texts):
            reading, fits = _reading(matcher, texts)
            (typed if fits else untyped).append(reading)
    return _Readings(tuple(typed), tuple(untyped))


def _read_start(text: str) -> tuple[Reading, ...]:
    """Return the events whose message begins with a text that was cut off, by the templates that match most of it."""
    ellipsis = next((one for one in _ELLIPSES if text.endswith(one)), None)
    start = text.removesuffix(ellipsis).rstrip() if ellipsis is not None else ""
    if len(start) < _MIN_START:
        return ()
    among = unwrapped_matchers().cut_off(start)
    found = [(matcher, match) for matcher in among if (match := matcher.split_start(start)) is not None]
    most = max((match.matched for _, match in found), default=0)
    return tuple(_reading(matcher, match.fields)[0] for matcher, match in found if match.matched == most)


def _reading(matcher: Matcher, texts: list[str]) -> tuple[Reading, bool]:
    """Return the reading of the first fields, and whether each value has the type of its field."""
    fields: dict[str, FieldValue] = {}
    fits = True
    for field, text in zip(matcher.fields, texts, strict=False):
        try:
            fields[field.name] = value_of(field, text)
        except ValueError:
            fields[field.name] = text
            fits = False
    return Reading(matcher.id, matcher.versions, matcher.builds, fields, fits), fits

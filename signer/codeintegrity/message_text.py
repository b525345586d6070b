"""Write the message of an event from its fields, and read an event from a message.

Reading knows the wording of every release. One text can stand for several events (3066 and 3076 print the same
sentence), so `read_message` returns every candidate. Each template is matched from left to right by searching its
fixed parts one after the other, never by a regular expression over the whole text, so that the time stays linear in
the length of the text whatever it contains.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from signer.codeintegrity.event_tables import (
    Builds,
    EventField,
    EventMessage,
    EventSchema,
    messages,
    numbers_of,
    schemas,
)
from signer.codeintegrity.field_values import FieldValue, text_of, value_of

MAX_MESSAGE = 1 << 16
"""Length of the longest text that is read, in characters; an event of Windows can't hold more than 64 KiB."""

_PLACE = re.compile(r"%(\d+)")
_WHITE_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Reading:
    """An event that a message can stand for."""

    id: int
    versions: tuple[int, ...]
    """The versions of the event that print this text."""
    builds: tuple[Builds, ...]
    """The builds that print it."""
    fields: Mapping[str, FieldValue]
    """The fields that the text shows, by their names in the manifest."""

    def printed_by(self, build: int) -> bool:
        """Return whether a build prints this text for this event."""
        return any(build in one for one in self.builds)


@dataclass(frozen=True, slots=True)
class _Matcher:
    """A template cut at its places: one more literal than fields."""

    id: int
    literals: tuple[str, ...]
    fields: tuple[EventField, ...]
    versions: tuple[int, ...] = ()
    builds: tuple[Builds, ...] = ()

    def unwrapped(self) -> _Matcher:
        """Return the matcher for texts in which each run of white space is one space."""
        return replace(self, literals=tuple(map(_unwrapped, self.literals)))


def write_message(message: EventMessage, schema: EventSchema, data: Mapping[str, FieldValue], build: int) -> str:
    """Return the message with the values of `data` filled in; an unknown value leaves its place empty."""

    def filled(place: re.Match[str]) -> str:
        field = schema.fields[int(place[1]) - 1]
        return text_of(field, data.get(field.name), build)

    # In one pass: a value may itself look like a place.
    return _PLACE.sub(filled, message.text)


def read_message(text: str) -> tuple[Reading, ...]:
    """Return every event that can have this message; an empty tuple if no release prints it.

    White space is compared exactly first; a text whose lines were wrapped is then compared with each run of white space
    as one space. Readings with a value that its field's type does not have count only if there are no others.
    """
    text = text.strip()
    if len(text) > MAX_MESSAGE:
        return ()
    exact = _readings(text, _matchers())
    if not exact[0]:
        wrapped = _readings(_unwrapped(text), _unwrapped_matchers())
        return wrapped[0] or exact[1] or wrapped[1]
    return exact[0]


def _readings(text: str, matchers: tuple[_Matcher, ...]) -> tuple[tuple[Reading, ...], tuple[Reading, ...]]:
    """Return the readings whose values all have the type of their field, and the others."""
    typed: list[Reading] = []
    untyped: list[Reading] = []
    for matcher in matchers:
        texts = _split(text, matcher)
        if texts is not None and not any("\n" in one for one in texts):
            fields, fits = _values(matcher.fields, texts)
            (typed if fits else untyped).append(Reading(matcher.id, matcher.versions, matcher.builds, fields))
    return tuple(typed), tuple(untyped)


def _values(fields: tuple[EventField, ...], texts: list[str]) -> tuple[dict[str, FieldValue], bool]:
    """Return the values by name, and whether each has the type of its field."""
    found: dict[str, FieldValue] = {}
    fits = True
    for field, text in zip(fields, texts, strict=True):
        try:
            found[field.name] = value_of(field, text)
        except ValueError:
            found[field.name] = text
            fits = False
    return found, fits


def _split(text: str, matcher: _Matcher) -> list[str] | None:
    """Return the texts of the fields; None if the fixed parts are not in the text in this order."""
    if not matcher.fields:
        return [] if text == matcher.literals[0] else None
    first, *between, last = matcher.literals
    if not text.startswith(first) or not text.endswith(last):
        return None
    position, end = len(first), len(text) - len(last)
    found = []
    for field, literal in zip(matcher.fields, between, strict=False):
        stop = _end_of_field(text, position, end, field, literal)
        if stop < 0:
            return None
        found.append(text[position:stop])
        position = stop + len(literal)
    return [*found, text[position:end]] if position <= end else None


def _end_of_field(text: str, start: int, end: int, field: EventField, literal: str) -> int:
    """Return where a field ends: after a word of its map that the literal follows, else where the literal begins."""
    for word in _longest_first(field.words) if field.words is not None else ():
        if text.startswith(word + literal, start, end):
            return start + len(word)
    return text.find(literal, start, end)


@cache
def _longest_first(words: str) -> tuple[str, ...]:
    return tuple(sorted(numbers_of(words), key=len, reverse=True))


@cache
def _matchers() -> tuple[_Matcher, ...]:
    """Return one matcher for each event, text and choice of fields; versions that share all three share a matcher."""
    found: dict[_Matcher, list[tuple[int, Builds]]] = {}
    for message, schema, builds in _printed():
        places = tuple(schema.fields[int(place) - 1] for place in _PLACE.findall(message.text))
        matcher = _Matcher(message.id, tuple(_PLACE.split(message.text)[::2]), places)
        found.setdefault(matcher, []).append((message.version, builds))
    return tuple(
        replace(
            matcher,
            versions=tuple(dict.fromkeys(version for version, _ in printed)),
            builds=tuple(dict.fromkeys(builds for _, builds in printed)),
        )
        for matcher, printed in found.items()
    )


@cache
def _unwrapped_matchers() -> tuple[_Matcher, ...]:
    return tuple(matcher.unwrapped() for matcher in _matchers())


def _printed() -> Iterator[tuple[EventMessage, EventSchema, Builds]]:
    """Yield each text with each template that it is printed from, and the builds that have both."""
    for message in messages():
        for schema in schemas():
            if (schema.id, schema.version) == (message.id, message.version):
                builds = message.builds.shared_with(schema.builds)
                if builds is not None:
                    yield message, schema, builds


def _unwrapped(text: str) -> str:
    return _WHITE_SPACE.sub(" ", text)

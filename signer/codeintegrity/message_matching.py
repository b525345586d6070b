"""Match a text with the template of a message, in time linear in the length of the text.

A template is cut at its places into literals. They are searched one after the other from left to right; no regular
expression runs over the text, so that hostile text can't make matching slow.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
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
from signer.records import dataclass

PLACE = re.compile(r"%(\d+)")
"""Place of a field in a template, counted from 1."""

_WHITE_SPACE = re.compile(r"\s+")
_MIN_PART = 4
"""Characters of a literal that show where a field ends in a text that was cut off."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """A template cut at its places: one more literal than fields."""

    id: int
    literals: tuple[str, ...]
    fields: tuple[EventField, ...]
    versions: tuple[int, ...] = ()
    builds: tuple[Builds, ...] = ()

    def unwrapped(self) -> Matcher:
        """Return the matcher for texts in which each run of white space is one space."""
        return replace(self, literals=tuple(map(unwrapped, self.literals)))

    def unspaced(self) -> Matcher:
        """Return the matcher for texts without white space."""
        return replace(self, literals=tuple(map(unspaced, self.literals)))

    def split(self, text: str) -> list[str] | None:
        """Return the texts of the fields; None if the literals are not in the text in this order."""
        if not self.fields:
            return [] if text == self.literals[0] else None
        first, *between, last = self.literals
        if not text.startswith(first) or not text.endswith(last):
            return None
        position, end = len(first), len(text) - len(last)
        found = []
        for field, literal in zip(self.fields, between, strict=False):
            stop = _end_of_field(text, position, end, field, literal)
            if stop < 0:
                return None
            found.append(text[position:stop])
            position = stop + len(literal)
        return [*found, text[position:end]] if position <= end else None

    def split_start(self, text: str) -> Start | None:
        """Match a text that was cut off; None if the template begins otherwise."""
        first, *others = self.literals
        if not text.startswith(first):
            return Start([], len(text)) if first.startswith(text) else None
        position, matched, found = len(first), len(first), list[str]()
        for field, literal in zip(self.fields, others, strict=True):
            stop = _end_of_field(text, position, len(text), field, literal) if literal else -1
            if stop < 0:
                part = _part_at_end(text, position, literal)
                return Start([*found, *([text[position : len(text) - part]] if part else [])], matched + part)
            found.append(text[position:stop])
            position, matched = stop + len(literal), matched + len(literal)
        return Start(found, matched) if position == len(text) else None


@dataclass(frozen=True, slots=True)
class Start:
    """The match of a text that was cut off."""

    fields: list[str]
    """The texts of the complete fields."""
    matched: int
    """Characters of the text that literals matched; other templates may take them for a part of a field."""


class MatcherTable:
    """Matchers by the literal that their texts begin with, so that few are tried on a text."""

    def __init__(self, matchers: Iterable[Matcher]) -> None:
        self.all = tuple(matchers)
        self._by_start: dict[str, list[int]] = {}
        for number, matcher in enumerate(self.all):
            self._by_start.setdefault(matcher.literals[0], []).append(number)
        self._starts = sorted(self._by_start)
        self._shorter: list[int] = []
        for index, start in enumerate(self._starts):
            self._shorter.append(self._longest_start(start, index))
        self._max_size = max(map(len, self._starts), default=0)

    def beginning(self, text: str) -> Iterator[Matcher]:
        """Yield the matchers whose first literal begins the text, in their order."""
        found: list[int] = []
        index = self._longest_start(text, bisect_right(self._starts, text))
        while index >= 0:
            found += self._by_start[self._starts[index]]
            index = self._shorter[index]
        yield from (self.all[number] for number in sorted(found))

    def _longest_start(self, text: str, index: int) -> int:
        """Return the last first literal before `index` that begins the text; -1 if there is none.

        In the order of the alphabet, all beginnings of a text precede it, and each of them begins what is between.
        """
        index -= 1
        while index >= 0 and not text.startswith(self._starts[index]):
            index = self._shorter[index]
        return index

    def cut_off(self, text: str) -> Iterator[Matcher]:
        """Yield the matchers of messages that may begin with the text, in their order."""
        yield from self.all if len(text) < self._max_size else self.beginning(text)


def unwrapped(text: str) -> str:
    """Return the text with each run of white space as one space."""
    return _WHITE_SPACE.sub(" ", text)


def unspaced(text: str) -> str:
    """Return the text without white space."""
    return _WHITE_SPACE.sub("", text)


@cache
def matchers() -> MatcherTable:
    """Return one matcher for each event, text and choice of fields; versions that share all three share a matcher."""
    found: dict[Matcher, list[tuple[int, Builds]]] = {}
    for message, schema, builds in _printed():
        places = tuple(schema.fields[int(place) - 1] for place in PLACE.findall(message.text))
        matcher = Matcher(message.id, tuple(PLACE.split(message.text)[::2]), places)
        found.setdefault(matcher, []).append((message.version, builds))
    return MatcherTable(
        replace(
            matcher,
            versions=tuple(dict.fromkeys(version for version, _ in printed)),
            builds=tuple(dict.fromkeys(builds for _, builds in printed)),
        )
        for matcher, printed in found.items()
    )


@cache
def unwrapped_matchers() -> MatcherTable:
    """Return the matchers for texts in which each run of white space is one space."""
    return MatcherTable(matcher.unwrapped() for matcher in matchers().all)


@cache
def unspaced_matchers() -> MatcherTable:
    """Return the matchers for texts without white space."""
    return MatcherTable(matcher.unspaced() for matcher in matchers().all)


def _printed() -> Iterator[tuple[EventMessage, EventSchema, Builds]]:
    """Yield each text with each template that it is printed from, and the builds that have both."""
    for message in messages():
        for schema in schemas():
            if (schema.id, schema.version) == (message.id, message.version):
                builds = message.builds.shared_with(schema.builds)
                if builds is not None:
                    yield message, schema, builds


def _end_of_field(text: str, start: int, end: int, field: EventField, literal: str) -> int:
    """Return where a field ends: after a word of its map that the literal follows, else where the literal begins."""
    for word in _longest_first(field.words) if field.words is not None else ():
        if text.startswith(word + literal, start, end):
            return start + len(word)
    return text.find(literal, start, end)


def _part_at_end(text: str, start: int, literal: str) -> int:
    """Return the size of the part of a literal with which the text ends; 0 if the text ends within the field."""
    for size in range(min(len(literal), len(text) - start), _MIN_PART - 1, -1):
        if text.endswith(literal[:size]):
            return size
    return 0


@cache
def _longest_first(words: str) -> tuple[str, ...]:
    return tuple(sorted(numbers_of(words), key=len, reverse=True))

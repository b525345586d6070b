"""Read the tables of Code Integrity's events: which releases have which event, with which fields and which text.

`data/event_fields.tsv` holds the templates of ci.dll's manifest, `data/event_messages.tsv` the texts word for word, and
`data/event_values.tsv` the words that Windows prints for numbers. A row holds for the builds from `first_build` to
`last_build`; an empty `last_build` means every later build that is known. `data/event_sources.tsv` says where the rows
come from. Builds between two public tables have the rows of the older one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from signer.policy.tables import Row, rows
from signer.records import dataclass

_PACKAGE = "signer.codeintegrity.data"
_CHANNELS = {
    "Operational": "Microsoft-Windows-CodeIntegrity/Operational",
    "Verbose": "Microsoft-Windows-CodeIntegrity/Verbose",
    "Security": "Security",
}


@dataclass(frozen=True, slots=True)
class Builds:
    """The builds for which a row holds."""

    first: int
    last: int | None
    """None for every later build that is known."""

    def __contains__(self, build: int) -> bool:
        return self.first <= build and (self.last is None or build <= self.last)

    def shared_with(self, other: Builds) -> Builds | None:
        """Return the builds that are in both; None if there are none."""
        lasts = [last for last in (self.last, other.last) if last is not None]
        shared = Builds(max(self.first, other.first), min(lasts, default=None))
        return shared if shared.last is None or shared.first <= shared.last else None


@dataclass(frozen=True, slots=True)
class EventField:
    """One field of an event, named as in the manifest."""

    name: str
    type: str
    """Type of the manifest without its prefix: UInt8, HexInt32, UnicodeString, Binary, GUID and so on."""
    words: str | None = None
    """Map of `event_values.tsv` whose words the message prints instead of the number."""


@dataclass(frozen=True, slots=True)
class EventSchema:
    """The template of one version of an event."""

    id: int
    version: int
    builds: Builds
    level: str
    channel: str
    fields: tuple[EventField, ...]


@dataclass(frozen=True, slots=True)
class EventMessage:
    """The text of one version of an event; %n is the field at place n, counted from 1."""

    id: int
    version: int
    builds: Builds
    text: str


@cache
def schemas() -> tuple[EventSchema, ...]:
    """Return every template, in the order of id, version and build."""
    return tuple(map(_schema, rows("event_fields.tsv", _PACKAGE)))


@cache
def known_events() -> frozenset[int]:
    """Return the ids of all events."""
    return frozenset(int(row["id"]) for row in rows("event_fields.tsv", _PACKAGE))


@cache
def messages() -> tuple[EventMessage, ...]:
    """Return every text, in the order of id, version and build."""
    return tuple(map(_message, rows("event_messages.tsv", _PACKAGE)))


@cache
def newest_schema(event_id: int, build: int) -> EventSchema | None:
    """Return the template of the newest version that a build has; None if the build lacks the event."""
    found = map(_schema, _rows_of(event_id, "event_fields.tsv"))
    return max((one for one in found if build in one.builds), key=lambda one: one.version, default=None)


@cache
def message_of(event_id: int, version: int, build: int) -> EventMessage | None:
    """Return the text of an event's version on a build; None if the build has none."""
    found = map(_message, _rows_of(event_id, "event_messages.tsv"))
    return next((one for one in found if one.version == version and build in one.builds), None)


@cache
def words_of(name: str, build: int) -> Mapping[int, str]:
    """Return the words that a build prints for the numbers of a map such as SigningLevels."""
    return {
        int(row["value"]): row["text"]
        for row in rows("event_values.tsv", _PACKAGE)
        if row["map"] == name and build in _builds(row)
    }


@cache
def numbers_of(name: str) -> Mapping[str, int]:
    """Return the numbers of a map by their words, of every build."""
    return {row["text"]: int(row["value"]) for row in rows("event_values.tsv", _PACKAGE) if row["map"] == name}


def _rows_of(event_id: int, name: str) -> Iterator[Row]:
    """Yield the rows of one event: a verdict needs few of all events."""
    return (row for row in rows(name, _PACKAGE) if row["id"] == str(event_id))


def _schema(row: Row) -> EventSchema:
    return EventSchema(
        int(row["id"]),
        int(row["version"]),
        _builds(row),
        row["level"],
        _CHANNELS[row["channel"]],
        tuple(_field(text) for text in row["fields"].split("|") if text),
    )


def _message(row: Row) -> EventMessage:
    text = row["message"].replace("\\n", "\n").replace("\\t", "\t")
    return EventMessage(int(row["id"]), int(row["version"]), _builds(row), text)


def _builds(row: Row) -> Builds:
    return Builds(int(row["first_build"]), int(row["last_build"]) if row["last_build"] else None)


def _field(text: str) -> EventField:
    name, _, kind = text.partition("=")
    kind, _, words = kind.partition("/")
    return EventField(name, kind, words or None)

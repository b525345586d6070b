"""[Manufacturer] and the Models sections: the devices that an INF supports and their install sections.

Sources: "INF Manufacturer Section" and "INF Models Section" (windows-driver-docs, install/inf-manufacturer-section.md,
install/inf-models-section.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

from catalogs.inf.syntax import Entry, Inf
from catalogs.inf.targets import UNDECORATED, TargetOS, parse
from signer.records import dataclass


@dataclass(frozen=True, slots=True)
class Model:
    """One line of a Models section."""

    line: int
    description: str
    install: str
    """Name of the DDInstall section, without its decoration."""
    ids: tuple[str, ...]
    """The hardware ID, then the compatible IDs, spelled as in the INF."""


@dataclass(frozen=True, slots=True)
class ModelsSection:
    """A Models section that [Manufacturer] names."""

    manufacturer: str
    name: str
    """Full name, including the decoration."""
    target: TargetOS
    line: int
    """Line in [Manufacturer] that names it."""
    models: tuple[Model, ...] | None
    """Its lines; None if the section does not exist."""


@dataclass(frozen=True, slots=True)
class InvalidTarget:
    """An invalid TargetOS decoration in [Manufacturer]."""

    text: str
    line: int


def models_sections(inf: Inf) -> tuple[list[ModelsSection], list[InvalidTarget]]:
    """Return the Models sections that [Manufacturer] names, in order, and the invalid decorations."""
    manufacturers = inf.section("Manufacturer")
    read = cache(partial(_models_of, inf))  # many manufacturers may name one section
    sections: list[ModelsSection] = []
    bad: list[InvalidTarget] = []
    for entry in manufacturers.entries if manufacturers else ():
        base = entry.value()
        if not base:
            continue
        sections.append(_section(read, entry, base, UNDECORATED))
        for text in filter(None, entry.values[1:]):
            target = parse(text)
            if target is None:
                bad.append(InvalidTarget(text, entry.line))
            elif target is not UNDECORATED:
                sections.append(_section(read, entry, base, target))
    return sections, bad


def _section(
    read: Callable[[str], tuple[Model, ...] | None], entry: Entry, base: str, target: TargetOS
) -> ModelsSection:
    name = f"{base}.{target.text}" if target.text else base
    return ModelsSection(entry.key or base, name, target, entry.line, read(name.lower()))


def _models_of(inf: Inf, name: str) -> tuple[Model, ...] | None:
    """Return the lines of a Models section; None if it does not exist."""
    found = inf.section(name)
    return None if found is None else tuple(_models(found.entries))


def _models(entries: tuple[Entry, ...]) -> Iterator[Model]:
    for entry in entries:
        if entry.key is not None and entry.value():
            yield Model(entry.line, entry.key, entry.value(), tuple(filter(None, entry.values[1:])))

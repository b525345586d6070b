"""[Manufacturer] and the Models sections: which devices an INF is for, and which section installs each.

Sources: "INF Manufacturer Section" and "INF Models Section" (windows-driver-docs, install/inf-manufacturer-section.md,
install/inf-models-section.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catalogs.inf.syntax import Entry, Inf
from catalogs.inf.targets import UNDECORATED, TargetOS, parse


@dataclass(frozen=True, slots=True)
class Model:
    """One line of a Models section."""

    line: int
    description: str
    install: str
    """The name of the DDInstall section, without the decoration that Windows adds."""
    ids: tuple[str, ...]
    """The hardware ID, then the compatible IDs, as the INF spells them."""


@dataclass(frozen=True, slots=True)
class ModelsSection:
    """A Models section that the [Manufacturer] section names."""

    manufacturer: str
    name: str
    """Its full name, decoration included."""
    target: TargetOS
    line: int
    """Where [Manufacturer] names it."""
    models: tuple[Model, ...] | None
    """Its lines; None where there is no such section."""


@dataclass(frozen=True, slots=True)
class BadTarget:
    """A decoration in [Manufacturer] that is none."""

    text: str
    line: int


def models_sections(inf: Inf) -> tuple[list[ModelsSection], list[BadTarget]]:
    """Every Models section that [Manufacturer] names, in its order; and what there are no decorations."""
    manufacturers = inf.section("Manufacturer")
    sections: list[ModelsSection] = []
    bad: list[BadTarget] = []
    for entry in manufacturers.entries if manufacturers else ():
        base = entry.value()
        if not base:
            continue
        sections.append(_section(inf, entry, base, UNDECORATED))
        for text in filter(None, entry.values[1:]):
            target = parse(text)
            if target is None:
                bad.append(BadTarget(text, entry.line))
            elif target is not UNDECORATED:
                sections.append(_section(inf, entry, base, target))
    return sections, bad


def _section(inf: Inf, entry: Entry, base: str, target: TargetOS) -> ModelsSection:
    name = f"{base}.{target.text}" if target.text else base
    found = inf.section(name)
    models = None if found is None else tuple(_models(found.entries))
    return ModelsSection(entry.key or base, name, target, entry.line, models)


def _models(entries: tuple[Entry, ...]) -> Iterator[Model]:
    for entry in entries:
        if entry.key is not None and entry.value():
            yield Model(entry.line, entry.key, entry.value(), tuple(filter(None, entry.values[1:])))

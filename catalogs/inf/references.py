"""Which sections of an INF name which others.

Source: the pages on the directives in windows-driver-docs, install/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from catalogs.inf.syntax import Entry, Inf

_ALL_VALUES = frozenset(
    """
    addpowersetting addproperty addreg bitreg copyfiles delfiles delproperty delreg ini2reg logconfig needs
    profileitems registerdlls renfiles unregisterdlls updateinifields updateinis
    """.split()  # noqa: SIM905
)
"""Directives whose values are all names of sections."""

_AT = {
    "addservice": (2, 3),
    "addinterface": (2,),
    "addcomponent": (2,),
    "addsoftware": (2,),
    "addfilter": (2,),
    "kmdfservice": (1,),
    "umdfservice": (1,),
}
"""Directives that name sections in some of their values."""

_WITHOUT_DIRECTIVES = ("strings", "sourcedisks", "destinationdirs", "version", "manufacturer")


@dataclass(frozen=True, slots=True)
class Reference:
    """One place where a section is named."""

    section: str
    directive: str
    line: int
    includes: bool
    """Whether the naming section has an Include, so that the other INF may be the one that defines it."""


def references(inf: Inf) -> Iterator[Reference]:
    """Every section that a directive names, in the order of the INF. Its %strings% are replaced."""
    for name, section in inf.sections.items():
        if name.startswith(_WITHOUT_DIRECTIVES):
            continue
        includes = section.first("Include") is not None
        for entry in section.entries:
            key = (entry.key or "").lower()
            if key in _ALL_VALUES:
                named: tuple[str, ...] = entry.values
            else:
                named = tuple(entry.value(index) for index in _AT.get(key, ()))
            for value in named:
                if value and not value.startswith("@"):
                    yield Reference(value, entry.key or "", entry.line, includes)


def circular_needs(inf: Inf) -> Iterator[Entry]:
    """The Needs directives that lead back to a section on the way to them.

    A section that includes other INFs may need one of theirs that is called as one of its own, so it closes no circle.
    """
    done: set[str] = set()
    for start in inf.sections:
        way = {start: iter(_needed(inf, start))}
        while way:
            name, rest = next(reversed(way.items()))
            found = next(rest, None)
            if found is None:
                done.add(name)
                del way[name]
                continue
            section, entry = found
            if section in way:
                yield entry
            elif section not in done:
                way[section] = iter(_needed(inf, section))


def _needed(inf: Inf, name: str) -> list[tuple[str, Entry]]:
    """The sections of the same INF that one needs, in lower case, each with the directive."""
    section = inf.sections[name]
    own = inf.path.name.lower() if inf.path is not None else None
    if any(value.lower() != own for entry in section.all("Include") for value in entry.values):
        return []
    named = ((value.lower(), entry) for entry in section.all("Needs") for value in entry.values)
    return [(value, entry) for value, entry in named if value in inf.sections]

"""References from INF directives to other sections.

Source: the pages on the directives in windows-driver-docs, install/.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from catalogs.inf.syntax import Entry, Inf
from signer.records import dataclass

_SECTION_LISTS = frozenset(
    """
    addpowersetting addproperty addreg bitreg copyfiles delfiles delproperty delreg ini2reg logconfig needs
    profileitems registerdlls renfiles unregisterdlls updateinifields updateinis
    """.split()  # noqa: SIM905
)
"""Directives whose values are all section names."""

_SECTION_INDEXES = {
    "addservice": (2, 3),
    "addinterface": (2,),
    "addcomponent": (2,),
    "addsoftware": (2,),
    "addfilter": (2,),
    "kmdfservice": (1,),
    "umdfservice": (1,),
}
"""For directives with section names in some values: the indexes of these values."""

_WITHOUT_DIRECTIVES = ("strings", "sourcedisks", "destinationdirs", "version", "manufacturer")


@dataclass(frozen=True, slots=True)
class Reference:
    """A directive that names a section."""

    section: str
    directive: str
    line: int
    includes: bool
    """True if the section with the directive has an Include: the included INF may define the named section."""


def references(inf: Inf, skipped: Collection[str] = ()) -> Iterator[Reference]:
    """Yield every reference to a section, in INF order. The %strings% of `inf` are replaced already.

    `skipped` are lower-case names of sections that contain no directives.
    """
    for name, section in inf.sections.items():
        if name in skipped or name.startswith(_WITHOUT_DIRECTIVES):
            continue
        includes = section.first("Include") is not None
        for entry in section.entries:
            if entry.key is None:
                continue
            key = entry.key.lower()
            if key in _SECTION_LISTS:
                named: tuple[str, ...] = entry.values
            elif key in _SECTION_INDEXES:
                named = tuple(entry.value(index) for index in _SECTION_INDEXES[key])
            else:
                continue
            for value in named:
                if value and not value.startswith("@"):
                    yield Reference(value, entry.key, entry.line, includes)


def circular_needs(inf: Inf) -> Iterator[Entry]:
    """Yield the Needs directives that close a cycle.

    A section with an Include may need a section of the included INF that has the same name as a local one, so it is
    not part of a cycle.
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
    """Return the sections of the same INF that section `name` needs, in lower case, each with the directive."""
    section = inf.sections[name]
    own = inf.path.name.lower() if inf.path is not None else None
    if any(value.lower() != own for entry in section.all("Include") for value in entry.values):
        return []
    named = ((value.lower(), entry) for entry in section.all("Needs") for value in entry.values)
    return [(value, entry) for value, entry in named if value in inf.sections]

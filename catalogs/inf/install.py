"""List the files that install sections copy.

Sources (windows-driver-docs, install/): inf-ddinstall-section.md, inf-copyfiles-directive.md, inf-destinationdirs-
section.md, inf-ddinstall-coinstallers-section.md, inf-ddinstall-interfaces-section.md, inf-classinstall32-section.md,
inf-interfaceinstall32-section.md, inf-defaultinstall-section.md.

Sections that Needs takes from an included INF are not followed, even if that INF is in the same folder: Inf2Cat lists
their files in the catalog of the INF that defines them (measured).
"""

from __future__ import annotations

from collections.abc import Iterator

from catalogs.inf.sources import Source
from catalogs.inf.syntax import Entry, Inf, Section
from signer.errors import InfError
from signer.limits import LIMITS, raising
from signer.records import dataclass

_DEFAULT_DIRECTORY = "DefaultDestDir"


@dataclass(frozen=True, slots=True)
class Copy:
    """One file that an install section copies."""

    target: str
    """The name of the installed file."""
    source: str
    """The name of the file in the package."""
    section: str
    """The file-list section that contains it; `CopyFiles` for a file that the directive names directly (@file)."""
    line: int
    destination: tuple[str, str]
    """Destination folder: dirid and subfolder in lower case; two empty strings if the INF has none."""


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A file that an INF copies, with its place in the package."""

    copy: Copy
    source: Source | None
    """Its [SourceDisksFiles] entry; None if no section lists it."""
    architecture: str
    """Architecture for which the source was looked up."""
    on: str
    """Architecture of the releases that install it."""
    inbox: bool
    """True if it may be part of Windows: the INF has a LayoutFile or includes another INF."""
    required: bool = True
    """True if a machine that the catalog is for installs it; files for other architectures are optional."""

    @property
    def location(self) -> tuple[str, ...]:
        """Its folders and name in the package, in lower case."""
        return location(self.copy, self.source)


def location(copy: Copy, source: Source | None) -> tuple[str, ...]:
    """Return the folders and the name of a file in the package, in lower case."""
    folders = source.folders if source is not None else ()
    return (*map(str.lower, folders), copy.source.lower())


@dataclass(frozen=True, slots=True)
class MissingSection:
    """A section that a directive names and the INF does not define."""

    name: str
    directive: str
    line: int


def section_for(inf: Inf, name: str, architecture: str, suffix: str = "") -> Section | None:
    """Return the section that Windows uses on an architecture: `name.NTamd64`, `name.NT` or `name`, plus the suffix.

    Each suffix, such as `.CoInstallers`, has its own lookup: [X.NTamd64] may be combined with [X.NT.CoInstallers].
    """
    names = (f"{name}.nt{architecture}{suffix}", f"{name}.nt{suffix}", f"{name}{suffix}")
    return next((found for found in map(inf.section, names) if found is not None), None)


class Installation:
    """Collect the files that an INF (%strings% replaced) copies on one architecture. Each section is read once."""

    def __init__(self, inf: Inf, architecture: str) -> None:
        self._inf = inf
        self._architecture = architecture
        self._seen: set[str] = set()
        self._lists: set[str] = set()
        self.copies: list[Copy] = []
        """The copied files, in INF order."""
        self.missing: list[MissingSection] = []
        """Sections that a directive names and the INF does not define."""
        self.includes = False
        """True if an install section includes another INF, which may define the files' sources."""

    def install(self, section: Section) -> None:
        """Read an install section, its .CoInstallers section or its .Interfaces section."""
        self._install(section)
        for entry in section.all("AddInterface"):
            self._read_named(entry.value(2))

    def interface_installers(self) -> None:
        """Read the install sections that [InterfaceInstall32] names."""
        interfaces = self._inf.section("InterfaceInstall32")
        for entry in interfaces.entries if interfaces else ():
            self._read_named(entry.value())

    def _read_named(self, name: str) -> None:
        found = section_for(self._inf, name, self._architecture)
        if found is not None:
            self._install(found)

    def _install(self, section: Section) -> None:
        """Read the CopyFiles directives of an install section and of its Needs sections, each section once."""
        waiting = [section]
        while waiting:
            section = waiting.pop()
            if section.name.lower() in self._seen:
                continue
            self._seen.add(section.name.lower())
            includes = section.first("Include") is not None
            self.includes |= includes
            for entry in section.all("CopyFiles"):
                for value in filter(None, entry.values):
                    self._copy(entry, value, includes)
            needed = (self._inf.section(name) for entry in section.all("Needs") for name in entry.values)
            waiting += reversed([found for found in needed if found is not None])

    def _copy(self, entry: Entry, value: str, includes: bool) -> None:
        """Read one CopyFiles value: a file-list section (perhaps of an included INF), or one file after `@`."""
        if value.startswith("@"):
            if name := value[1:]:
                destination = self._destination(_DEFAULT_DIRECTORY)
                self.copies.append(Copy(name, name, "CopyFiles", entry.line, destination))
            return
        section = self._inf.section(value)
        if section is None:
            self.missing += [] if includes else [MissingSection(value, "CopyFiles", entry.line)]
        elif value.lower() not in self._lists:
            self._lists.add(value.lower())
            self.copies += _listed(section, self._destination(value))
        if len(self.copies) > (limit := LIMITS["inf-copies"]):
            message = f"the INF copies more than {limit:,} files"
            raise InfError(message, line=entry.line, hint=raising("inf-copies"))

    def _destination(self, name: str) -> tuple[str, str]:
        """Return the destination that [DestinationDirs] gives a file-list section."""
        directories = self._inf.section("DestinationDirs")
        entry = directories and (directories.first(name) or directories.first(_DEFAULT_DIRECTORY))
        return (entry.value().lower(), entry.value(1).strip("\\").lower()) if entry else ("", "")


def _listed(section: Section, destination: tuple[str, str]) -> Iterator[Copy]:
    """Yield the files of a file-list section; each line is `destination name[,source name]`."""
    for line in section.entries:
        target = line.key if line.key is not None else line.value()
        source = (line.value() if line.key is not None else line.value(1)) or target
        if target:
            yield Copy(target, source, section.name, line.line, destination)

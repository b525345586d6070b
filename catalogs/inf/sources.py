"""[SourceDisksNames] and [SourceDisksFiles]: the location of each file in the package, by architecture.

Sources: "INF SourceDisksNames Section" and "INF SourceDisksFiles Section" (windows-driver-docs,
install/inf-sourcedisksnames-section.md, install/inf-sourcedisksfiles-section.md).
"""

from __future__ import annotations

import re

from catalogs.inf.syntax import Entry, Inf
from signer.records import dataclass

FILES = "SourceDisksFiles"
NAMES = "SourceDisksNames"

_SEPARATE_TAG = ("0x10", "16")
_SEPARATORS = re.compile(r"[\\/]+")


@dataclass(frozen=True, slots=True)
class TagFile:
    """A file that identifies a disk."""

    name: str
    folders: tuple[str, ...]
    """Path of the disk, where the file may be instead of beside the INF."""
    line: int


@dataclass(frozen=True, slots=True)
class Source:
    """A file's entry in [SourceDisksFiles]."""

    name: str
    """File name, spelled as in the INF."""
    section: str
    """Section of the entry, such as `SourceDisksFiles.amd64`."""
    line: int
    disk: str
    """Disk ID."""
    disk_known: bool
    """True if [SourceDisksNames] defines the disk."""
    folders: tuple[str, ...]
    """Folder relative to the INF: the path of the disk, then the path of the file."""
    cabinet: str = ""
    """Cabinet that contains the disk's files; empty if the disk has none."""
    tag: TagFile | None = None
    """Tag file of the disk."""


@dataclass(frozen=True, slots=True)
class _Disk:
    """A disk of [SourceDisksNames]."""

    is_known: bool
    """False if no section defines it."""
    path: tuple[str, ...] = ()
    cabinet: str = ""
    tag: TagFile | None = None


class Sources:
    """The source files of an INF with its %strings% replaced."""

    def __init__(self, inf: Inf) -> None:
        self._disks: dict[tuple[str, str], _Disk] = {}
        self._found: dict[tuple[str, str], tuple[Source, ...]] = {}
        self._sections = {name: _by_key(inf, name) for name in inf.sections if name.startswith("sourcedisks")}

    def find(self, name: str, architecture: str) -> tuple[Source, ...]:
        """Return the sources of a file, empty if it is not listed. The decorated section takes precedence.

        A section may list a file on several lines. Windows uses the first; Inf2Cat catalogs all of them.
        """
        key = (name.lower(), architecture)
        if key not in self._found:
            self._found[key] = self._find(*key)
        return self._found[key]

    def _find(self, name: str, architecture: str) -> tuple[Source, ...]:
        for section in (f"{FILES}.{architecture}", FILES):
            entries = self._sections.get(section.lower(), {}).get(name, ())
            if entries:
                found = [self._source(entry, section, architecture) for entry in entries]
                return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)
        return ()

    def _source(self, entry: Entry, section: str, architecture: str) -> Source:
        number = entry.value()
        disk = self._disks.get((number, architecture))
        if disk is None:
            disk = self._disks[number, architecture] = self._disk(number, architecture)
        folders = (*disk.path, *_folders(entry.value(1)))
        return Source(entry.key or "", section, entry.line, number, disk.is_known, folders, disk.cabinet, disk.tag)

    def _disk(self, number: str, architecture: str) -> _Disk:
        for section in (f"{NAMES}.{architecture}", NAMES):
            entries = self._sections.get(section.lower(), {}).get(number.lower(), ())
            if entries:
                return _disk_of(entries[0])
        return _Disk(is_known=False)


def _by_key(inf: Inf, name: str) -> dict[str, list[Entry]]:
    """Return the entries of a section by lower-case key."""
    found: dict[str, list[Entry]] = {}
    for entry in inf.sections[name].entries:
        # A disk or file without an equals sign is a name without values.
        key = entry.key if entry.key is not None else entry.value()
        found.setdefault(key.lower(), []).append(entry if entry.key is not None else Entry(entry.line, key, ()))
    return found


def _disk_of(disk: Entry) -> _Disk:
    """Read the entry of a disk in [SourceDisksNames].

    The second field is a cabinet if it ends with .cab, else a tag file. With the flag 0x10 it is a cabinet, and the
    sixth field is the tag file.
    """
    first, path = disk.value(1), _folders(disk.value(3))
    if disk.value(4).lower() in _SEPARATE_TAG:
        cabinet, tag = first, disk.value(5)
    else:
        cabinet, tag = (first, "") if first.lower().endswith(".cab") else ("", first)
    return _Disk(True, path, cabinet, TagFile(tag, path, disk.line) if tag else None)


def _folders(path: str) -> tuple[str, ...]:
    if not path:
        return ()
    return tuple(folder for folder in _SEPARATORS.split(path) if folder not in ("", "."))

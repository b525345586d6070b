"""[SourceDisksNames] and [SourceDisksFiles]: where in the package a file lies, for each architecture.

Sources: "INF SourceDisksNames Section" and "INF SourceDisksFiles Section" (windows-driver-docs,
install/inf-sourcedisksnames-section.md, install/inf-sourcedisksfiles-section.md).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from catalogs.inf.syntax import Entry, Inf

FILES = "SourceDisksFiles"
NAMES = "SourceDisksNames"

_SEPARATORS = re.compile(r"[\\/]+")


@dataclass(frozen=True, slots=True)
class Source:
    """What [SourceDisksFiles] says about a file."""

    name: str
    """Its name, as the INF spells it."""
    section: str
    """The section that names it, such as `SourceDisksFiles.amd64`."""
    line: int
    disk: str
    """The disk that it is on."""
    disk_known: bool
    """Whether [SourceDisksNames] has that disk."""
    folders: tuple[str, ...]
    """The folder: the disk's path and the file's own, from the INF's folder on."""
    cabinet: str = ""
    """The cabinet that the disk's files are in, where the disk names one."""


class Sources:
    """The source files of an INF whose %strings% have been replaced."""

    def __init__(self, inf: Inf) -> None:
        self._sections = {name: _by_key(inf, name) for name in inf.sections if name.startswith("sourcedisks")}

    def find(self, name: str, architecture: str) -> tuple[Source, ...]:
        """Where a file is for an architecture: the decorated section is asked first. Nothing where none names it.

        A section may name it in several lines. Windows takes the first place, and Inf2Cat catalogues what is in each.
        """
        for section in (f"{FILES}.{architecture}", FILES):
            entries = self._sections.get(section.lower(), {}).get(name.lower(), ())
            if entries:
                return tuple(dict.fromkeys(self._source(entry, section, architecture) for entry in entries))
        return ()

    def _source(self, entry: Entry, section: str, architecture: str) -> Source:
        disk = self._disk(entry.value(), architecture)
        path = "" if disk is None else disk.value(3)
        folders = tuple(filter(None, _SEPARATORS.split(f"{path}\\{entry.value(1)}")))
        # The second field is a cabinet or, mostly, a file that only tells whether the right disk is in the drive.
        tag = "" if disk is None else disk.value(1)
        cabinet = tag if tag.lower().endswith(".cab") else ""
        return Source(
            entry.key or "", section, entry.line, entry.value(), disk is not None, _without_dots(folders), cabinet
        )

    def _disk(self, number: str, architecture: str) -> Entry | None:
        for section in (f"{NAMES}.{architecture}", NAMES):
            entries = self._sections.get(section.lower(), {}).get(number.lower(), ())
            if entries:
                return entries[0]
        return None


def _by_key(inf: Inf, name: str) -> dict[str, list[Entry]]:
    """The entries of a section by key in lower case."""
    found: dict[str, list[Entry]] = {}
    for entry in inf.sections[name].entries:
        # A disk or file without an equals sign is a name with nothing said about it.
        key = entry.key if entry.key is not None else entry.value()
        found.setdefault(key.lower(), []).append(entry if entry.key is not None else Entry(entry.line, key, ()))
    return found


def _without_dots(folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(folder for folder in folders if folder != ".")

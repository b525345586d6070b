"""The folder of a driver package, as Windows sees it: names without regard to case, and nothing outside of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from signer.storage.files import file_error


class OutsideFolder(ValueError):
    """A path that leads out of the package: absolute, with a drive, with `..`, or through a symbolic link."""


@dataclass(frozen=True, slots=True)
class _Listing:
    """What is in a folder, as the system lists it: with the kind of everything that is no symbolic link."""

    entries: dict[str, list[os.DirEntry[str]]]
    """By name in lower case, each list and all of them in sorted order."""
    is_inside: bool
    """Whether the folder lies in the package when symbolic links and junctions are followed."""


class Folder:
    """A folder and what lies below it. Each folder is listed once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real = os.path.realpath(root)
        self._listed: dict[Path, _Listing] = {}

    def find(self, parts: Sequence[str]) -> Path | None:
        """The file at a path below the folder, whatever the case of its letters; None where there is none.

        Where names differ by case only, the one that is spelled as asked is taken, else the first in sorted order.
        Raises OutsideFolder, and FileError for a folder that can't be listed.
        """
        path = self.root
        entry, is_inside = None, True
        for part in parts:
            if part == ".." or ":" in part or "/" in part or "\\" in part:
                raise OutsideFolder(part)
            listing = self._list(path)
            named = listing.entries.get(part.lower())
            if not named:
                return None
            entry, is_inside = next((one for one in named if one.name == part), named[0]), listing.is_inside
            path /= entry.name
        if entry is None or not _is_file(entry, path):
            return None
        if not (self._is_inside(path) if entry.is_symlink() else is_inside):
            raise OutsideFolder(str(path))
        return path

    def twins(self, path: Path) -> list[str]:
        """The names beside `path` that differ from its name by case only."""
        name = path.name
        return [one.name for one in self._list(path.parent).entries.get(name.lower(), []) if one.name != name]

    def infs(self) -> Iterator[Path]:
        """The INFs in and below the folder, in the order in which Windows lists them: a folder's own come first."""
        return (path for path in self.files() if path.suffix.lower() == ".inf")

    def files(self) -> Iterator[Path]:
        """All files in and below the folder, in that order; hidden ones are left out. Raises FileError."""
        waiting = [self.root]
        while waiting:
            folder = waiting.pop()
            entries = (entry for named in self._list(folder).entries.values() for entry in named)
            visible = [entry for entry in entries if not entry.name.startswith(".")]
            visible.sort(key=lambda entry: entry.name.upper())
            yield from (path for entry in visible if _is_file(entry, path := folder / entry.name))
            waiting += [folder / entry.name for entry in reversed(visible) if entry.is_dir(follow_symlinks=False)]

    def _list(self, folder: Path) -> _Listing:
        """What is in a folder. Raises FileError."""
        if folder not in self._listed:
            try:
                with os.scandir(folder) as found:
                    ordered = sorted(found, key=lambda entry: entry.name)
            except NotADirectoryError:
                ordered = []
            except OSError as error:
                raise file_error(error, folder, "read the folder") from error
            entries: dict[str, list[os.DirEntry[str]]] = {}
            for entry in ordered:
                entries.setdefault(entry.name.lower(), []).append(entry)
            self._listed[folder] = _Listing(entries, self._is_inside(folder))
        return self._listed[folder]

    def _is_inside(self, path: Path) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(self._real)  # unlike resolve(), takes links to themselves


def _is_file(entry: os.DirEntry[str], path: Path) -> bool:
    """Whether it is a file or leads to one; a link to nothing, or to itself, does not."""
    return path.is_file() if entry.is_symlink() else entry.is_file()

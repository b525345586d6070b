"""Case-insensitive file lookup, as in Windows, that never leads outside a driver package's folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from signer.errors import FileError
from signer.records import dataclass
from signer.storage.files import file_error


class OutsideFolder(FileError):
    """Raised for a path outside the package: absolute, with a drive, with `..`, or through a symbolic link."""


@dataclass(frozen=True, slots=True)
class _Listing:
    """The entries of a folder from one os.scandir call, which also gives the type of all but symbolic links."""

    entries: dict[str, list[os.DirEntry[str]]]
    """Entries by lower-case name, all sorted."""
    is_inside: bool
    """True if the folder is in the package after symbolic links and junctions are resolved."""


class Folder:
    """A folder and its subfolders. Each is listed once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real = os.path.realpath(root)
        self._listed: dict[Path, _Listing] = {}
        self._variants: dict[Path, list[str]] = {}
        """The names that differ only in case, of each path that `find` returned and that has some."""

    def find(self, parts: Sequence[str]) -> Path | None:
        """Return the file at a relative path, ignoring case; None if it does not exist.

        If names differ only in case, an exact match takes precedence over the first in sorted order. Raises
        OutsideFolder, and FileError for a folder that can't be listed.
        """
        path = self.root
        named: list[os.DirEntry[str]] = []
        entry, is_inside = None, True
        for part in parts:
            if part == ".." or ":" in part or "/" in part or "\\" in part:
                raise OutsideFolder(f"{'/'.join(parts)!r} is not a path inside the folder", path=self.root)
            listing = self._list(path)
            named = listing.entries.get(part.lower(), [])
            if not named:
                return None
            exact = (one for one in named if one.name == part) if len(named) > 1 else ()
            entry, is_inside = next(iter(exact), named[0]), listing.is_inside
            path /= entry.name
        if entry is None or not _is_file(entry, path):
            return None
        if not (self._is_inside(path) if entry.is_symlink() else is_inside):
            message = "a symbolic link leads outside the folder of the driver package"
            raise OutsideFolder(message, path=path, hint="Replace the link by a copy of its file.")
        if len(named) > 1:
            self._variants[path] = [one.name for one in named if one is not entry]
        return path

    def case_variants(self, path: Path) -> list[str]:
        """Return the names in the folder of `path`, which `find` returned, that differ from its name only in case."""
        return self._variants.get(path, []) if self._variants else []

    def infs(self) -> Iterator[Path]:
        """Yield the INFs in Windows' order: those of a folder, then those of its subfolders."""
        return self.files(lambda name: name.lower().endswith(".inf"))

    def files(self, named: Callable[[str], bool] = lambda _: True) -> Iterator[Path]:
        """Yield the files with such names, except hidden ones, in the same order. Raises FileError."""
        waiting = [self.root]
        while waiting:
            folder = waiting.pop()
            entries = (entry for named in self._list(folder).entries.values() for entry in named)
            visible = [entry for entry in entries if not entry.name.startswith(".")]
            visible.sort(key=lambda entry: entry.name.upper())
            chosen = (entry for entry in visible if named(entry.name))
            yield from (path for entry in chosen if _is_file(entry, path := folder / entry.name))
            waiting += [folder / entry.name for entry in reversed(visible) if entry.is_dir(follow_symlinks=False)]

    def _list(self, folder: Path) -> _Listing:
        """List a folder. Raises FileError."""
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
        return Path(os.path.realpath(path)).is_relative_to(self._real)  # unlike resolve(), accepts links to themselves


def _is_file(entry: os.DirEntry[str], path: Path) -> bool:
    """Tell whether an entry is a file or a link to one, not a dangling or circular link."""
    return path.is_file() if entry.is_symlink() else entry.is_file()

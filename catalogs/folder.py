"""The folder of a driver package, as Windows sees it: names without regard to case, and nothing outside of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from signer.files import file_error


class OutsideFolder(ValueError):
    """A path that leads out of the package: absolute, with a drive, with `..`, or through a symbolic link."""


class Folder:
    """A folder and what lies below it. Each folder is listed once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real = os.path.realpath(root)
        self._listed: dict[Path, dict[str, list[str]]] = {}

    def find(self, parts: Sequence[str]) -> Path | None:
        """The file at a path below the folder, whatever the case of its letters; None where there is none.

        Where names differ by case only, the one that is spelled as asked is taken, else the first in sorted order.
        Raises OutsideFolder, and FileError for a folder that can't be listed.
        """
        path = self.root
        for part in parts:
            if part == ".." or ":" in part or "/" in part or "\\" in part:
                raise OutsideFolder(part)
            names = self._names(path).get(part.lower(), [])
            if not names:
                return None
            path /= part if part in names else names[0]
        if not path.is_file():
            return None
        if not Path(os.path.realpath(path)).is_relative_to(self._real):
            raise OutsideFolder(str(path))
        return path

    def twins(self, path: Path) -> list[str]:
        """The names beside `path` that differ from its name by case only."""
        return [name for name in self._names(path.parent).get(path.name.lower(), []) if name != path.name]

    def infs(self) -> Iterator[Path]:
        """The INFs in and below the folder, in the order in which Windows lists them: a folder's own come first."""
        return (path for path in self.files() if path.suffix.lower() == ".inf")

    def files(self) -> Iterator[Path]:
        """All files in and below the folder, in that order; hidden ones are left out. Raises FileError."""
        waiting = [self.root]
        while waiting:
            folder = waiting.pop()
            names = sorted((name for names in self._names(folder).values() for name in names), key=str.upper)
            visible = [folder / name for name in names if not name.startswith(".")]
            yield from (path for path in visible if path.is_file())
            waiting += reversed([path for path in visible if path.is_dir() and not path.is_symlink()])

    def _names(self, folder: Path) -> dict[str, list[str]]:
        """What is in a folder, by name in lower case. Raises FileError."""
        if folder not in self._listed:
            try:
                names = sorted(path.name for path in folder.iterdir())
            except NotADirectoryError:
                names = []
            except OSError as error:
                raise file_error(error, folder, "read the folder") from error
            listed: dict[str, list[str]] = {}
            for name in names:
                listed.setdefault(name.lower(), []).append(name)
            self._listed[folder] = listed
        return self._listed[folder]

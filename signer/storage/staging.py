"""Where new files are kept until all of them are complete: in a transaction, or in memory for a rehearsal."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from signer.errors import FileError
from signer.storage.files import mapped, read
from signer.storage.patching import Change

Opener = Callable[[Path], AbstractContextManager[memoryview]]
"""A function like `mapped`, which provides the bytes of a file."""


class Staging(Protocol):
    """New files that do not replace the old ones yet. `signer.storage.transaction.Transaction` is one."""

    def write(self, target: Path, data: bytes) -> None:
        """Keep `data` for `target`. Raises FileError."""

    def change(self, source: Path, target: Path, change: Callable[[memoryview], Change]) -> Change:
        """Keep a changed copy of `source` for `target`; see `changed_copy`. Raises FileError."""

    def reserve(self, targets: Iterable[Path]) -> None:
        """Announce the files that `change` will keep, perhaps in other processes. Raises FileError."""

    def is_staged(self, path: Path) -> bool:
        """Tell whether there are new bytes for `path`."""

    def opened(self, path: Path) -> AbstractContextManager[memoryview]:
        """Provide the new bytes of `path`, or those of the file if there are none. Raises FileError."""


class Home:
    """A folder whose files are updated together. A symbolic link is kept: its target is replaced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._real = Path(os.path.realpath(folder))

    def place(self, path: Path) -> Path | None:
        """Return the path that a path names in the folder, links resolved; None if it is outside of the folder."""
        real = Path(os.path.realpath(path))
        return self._folder / real.relative_to(self._real) if real.is_relative_to(self._real) else None

    def require(self, path: Path) -> Path:
        """Return the path that a path names in the folder. Raises FileError for a link to a file outside of it."""
        place = self.place(path)
        if place is None:
            raise FileError(
                "the path is a symbolic link to a file outside of the folder that is updated",
                path=path,
                hint="Put a copy of the file in the place of the link, or write to another folder with --output-dir.",
            )
        return place


class MemoryStaging:
    """New files in memory, for the files of one folder or of any. Nothing is ever written."""

    def __init__(self, folder: Path | None = None) -> None:
        self._home = Home(folder) if folder is not None else None
        self._contents: dict[str, bytes] = {}

    def write(self, target: Path, data: bytes) -> None:
        """Keep `data` for `target`. Raises FileError for a link to a file outside of the folder."""
        self._require_inside(target)
        self._contents[os.path.realpath(target)] = data

    def change(self, source: Path, target: Path, change: Callable[[memoryview], Change]) -> Change:
        """Keep a changed copy of `source` for `target`. Raises FileError, and the errors of `change`."""
        self._require_inside(target)
        data = read(source)
        changed = change(memoryview(data))
        result = data if changed.changes is None else changed.changes.applied_to(data)
        self._contents[os.path.realpath(target)] = result
        return changed

    def reserve(self, targets: Iterable[Path]) -> None:
        """Raise FileError for a link to a file outside of the folder. Files in memory are kept by this process only."""
        for target in targets:
            self._require_inside(target)

    def is_staged(self, path: Path) -> bool:
        """Tell whether there are new bytes for `path`."""
        return os.path.realpath(path) in self._contents

    @contextlib.contextmanager
    def opened(self, path: Path) -> Iterator[memoryview]:
        """Provide the new bytes of `path`, or those of the file if there are none. Raises FileError."""
        new = self._contents.get(os.path.realpath(path))
        if new is not None:
            yield memoryview(new)
            return
        with mapped(path) as data:
            yield data

    def _require_inside(self, target: Path) -> None:
        if self._home is not None:
            self._home.require(target)

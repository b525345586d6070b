"""Files that change together or not at all, also when the process is killed while it moves them.

New files are staged in a folder beside the old ones; a journal says how to put the old ones back until all are there.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import secrets
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from signer.errors import FileError
from signer.storage.files import (
    NAME_PART,
    file_error,
    flush,
    flush_folder,
    mode_for,
    named_after,
    read,
    write_atomically,
)
from signer.storage.lock import locked
from signer.storage.patching import Change, changed_copy

STAGING, JOURNAL = ".drvsign.", "journal.json"
"""What the folder of staged files begins with, and the file in it that says how to put back what stood there."""


class Transaction:
    """Files that are to take their places together. Each is written to the path that `path_for` gives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self._staged: dict[Path, Path] = {}
        self._modes: dict[Path, int] = {}

    def path_for(self, target: Path) -> Path:
        """Where to write what `target` is to hold."""
        return self._staged.setdefault(target, self._folder / f"{next(self._numbers)}.{target.name[-NAME_PART:]}")

    def current(self, path: Path) -> Path:
        """Where the bytes are that `path` will hold in the end: staged, or where they always were."""
        return self._staged.get(path, path)

    def write(self, target: Path, data: bytes, *, mode: int | None = None) -> None:
        """Stage `data` for `target`, whose permissions `mode` sets from the first moment. Raises FileError."""
        staged = self.path_for(target)
        with named_after(target):
            if mode is not None:
                self._modes[target] = mode
                staged.touch(mode)
            staged.write_bytes(data)

    def change(self, source: Path, target: Path, change: Callable[[memoryview], Change]) -> Change:
        """Stage a changed copy of `source` for `target`, as `change_atomically` makes it. Raises FileError."""
        return changed_copy(source, self.path_for(target), change, target)

    def commit(self) -> None:
        """Move every staged file to its target; where one can't be moved, put all back as they were.

        What stood there is kept until all is done, and a journal says how to put it back: whoever opens the folder next
        does so if this process is killed meanwhile.
        """
        entries = []
        for number, (target, staged) in enumerate(self._staged.items()):
            with named_after(target):
                staged.chmod(self._modes.get(target, mode_for(target)))
                flush(staged)
                old = _keep(target, self._folder / f"{number}.old") if target.exists() else None
            entries.append([os.path.relpath(target, self._folder.parent), old.name if old is not None else None])
        journal = self._folder / JOURNAL
        with named_after(self._folder.parent):
            write_atomically(journal, json.dumps(entries).encode(), flushed=True)
            flush_folder(self._folder)
        try:
            for target, staged in self._staged.items():
                with named_after(target):
                    staged.replace(target)
        except BaseException:
            _rollback(self._folder)
            raise
        for folder in {target.parent for target in self._staged}:
            flush_folder(folder)
        journal.unlink()


@contextlib.contextmanager
def atomic_update(folder: Path, *, recovered: Callable[[str], None] | None = None) -> Iterator[Transaction]:
    """Files below `folder` that change together when the block ends well, and not at all otherwise.

    One process at a time: a second one is refused. What a process that was killed left behind is put back as it was
    before, which `recovered` is told. Raises FileError.
    """
    with locked(folder, lambda error: file_error(error, folder, "write in the folder")):
        for left in sorted(folder.glob(f"{STAGING}*.tmp")):
            if (left / JOURNAL).exists():
                _rollback(left)
                if recovered is not None:
                    recovered(f"{folder}: a run was interrupted; its files are as they were before it")
            shutil.rmtree(left, ignore_errors=True)
        with named_after(folder, "write in the folder"):
            name = _staging_folder(folder)
        staging = Transaction(name)
        try:
            yield staging
            staging.commit()
        finally:
            if not (name / JOURNAL).exists():
                shutil.rmtree(name, ignore_errors=True)


def _staging_folder(folder: Path) -> Path:
    """A new folder for files that will be moved. What Windows makes of 0o700, moved files would keep."""
    path = folder / f"{STAGING}{secrets.token_hex(8)}.tmp"
    path.mkdir(0o777 if sys.platform == "win32" else 0o700)
    return path


def _rollback(staging: Path) -> None:
    """What stood in the places of staged files, back to where it was; new files go. Doing it twice does no harm.

    Raises FileError, also for a journal that speaks of files outside of the folder.
    """
    journal, folder = staging / JOURNAL, staging.parent
    for name, old in entries_of(journal):
        target = folder / name
        if not (target.parent.resolve() / target.name).is_relative_to(folder.resolve()):
            raise FileError("what an interrupted run left behind names files outside of the folder", path=journal)
        with named_after(target):
            if old is None:
                target.unlink(missing_ok=True)
            elif (staging / Path(old).name).exists():
                (staging / Path(old).name).replace(target)
    journal.unlink(missing_ok=True)


def entries_of(journal: Path) -> list[tuple[str, str | None]]:
    """The places of a journal, each with the name of what stood there. Raises FileError."""
    try:
        entries = json.loads(read(journal))
        return [(str(name), None if old is None else str(old)) for name, old in entries]
    except (ValueError, TypeError) as error:
        raise FileError(
            "what an interrupted run left behind can't be read", path=journal, hint="Delete the folder that it is in."
        ) from error


def _keep(target: Path, backup: Path) -> Path:
    """A second name for what `target` holds, or a copy where there are no links, so that it can be put back."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    try:
        backup.hardlink_to(target)
    except OSError:
        shutil.copy2(target, backup)
        flush(backup)
    return backup

"""Replace several files together or not at all, even if the process is killed in the middle.

New files are staged in a hidden folder beside the old ones. Until the last file has been moved to its target, a journal
records how to restore the old files.
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
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from io import FileIO
from pathlib import Path

from signer.errors import FileError
from signer.storage.files import (
    convert_os_errors,
    file_error,
    mapped,
    require_data,
    shell_quote,
    write_atomically,
)
from signer.storage.flushing import Flushes, flush, flush_folder, group_size
from signer.storage.journal import JOURNAL, MAX_FILES, STAGING, entries_of
from signer.storage.leftovers import MAX_NAME_PART
from signer.storage.lock import locked
from signer.storage.patching import Change, changed_copy
from signer.storage.permissions import mode_for
from signer.storage.staging import Home


class Transaction:
    """Files that are replaced together. Each new file is written to the path that `path_for` returns."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._home = Home(folder.parent)
        self._numbers = itertools.count()
        self._staged: dict[Path, Path] = {}
        self._modes: dict[Path, int] = {}

    def path_for(self, target: Path) -> Path:
        """Return the staging path for the new contents of `target`. A symbolic link is kept: its target is replaced.

        Raises FileError for a link to a file outside of the folder, which the journal can't restore.
        """
        place = self._home.require(target)
        return self._staged.setdefault(place, self._folder / f"{next(self._numbers)}.{place.name[-MAX_NAME_PART:]}")

    def reserve(self, targets: Iterable[Path]) -> None:
        """Choose the staging paths of files that other processes will stage. Raises FileError as `path_for`."""
        for target in targets:
            self.path_for(target)

    def current(self, path: Path) -> Path:
        """Return the path of the bytes that `path` has after the commit: the staged file, or `path` itself."""
        place = self._home.place(path)
        return self._staged.get(place, path) if place is not None else path

    def is_staged(self, path: Path) -> bool:
        """Tell whether there is a staged file for `path`."""
        return self._home.place(path) in self._staged

    def opened(self, path: Path) -> AbstractContextManager[memoryview]:
        """Provide the bytes that `path` has after the commit. Raises FileError."""
        return mapped(self.current(path))

    def write(self, target: Path, data: bytes, *, mode: int | None = None) -> None:
        """Stage `data` for `target`. With `mode`, the staged file has these permissions before it has data.

        Raises FileError.
        """
        staged = self.path_for(target)
        with convert_os_errors(target):
            if mode is not None:
                self._modes[staged] = mode
                staged.touch(mode)
            staged.write_bytes(data)

    def change(self, source: Path, target: Path, change: Callable[[memoryview], Change]) -> Change:
        """Stage a changed copy of `source` for `target`; see `changed_copy`. Raises FileError."""
        return changed_copy(source, self.path_for(target), change, target)

    def commit(self) -> None:
        """Move every staged file to its target, or restore all old files if one move fails. Raises FileError.

        Keeps the old files until the last move, with a journal of their targets: if this process is killed, the next
        `atomic_update` of the folder restores them.
        """
        if len(self._staged) > MAX_FILES:
            message = f"an update can't replace more than {MAX_FILES:,} files together"
            raise FileError(message, path=self._folder.parent, hint="Run the command for fewer files at a time.")
        self._flush()
        entries = []
        for number, target in enumerate(self._staged):
            with convert_os_errors(target):
                old = _keep(target, self._folder / f"{number}.old") if target.exists() else None
            entries.append([os.path.relpath(target, self._folder.parent), old.name if old is not None else None])
        try:
            self._move(entries)
        except BaseException:
            if (self._folder / JOURNAL).exists():
                _rollback(self._folder)
            raise

    def _move(self, entries: list[list[str | None]]) -> None:
        """Move every staged file to its target, with a journal of these entries meanwhile. Raises FileError."""
        journal = self._folder / JOURNAL
        with convert_os_errors(self._folder.parent):
            write_atomically(journal, json.dumps(entries).encode(), flushed=True)
            flush_folder(self._folder)
        for target, staged in self._staged.items():
            with convert_os_errors(target):
                staged.replace(target)
        for folder in {target.parent for target in self._staged}:
            flush_folder(folder)
        journal.unlink()

    def _flush(self) -> None:
        """Give the staged files their permissions and sync them to disk, `group_size` at a time. Raises FileError."""
        left, size = iter(self._staged.items()), group_size()
        while group := list(itertools.islice(left, size)):
            with contextlib.ExitStack() as stack:
                flushes = Flushes()
                waits = [flushes.add(self._prepared(target, staged, stack)) for target, staged in group]
                for (target, _), wait in zip(group, waits, strict=True):
                    with convert_os_errors(target):
                        wait()

    def _prepared(self, target: Path, staged: Path, stack: contextlib.ExitStack) -> FileIO:
        """Open a staged file to be synced, and give it its permissions, which may forbid to write."""
        with convert_os_errors(target):
            file = stack.enter_context(staged.open("rb+", buffering=0))
            staged.chmod(self._modes.get(staged, mode_for(target)))
            return file


@contextlib.contextmanager
def atomic_update(
    folder: Path,
    *,
    recovered: Callable[[str], None] | None = None,
    committing: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
) -> Iterator[Transaction]:
    """Provide a transaction for files below `folder`, committed when the block ends without an exception.

    The commit runs inside `committing()`, which may defer interrupts.

    Locks the folder: raises FileError if another process updates it. If an earlier update was interrupted, restores the
    old files first and calls `recovered` with a message. Raises FileError.
    """
    with locked(folder, lambda error: file_error(error, folder, "write to the folder")):
        for leftover in sorted(folder.glob(f"{STAGING}*.tmp")):
            if (leftover / JOURNAL).exists():
                _rollback(leftover)
                if recovered is not None:
                    recovered(f"{folder}: restored the files of an interrupted update")
            shutil.rmtree(leftover, ignore_errors=True)
        with convert_os_errors(folder, "write to the folder"):
            staging = _create_staging_folder(folder)
        transaction = Transaction(staging)
        try:
            yield transaction
            with committing():
                transaction.commit()
        finally:
            if not (staging / JOURNAL).exists():
                shutil.rmtree(staging, ignore_errors=True)


def _create_staging_folder(folder: Path) -> Path:
    """Create the folder for staged files.

    On Windows, Python turns 0o700 into an access control list that moved files would keep.
    """
    path = folder / f"{STAGING}{secrets.token_hex(8)}.tmp"
    path.mkdir(0o777 if sys.platform == "win32" else 0o700)
    return path


def _rollback(staging: Path) -> None:
    """Restore the old files and delete the new ones, as the journal records. Can be repeated safely.

    Raises FileError, also for a journal that names a path outside of the folder.
    """
    journal, folder = staging / JOURNAL, staging.parent
    home = folder.resolve()
    for name, old in entries_of(journal):
        target = folder / name
        if not (target.parent.resolve() / target.name).is_relative_to(home):
            raise FileError(
                "the journal of an interrupted update names a file outside of the folder",
                path=journal,
                hint=f"Delete the folder {shell_quote(staging)} and build the package again.",
            )
        with convert_os_errors(target):
            if old is None:
                target.unlink(missing_ok=True)
            elif (staging / Path(old).name).exists():
                (staging / Path(old).name).replace(target)
    journal.unlink(missing_ok=True)


def _keep(target: Path, backup: Path) -> Path:
    """Keep the old file of `target` as a hard link, or as a copy where hard links are not supported."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    require_data(target)
    try:
        backup.hardlink_to(target)
    except OSError:
        shutil.copy2(target, backup)
        flush(backup)
    return backup

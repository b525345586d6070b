"""Temporary files and folders beside what they become, and the removal of those that a killed process left.

A process locks each of its temporary files until the file has its name: one that nobody locks is a leftover. Windows
does not delete files that are open; there, leftover folders stay.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from signer.storage.lock import lock_descriptor

PREFIX, SUFFIX = ".drvsign-new.", ".tmp"
MAX_NAME_PART = 48
"""Characters of a file's name that go into the name of a temporary file, so that it stays below the system's limit."""

_swept: set[Path] = set()
"""Folders whose leftovers this process has deleted."""


def create(target: Path, *, is_folder: bool = False) -> tuple[Path, int | None]:
    """Create a temporary file or folder beside `target`; delete leftovers there, once for each folder.

    Returns its path and the descriptor that holds its lock, None on Windows, where an open file can't be moved. Close
    the descriptor with `release` when the file has its name. Raises OSError.
    """
    sweep(target.parent)
    start = f"{PREFIX}{target.name[:MAX_NAME_PART]}."
    while True:
        if is_folder:
            path = Path(tempfile.mkdtemp(prefix=start, suffix=SUFFIX, dir=target.parent))
            try:
                lock = os.open(path, os.O_RDONLY) if sys.platform != "win32" else None
            except FileNotFoundError:  # another process took it for a leftover and deleted it
                continue
        else:
            lock, name = tempfile.mkstemp(prefix=start, suffix=SUFFIX, dir=target.parent)
            path = Path(name)
        if sys.platform == "win32":
            release(lock)
            return path, None
        if lock is not None and _hold(lock) and path.exists():
            return path, lock
        release(lock)  # another process did so just now


def release(lock: int | None) -> None:
    """Close the descriptor that `create` returned."""
    if lock is not None:
        os.close(lock)


def sweep(folder: Path) -> None:
    """Delete the leftovers in a folder, unless this process has done so. Errors are left to the work that follows."""
    if folder in _swept:
        return
    _swept.add(folder)
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for path in [Path(one.path) for one in entries if one.name.startswith(PREFIX) and one.name.endswith(SUFFIX)]:
            with contextlib.suppress(OSError):
                _delete_unless_locked(path)


def _delete_unless_locked(path: Path) -> None:
    """Delete a temporary file or folder unless a process holds its lock. Raises OSError."""
    if sys.platform == "win32":
        path.unlink()
        return
    lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        lock_descriptor(lock)
        if stat.S_ISDIR(os.fstat(lock).st_mode):
            shutil.rmtree(path)
        else:
            path.unlink()
    finally:
        os.close(lock)


def _hold(lock: int) -> bool:
    """Lock a new file; True on file systems without locks, where no leftover is recognised."""
    try:
        lock_descriptor(lock)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True

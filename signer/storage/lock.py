"""Lock a folder so that one process at a time changes it. The system releases the lock when the process ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from signer.errors import FileError, FolderInUse

NAME = ".drvsign.lock"

_LOCKS_UNSUPPORTED = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


@contextlib.contextmanager
def locked(folder: Path, to_error: Callable[[OSError], FileError]) -> Iterator[None]:
    """Hold the lock of a folder during the block. On file systems without locks, nothing is locked.

    Raises FolderInUse if another process holds the lock, or asks at this moment whether one does (`is_held`).
    `to_error` converts any other OSError to the FileError to raise.
    """
    path = folder / NAME
    try:
        lock = _lock(path)
    except BlockingIOError as error:
        raise FolderInUse(
            "another drvsign process is writing to this folder",
            path=folder,
            hint="Run the command again when that process has finished.",
        ) from error
    except OSError as error:
        raise to_error(error) from error
    try:
        yield
    finally:
        if sys.platform == "win32":  # Windows does not delete an open file
            os.close(lock)
        with contextlib.suppress(OSError):
            path.unlink()
        if sys.platform != "win32":
            os.close(lock)


def is_held(folder: Path) -> bool:
    """Return whether another process holds the lock of a folder; False if that can't be determined.

    Holds the lock for a moment, in which others can't take it.
    """
    try:
        lock = os.open(folder / NAME, os.O_RDWR)
    except OSError:
        return False
    try:
        lock_descriptor(lock)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(lock)
    return False


def _lock(path: Path) -> int:
    """Open and lock the lock file and return its descriptor. Retries if another process deleted the file meanwhile."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            lock_descriptor(lock)
            if path.exists() and os.fstat(lock).st_ino == path.stat().st_ino:
                return lock
        except OSError as error:
            if error.errno in _LOCKS_UNSUPPORTED:
                return lock
            os.close(lock)
            raise
        os.close(lock)


def lock_descriptor(lock: int) -> None:
    """Lock a descriptor. Raises BlockingIOError if another process holds the lock."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from error
    else:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

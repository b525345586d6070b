"""Lock a folder so that one process at a time changes it. The system releases the lock when the process ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import sleep

from signer.errors import FileError, FolderInUse

NAME = ".drvsign.lock"

_TRIES, _PAUSE_SECONDS = 25, 0.01
"""A quarter of a second: as long as `is_held` and the workers of a process that was killed can hold the lock."""
_LOCKS_UNSUPPORTED = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


@contextlib.contextmanager
def locked(folder: Path, to_error: Callable[[OSError], FileError]) -> Iterator[None]:
    """Hold the lock of a folder during the block. On file systems without locks, nothing is locked.

    Tries again for a moment while another process holds the lock, and then raises FolderInUse. `to_error` converts any
    other OSError to the FileError to raise.
    """
    path = folder / NAME
    try:
        lock = _lock_patiently(path)
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
        try:
            with contextlib.suppress(OSError):
                path.unlink()
        finally:  # also after an interrupt: this process would keep the lock
            if sys.platform != "win32":
                os.close(lock)


def is_held(folder: Path) -> bool:
    """Return whether another process holds the lock of a folder; False if that can't be determined.

    Holds the lock for a moment, which `locked` waits for.
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


def _lock_patiently(path: Path) -> int:
    """Do as `_lock`, but try again for a moment before BlockingIOError is raised."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(BlockingIOError):
            return _lock(path)
        sleep(_PAUSE_SECONDS)
    return _lock(path)


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
        except BaseException:
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

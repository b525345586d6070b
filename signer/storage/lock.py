"""One process at a time in a folder. The lock ends with its process, however that ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from signer.errors import FileError

NAME = ".drvsign.lock"

_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


@contextlib.contextmanager
def locked(folder: Path, failed: Callable[[OSError], FileError]) -> Iterator[None]:
    """Hold the folder's lock for the length of the block.

    Raises FileError where another process holds it, and what `failed` makes of any other OSError. Where a file system
    has no locks, nothing is locked.
    """
    path = folder / NAME
    try:
        lock = _lock(path)
    except BlockingIOError as error:
        raise FileError(
            "another run is at work in this folder", path=folder, hint="Try again when it is done."
        ) from error
    except OSError as error:
        raise failed(error) from error
    try:
        yield
    finally:
        if sys.platform == "win32":  # a file that is open can't be deleted there
            os.close(lock)
        with contextlib.suppress(OSError):
            path.unlink()
        if sys.platform != "win32":
            os.close(lock)


def is_held(folder: Path) -> bool:
    """Whether another process holds the folder's lock; no where that can't be told."""
    try:
        lock = os.open(folder / NAME, os.O_RDWR)
    except OSError:
        return False
    try:
        _lock_descriptor(lock)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(lock)
    return False


def _lock(path: Path) -> int:
    """The descriptor of the lock file, locked. One that its last holder deleted meanwhile is made again."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock_descriptor(lock)
            if path.exists() and os.fstat(lock).st_ino == path.stat().st_ino:
                return lock
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return lock
            os.close(lock)
            raise
        os.close(lock)


def _lock_descriptor(lock: int) -> None:
    """Raises BlockingIOError where another process holds it."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from error
    else:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

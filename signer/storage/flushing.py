"""Sync files to the disk, so that a power failure does not lose them."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from io import FileIO
from pathlib import Path

TOGETHER = 32
"""Maximum number of files that are synced together. Each has two descriptors meanwhile, and a thread on a slow disk."""


def group_size() -> int:
    """Return how many files to sync together: fewer if the process may open few files, such as 256 on macOS.

    If as many threads as there are processors do so, they use up to half of the descriptors.
    """
    if sys.platform == "win32":
        return TOGETHER
    import resource

    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return TOGETHER
    return max(1, min(TOGETHER, limit // (4 * (os.cpu_count() or 1))))


class Flushes:
    """Open files that are synced to the disk together, when the first of them is waited for.

    A file system syncs many files in nearly the time of one: it writes its journal once, and the disk empties its cache
    once. So every file gets a thread if syncing takes long. If it takes less time than starting a thread, as in memory,
    the threads that began sync all files.
    """

    def __init__(self) -> None:
        self._left: deque[_Flush] = deque()

    def add(self, file: FileIO) -> Callable[[], None]:
        """Add a file to which nothing more is written; it stays open until all files have been synced.

        Returns the function that waits until its bytes are on the disk. That raises OSError.
        """
        one = _Flush(file.fileno())
        self._left.append(one)
        return partial(self._wait, one)

    def _wait(self, one: _Flush) -> None:
        self._sync()
        if one.error is not None:
            raise one.error

    def _sync(self) -> None:
        """Sync all files, in this thread and others, and wait for the others."""
        threads: list[threading.Thread] = []
        try:
            for _ in range(len(self._left) - 1):
                thread = threading.Thread(target=self._sync_left)
                if not self._left or not _is_started(thread):
                    break
                threads.append(thread)
            self._sync_left()
        finally:  # a thread syncs whichever file gets the number of a descriptor that was closed
            for thread in threads:
                thread.join()

    def _sync_left(self) -> None:
        """Sync one file after another, until none is left."""
        with contextlib.suppress(IndexError):
            while True:
                self._left.popleft().run()


class _Flush:
    """The sync of one file, and its error until it has succeeded."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.error: Exception | None = OSError(errno.EIO, "the file was not synced to the disk")
        """None when its bytes are on the disk."""

    def run(self) -> None:
        try:
            os.fsync(self._descriptor)
            self.error = None
        except (OSError, MemoryError) as error:
            self.error = error


def _is_started(thread: threading.Thread) -> bool:
    """Start a thread; return False if the system allows no more threads."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def flush(path: Path) -> None:
    """Sync a file to disk. Raises OSError."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Sync the directory entries of a folder to disk, where the system supports it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

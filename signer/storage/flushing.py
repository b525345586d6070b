"""Sync files to the disk, so that a power failure does not lose them."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from io import FileIO
from pathlib import Path

TOGETHER = 32
"""Maximum number of files that are synced together. Each has a thread and two descriptors meanwhile."""


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


class Flush:
    """The sync of an open file to the disk, in a thread of its own.

    A file system syncs many files in nearly the time of one: it writes its journal once, and the disk empties its cache
    once. Call `wait` or `finish` before the file is closed: afterwards its descriptor may be that of another file.
    """

    def __init__(self, file: FileIO) -> None:
        self._descriptor = file.fileno()
        self._error: OSError | None = None
        self._thread: threading.Thread | None = threading.Thread(target=self._run)
        try:
            self._thread.start()
        except RuntimeError:  # the system allows no more threads
            self._thread = None
            self._run()

    def _run(self) -> None:
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            self._error = error

    def finish(self) -> None:
        """Wait until the sync has ended, whether or not it succeeded."""
        if self._thread is not None:
            self._thread.join()

    def wait(self) -> None:
        """Wait until the bytes of the file are on the disk. Raises OSError."""
        self.finish()
        if self._error is not None:
            raise self._error


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

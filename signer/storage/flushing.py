"""Sync files to the disk, so that a power failure does not lose them."""

from __future__ import annotations

import contextlib
import os
import sys
from io import FileIO
from pathlib import Path

TOGETHER = 8
"""Number of files that are synced together. They are open at the same time; more take nearly as long each."""


def start_flush(file: FileIO) -> None:
    """Start writing the bytes of a file to the disk without waiting, on Linux.

    If several files are started before the first `os.fsync`, all of them take a fifth of the time, because the disk
    gets many files at once. Linux starts to write bytes that are said not to be needed in memory (`posix_fadvise`).
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


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

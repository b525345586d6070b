"""The permissions of files that replace others, and of new ones."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

_UMASK_LOCK = threading.Lock()


def mode_for(path: Path, new: int = 0o666) -> int:
    """Return the permissions of the file at `path`, or `new` less the umask if the file does not exist."""
    return mode_of(status(path), new)


def mode_of(existing: os.stat_result | None, new: int = 0o666) -> int:
    """Return the permissions of a file with this status, or `new` less the umask for None."""
    return existing.st_mode & 0o7777 if existing is not None else new & ~_umask()


def status(path: Path) -> os.stat_result | None:
    """Return the status of a file, or None if the file does not exist."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _umask() -> int:
    """Return the umask.

    Linux tells it (proc_pid_status(5)). Elsewhere it can be read only by changing it: a lock keeps other threads out,
    but an interrupt just then would leave it changed.
    """
    with contextlib.suppress(OSError, IndexError):
        return int(Path("/proc/self/status").read_bytes().partition(b"\nUmask:")[2].split()[0], 8)
    with _UMASK_LOCK:
        mask = os.umask(0o077)
        os.umask(mask)
    return mask

"""Write to paths that are no regular files: pipes, character devices and open descriptors. They are never replaced."""

from __future__ import annotations

import os
import re
import stat
from io import FileIO
from pathlib import Path

from signer.errors import FileError

_DESCRIPTOR = re.compile(r"/dev/fd/(\d+)|/proc/self/fd/(\d+)")
_NAMED_DESCRIPTORS = {"/dev/stdout": 1, "/dev/stderr": 2}
_CHUNK = 1 << 16


def is_special(path: Path) -> bool:
    """Return whether a path is a pipe, a socket or a device; False if its status can't be read."""
    mode = _mode(path)
    return mode is not None and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def is_stream(path: Path) -> bool:
    """Return whether output to a path is written to what it names, and replaces nothing.

    A descriptor is a stream even if it is open for a regular file: others write to it as well.
    """
    return is_special(path) or _descriptor(path) is not None


def require_writable(path: Path) -> None:
    """Raise FileError for a stream that output can't be written to: a block device or a socket."""
    mode = _mode(path)
    if mode is None or _descriptor(path) is not None:
        return
    what = "block device" if stat.S_ISBLK(mode) else "socket" if stat.S_ISSOCK(mode) else None
    if what is not None:
        raise FileError(f"the path is a {what}, and output is never written to one", path=path, hint="Name a file.")


def is_standard_output(path: Path) -> bool:
    """Return whether output to a path goes to the standard output of this process."""
    return _descriptor(path) == 1


def copy_to(path: Path, source: FileIO) -> None:
    """Write all bytes of an open file to a stream. Raises OSError."""
    descriptor = _descriptor(path)
    flags = os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
    target = os.dup(descriptor) if descriptor is not None else os.open(path, flags)
    with os.fdopen(target, "wb", buffering=0) as stream:
        source.seek(0)
        while piece := memoryview(source.read(_CHUNK)):
            while piece:
                piece = piece[stream.write(piece) :]


def _descriptor(path: Path) -> int | None:
    """Return the number of the open descriptor that a path names, or None."""
    name = path.as_posix()
    found = _DESCRIPTOR.fullmatch(name)
    return int(found[1] or found[2]) if found is not None else _NAMED_DESCRIPTORS.get(name)


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode
    except (OSError, ValueError):
        return None

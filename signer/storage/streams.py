"""Read and write what is not a regular file: the path `-`, pipes, character devices and open descriptors.

None of them is ever replaced by a file.
"""

from __future__ import annotations

import codecs
import errno
import os
import re
import stat
import sys
import time
from io import FileIO
from pathlib import Path

from signer.errors import FileError

_DESCRIPTOR = re.compile(r"/dev/fd/(\d+)|/proc/self/fd/(\d+)")
_NAMED_DESCRIPTORS = {"-": 1, "/dev/stdout": 1, "/dev/stderr": 2}
STANDARD = Path("-")
"""The standard input where a file is read, the standard output where one is written."""
_CHUNK = 1 << 16
READER_TIMEOUT = 10
"""Seconds that a program has to start reading a pipe that output goes to."""
_WAIT_STEP = 0.02
_TEXT_CONTROLS = b"\t\n\f\r"

_input: list[tuple[object, bytes]] = []
"""The standard stream that was read, and its bytes."""


def standard_input() -> bytes:
    """Return all bytes of the standard input, which is read once. Raises OSError."""
    if not _input or _input[0][0] is not sys.stdin:
        _input[:] = [(sys.stdin, sys.stdin.buffer.read())]
    return _input[0][1]


def is_special(path: Path) -> bool:
    """Return whether a path is a pipe, a socket or a device; False if its status can't be read, and for `STANDARD`."""
    mode = _mode(path)
    return mode is not None and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and path != STANDARD


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


def require_text_for_terminal(path: Path, source: FileIO) -> None:
    """Raise FileError if an open file with binary data would be written to a terminal. Raises OSError."""
    descriptor = _descriptor(path)
    if not (os.isatty(descriptor) if descriptor is not None else _is_terminal(path)):
        return
    source.seek(0)
    if _is_binary(source.read(_CHUNK)):
        raise FileError(
            "binary data is not written to a terminal",
            path=path,
            hint="Redirect the output to a file or a pipe, or name a file with --output.",
        )


def _is_terminal(path: Path) -> bool:
    """Tell whether a path names a terminal; opening anything else, such as a FIFO, could wait for a reader."""
    mode = _mode(path)
    if mode is None or not stat.S_ISCHR(mode):
        return False
    descriptor = os.open(path, os.O_WRONLY | getattr(os, "O_NOCTTY", 0))
    try:
        return os.isatty(descriptor)
    finally:
        os.close(descriptor)


def _is_binary(data: bytes) -> bool:
    """Tell whether data is not text in UTF-8; its last character may be incomplete."""
    if any(byte < 0x20 and byte not in _TEXT_CONTROLS for byte in data):
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(data)
    except UnicodeDecodeError:
        return True
    return False


def is_standard_output(path: Path) -> bool:
    """Return whether output to a path goes to the standard output of this process."""
    return _descriptor(path) == 1


def copy_to(path: Path, source: FileIO) -> None:
    """Write all bytes of an open file to a stream. Raises OSError, and FileError for a pipe that no program reads."""
    descriptor = _descriptor(path)
    target = os.dup(descriptor) if descriptor is not None else _opened(path)
    with os.fdopen(target, "wb", buffering=0) as stream:
        source.seek(0)
        while piece := memoryview(source.read(_CHUNK)):
            while piece:
                piece = piece[stream.write(piece) :]


def _opened(path: Path) -> int:
    """Open a pipe or a character device for writing. Raises OSError, FileError for a pipe without a reader.

    Opening a pipe waits for its reader, without end if there is none. So it is opened without waiting, again and again;
    writing to it then waits when it is full.
    """
    flags = os.O_WRONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
    mode = _mode(path)
    if sys.platform == "win32" or mode is None or not stat.S_ISFIFO(mode):
        return os.open(path, flags)
    end = time.monotonic() + READER_TIMEOUT
    while True:
        try:
            descriptor = os.open(path, flags | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
        else:
            os.set_blocking(descriptor, True)
            return descriptor
        if time.monotonic() > end:
            message = f"the path is a pipe, and no program read it within {READER_TIMEOUT} seconds"
            raise FileError(message, path=path, hint="Start the program that reads it first, or name a file.")
        time.sleep(_WAIT_STEP)


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

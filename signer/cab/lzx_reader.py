"""A program that decompresses a cabinet with libarchive. Only this module imports archi, a binding of it.

It runs as a separate process and imports no other module of drvsign. It reads a cabinet from its standard input and
writes the bytes of its files, one after the other, to its standard output. Exit code 1: the cabinet is damaged.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

_CHUNK = 1 << 20


class _File:
    """An open file as archi wants one. It keeps the bytes alive, because libarchive reads them later."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self) -> bytes:
        """Return all bytes."""
        return self._data


def pieces(cabinet: bytes) -> Iterator[bytes]:
    """Yield the bytes of the files of a cabinet, one after the other. Raises archi.Error."""
    import archi

    file = _File(cabinet)
    for entry in archi.Archive(file):
        left = entry.size
        while left > 0:
            piece = entry.read(min(left, _CHUNK))
            left -= len(piece) or left
            yield piece


def main() -> None:
    """Write the bytes of the files. Raises archi.Error, which ends the process with exit code 1."""
    # The parent process handles interrupts: here, one would make a cabinet look damaged.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for piece in pieces(sys.stdin.buffer.read()):
        sys.stdout.buffer.write(piece)


if __name__ == "__main__":
    main()

"""A process that decompresses cabinets with libarchive, many one after the other.

archi frees no archive: 280 KB a cabinet, which `signer.cab.lzx_reader` gives back by ending after each. This process
ends after `MAX_CABINETS`.

    python -m tests.fuzz.lzx_process
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

MAX_CABINETS = 500
ROOT = Path(__file__).resolve().parents[2]


class Decompressor:
    """Starts the process, and another one after `MAX_CABINETS`."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._count = 0

    def decompress(self, cabinet: bytes) -> bytes:
        """Return the bytes of all files, up to the first damage. Raises AssertionError if the decoder crashes."""
        if self._process is None or self._count == MAX_CABINETS:
            self.end()
            command = [sys.executable, "-m", "tests.fuzz.lzx_process"]
            self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._count += 1
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(len(cabinet).to_bytes(4, "big") + cabinet)
        self._process.stdin.flush()
        head = self._process.stdout.read(4)
        if len(head) < 4:
            self.end()
            raise AssertionError("libarchive crashed")
        return self._process.stdout.read(int.from_bytes(head, "big"))

    def end(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            with self._process as process, contextlib.suppress(OSError):
                assert process.stdin is not None
                process.stdin.close()
        self._process, self._count = None, 0


def main() -> None:
    """Answer each cabinet with the bytes of its files; both have their size in 4 bytes before them."""
    import archi

    from signer.cab.lzx_reader import pieces

    while head := sys.stdin.buffer.read(4):
        data = bytearray()
        with contextlib.suppress(archi.Error):
            for piece in pieces(sys.stdin.buffer.read(int.from_bytes(head, "big"))):
                data += piece
        sys.stdout.buffer.write(len(data).to_bytes(4, "big") + data)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

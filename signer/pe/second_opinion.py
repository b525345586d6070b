"""The second opinion on an image's layout: lief's, asked for in a process of its own.

lief takes longer to import than a driver takes to sign, so that it is imported while other work goes on, and once for a
whole batch. And what its parser makes of a hostile image can't end the process that signs.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

from signer.errors import ImageError
from signer.pe.image import Image

_PROGRAM = Path(__file__).with_name("lief_reader.py")


def prepare() -> None:
    """Have lief imported in the background, because an image is about to be signed."""
    _reader().start()


def require_agreement(image: Image) -> None:
    """Raise ImageError unless lief finds sections, checksum field and certificate table where pefile does."""
    other = _reader().layout(bytes(image.data[: image.headers_size]))
    if other is None:
        raise ImageError("lief can't read the image", hint="It is damaged, or no PE image.")
    offset, size = other["table"]
    ours = {
        "sections": [[section.offset, section.size] for section in image.sections],
        "checksum": int.from_bytes(image.data[image.checksum_offset : image.checksum_offset + 4], "little"),
        "certificate table": [image.table_offset, image.table_size],
    }
    theirs = {
        "sections": other["sections"],
        "checksum": other["checksum"],
        # An entry of which one half is zero, as some tools that take signatures off leave it, names no table.
        "certificate table": [offset, size] if offset and size else [0, 0],
    }
    for what, mine in ours.items():
        if mine != theirs[what]:
            raise ImageError(
                f"two parsers disagree about the image's {what}: pefile reads {mine}, lief {theirs[what]}",
                hint="The image is ambiguous, and Windows might hash other bytes than were signed: link it again.",
            )


class _Reader:
    """The process that lief runs in, started when it is first needed, and again if it ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process unless it runs. Where that fails, asking will say so."""
        with self._lock, contextlib.suppress(OSError):
            self._running()

    def layout(self, headers: bytes) -> dict[str, Any] | None:
        """What lief finds in the headers of an image; None where it can't read them. Raises ImageError."""
        with self._lock:
            try:
                return _ask(self._running(), headers)
            except (OSError, ValueError) as error:
                self._end()
                raise ImageError(
                    "lief did not answer, so that there is no second opinion on the image's layout",
                    hint="The image is damaged; or lief does not start: python3 -c 'import lief' says why.",
                ) from error

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # -P: what lies beside the program must not be taken for modules of lief's.
            command = [sys.executable, "-P", str(_PROGRAM)]
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            atexit.register(self._end)
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            atexit.unregister(self._end)
            process.kill()
            with contextlib.suppress(OSError):
                process.communicate()


@cache
def _reader() -> _Reader:
    return _Reader()


def _ask(process: subprocess.Popen[bytes], headers: bytes) -> dict[str, Any] | None:
    """Raises OSError and ValueError where no answer comes."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(len(headers).to_bytes(4, "little") + headers)
    process.stdin.flush()
    size = int.from_bytes(process.stdout.read(4), "little")
    answer: dict[str, Any] | None = json.loads(process.stdout.read(size))
    return answer

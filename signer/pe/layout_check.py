"""The second opinion on an image's layout: lief's, asked for in a process of its own.

lief takes longer to import than a driver takes to sign, so that it is imported while other work goes on, and once for a
whole batch. And what its parser makes of a hostile image can't end the process that signs.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

from signer.errors import ImageError
from signer.pe.image import Image

_PROGRAM = Path(__file__).with_name("lief_reader.py")
_SENT_AT_ONCE = 32 << 10
"""Bytes of questions that are sent before answers are read: pipes hold twice as much, so that nobody waits for both."""


def prepare() -> None:
    """Have lief imported in the background, because an image is about to be signed."""
    _reader().start()


def share() -> None:
    """Let processes that will be forked ask the same lief, one at a time."""
    _reader().share()


def require_agreement(image: Image) -> None:
    """Raise ImageError unless lief finds sections, checksum field and certificate table where pefile does."""
    ask(image).require()


def ask(image: Image) -> LayoutCheck:
    """Ask for lief's opinion on an image, without waiting for it: several questions travel together."""
    opinion = LayoutCheck(image)
    _reader().add(opinion)
    return opinion


class LayoutCheck:
    """What lief finds in the headers of an image, beside what pefile found. The image itself is let go of."""

    def __init__(self, image: Image) -> None:
        self.headers = bytes(image.data[: image.headers_size])
        self.answer: dict[str, Any] | None = None
        """What lief finds; None where it can't read them."""
        self.state: Literal["asked", "answered", "lost"] = "asked"
        self._ours = {
            "sections": [[section.offset, section.size] for section in image.sections],
            "checksum": int.from_bytes(image.data[image.checksum_offset : image.checksum_offset + 4], "little"),
            "certificate table": [image.table_offset, image.table_size],
        }

    def require(self) -> None:
        """Wait for lief. Raises ImageError unless it agrees with pefile."""
        _reader().wait_for(self)
        if self.state == "lost":
            raise ImageError(
                "lief did not answer, so that there is no second opinion on the image's layout",
                hint="The image is damaged; or lief does not start: python3 -c 'import lief' says why.",
            )
        if self.answer is None:
            raise ImageError("lief can't read the image", hint="It is damaged, or no PE image.")
        theirs = _as_ours(self.answer)
        for what, mine in self._ours.items():
            if mine != theirs[what]:
                raise ImageError(
                    f"two parsers disagree about the image's {what}: pefile reads {mine}, lief {theirs[what]}",
                    hint="The image is ambiguous, and Windows might hash other bytes than were signed: link it again.",
                )


def _as_ours(answer: dict[str, Any]) -> dict[str, Any]:
    offset, size = answer["table"]
    return {
        "sections": answer["sections"],
        "checksum": answer["checksum"],
        # An entry of which one half is zero, as some tools that take signatures off leave it, names no table.
        "certificate table": [offset, size] if offset and size else [0, 0],
    }


class _Reader:
    """The process that lief runs in, started when it is first needed, and again if it ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: deque[LayoutCheck] = deque()
        self._process: subprocess.Popen[bytes] | None = None
        self._starter = 0
        self._turn: tuple[int, int] | None = None
        """A pipe with one byte in it, where other processes ask as well: whose turn it is has taken the byte out."""

    def share(self) -> None:
        """Make turns, for processes that will be forked."""
        with self._lock:
            if self._turn is None:
                self._turn = os.pipe()
                os.write(self._turn[1], b"1")

    def start(self) -> None:
        """Start the process unless it runs. Where that fails, asking will say so."""
        with self._lock, contextlib.suppress(OSError):
            self._running()

    def add(self, opinion: LayoutCheck) -> None:
        """Ask with the next questions that are sent."""
        self._asked.append(opinion)

    def wait_for(self, opinion: LayoutCheck) -> None:
        """Have lief asked until this opinion is there, or lost."""
        with self._lock, self._own_turn():
            while opinion.state == "asked":
                self._ask(self._next())

    @contextlib.contextmanager
    def _own_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        taken, given = self._turn
        os.read(taken, 1)
        try:
            yield
        finally:
            os.write(given, b"1")

    def _next(self) -> list[LayoutCheck]:
        """Questions that fit together into what the system holds for a process that does not read yet."""
        found = [self._asked.popleft()]
        room = _SENT_AT_ONCE - len(found[0].headers)
        while self._asked and (room := room - len(self._asked[0].headers)) >= 0:
            found.append(self._asked.popleft())
        return found

    def _ask(self, opinions: list[LayoutCheck]) -> None:
        """Have these answered. Where the process ends, it was by the first that has no answer; the others wait on.

        One that another process started may have ended by that one's questions: these are asked again, of a new one.
        """
        left = deque(opinions)
        try:
            for answer in _answers(self._running(), [opinion.headers for opinion in opinions]):
                opinion = left.popleft()
                opinion.answer, opinion.state = answer, "answered"
        except (OSError, ValueError):
            if self._process is not None and self._starter != os.getpid():
                self._let_go()
            else:
                self._end()
                left.popleft().state = "lost"
            self._asked.extendleft(reversed(left))

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # -P: what lies beside the program must not be taken for modules of lief's.
            command = [sys.executable, "-P", str(_PROGRAM)]
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            self._starter = os.getpid()
            atexit.register(self._end)
        return self._process

    def _let_go(self) -> None:
        """Forget the process that another one started, with what was to be sent to it."""
        process, self._process = self._process, None
        for stream in (process.stdin, process.stdout) if process is not None else ():
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

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


def _answers(process: subprocess.Popen[bytes], requests: list[bytes]) -> Iterator[dict[str, Any] | None]:
    """The answers to requests, in their order. Raises OSError and ValueError where none comes."""
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(b"".join(len(headers).to_bytes(4, "little") + headers for headers in requests))
    process.stdin.flush()
    for _ in requests:
        size = int.from_bytes(process.stdout.read(4), "little")
        yield json.loads(process.stdout.read(size))

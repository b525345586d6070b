"""Check images with lief, in a process of its own: the layout of one, and every result of a change to one.

lief takes longer to import than a driver takes to sign, so that it is imported while other work goes on, and once for a
whole batch. And what its parser makes of a hostile image can't end the process that signs.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import struct
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from signer.algorithms import DigestAlgorithm
from signer.errors import ImageError
from signer.pe.image import Image
from signer.pe.lief_reader import ALGORITHM_SIZE

_PROGRAM = Path(__file__).with_name("lief_reader.py")
_MAX_ANSWERS = 32 << 10
"""Bytes of answers to one batch of requests. The pipe holds twice as much, so that nobody waits for both ends."""
_MAX_BATCH = 1 << 20
"""Bytes of requests that are kept for one batch."""
MAX_READ_WHOLE = 1 << 18
"""Bytes of the largest result that lief reads as a whole. Of larger ones it reads headers and certificate table: its
digest takes five times as long as that of OpenSSL, and would be waited for."""


def prepare() -> None:
    """Have lief imported in the background, because an image is about to be signed."""
    _reader().start()


def share() -> None:
    """Let processes that will be forked ask the same lief, one at a time."""
    _reader().share()


def require_agreement(image: Image) -> None:
    """Raise ImageError unless lief finds sections, checksum field and certificate table where pefile does."""
    LayoutCheck(image).require()


@dataclass(frozen=True, slots=True)
class Expected:
    """What lief has to find in the result of a change."""

    checksum: int
    table: tuple[int, int]
    """Offset and size of the certificate table; zeros for none."""
    signatures: int
    """How many entries of the table are signatures."""
    digest: tuple[DigestAlgorithm, bytes] | None
    """The Authenticode digest; None where it is not compared."""


class LayoutCheck:
    """What lief has to find in an image, or in the result of a change to it: `signer.storage.patching.LayoutCheck`.

    The image itself is not kept.
    """

    def __init__(self, image: Image, expected: Expected | None = None) -> None:
        self._headers = bytes(image.data[: image.headers_size])
        self._directory_offset = image.directory_offset
        self._section_count = image.section_count
        self._expected = expected
        self._sections = [[section.offset, section.size] for section in image.sections]
        self._requests: list[tuple[Request, dict[str, Any]]] = []
        """Requests with what has to be in their answers."""
        self._source: dict[str, Any] = {
            "sections": self._sections,
            "checksum": int.from_bytes(image.data[image.checksum_offset : image.checksum_offset + 4], "little"),
            "certificate table": [image.table_offset, image.table_size],
        }

    def submit(self, result: bytes | memoryview) -> None:
        """Ask lief about the result, without waiting for it: several requests travel together."""
        if self._expected is None:
            self._ask(self._request(bytes(result[: len(self._headers)])), self._source)
            return
        expected = self._expected
        layout = {
            "sections": self._sections,
            "checksum": expected.checksum,
            "certificate table": [*expected.table],
        }
        signatures = {"number of signatures": expected.signatures}
        if len(result) <= MAX_READ_WHOLE:
            algorithm, digest = expected.digest or (None, b"")
            compared = {"digest": digest.hex()} if algorithm else {}
            self._ask(self._request(bytes(result), str(algorithm or "none")), layout | signatures | compared)
            return
        headers = bytes(result[: len(self._headers)])
        self._ask(self._request(headers), layout)
        self._ask(self._request(self._excerpt(headers, result), "none"), signatures)

    def require(self) -> None:
        """Wait for lief. Raises ImageError unless it agrees. Where nothing was submitted, it reads the image."""
        if not self._requests:
            self._ask(self._request(self._headers), self._source)
        for request, wanted in self._requests:
            _reader().wait_for(request)
            request.require(wanted)

    def _request(self, data: bytes, algorithm: str = "") -> Request:
        return Request(data, self._section_count, algorithm)

    def _ask(self, request: Request, wanted: dict[str, Any]) -> None:
        self._requests.append((request, wanted))
        _reader().add(request)

    def _excerpt(self, headers: bytes, result: bytes | memoryview) -> bytes:
        """Headers and certificate table of a large result, as an image in which the table follows the headers."""
        place = self._directory_offset
        offset, size = struct.unpack_from("<II", headers, place)
        start = -(-len(headers) // 8) * 8 if size else 0
        moved = headers[:place] + struct.pack("<II", start, size) + headers[place + 8 :]
        return moved.ljust(start, b"\0") + bytes(result[offset : offset + size]) if size else moved


class Request:
    """Bytes for lief to read: the headers of an image, or with an algorithm (or "none") signatures and digest too."""

    def __init__(self, data: bytes, section_count: int, algorithm: str = "") -> None:
        self.payload = algorithm.encode().ljust(ALGORITHM_SIZE) + data
        self.answer: dict[str, Any] | None = None
        """What lief finds; None where it can't read them."""
        self.state: Literal["asked", "answered", "lost"] = "asked"
        self.answer_size = 300 + 24 * section_count
        """The answer has at most so many bytes."""

    def require(self, wanted: dict[str, Any]) -> None:
        """Raise ImageError unless the answer has what is wanted."""
        if self.state == "lost":
            raise ImageError(
                "lief did not answer, so that there is no second opinion on the image's layout",
                hint="The image is damaged; or lief does not start: python3 -c 'import lief' says why.",
            )
        if self.answer is None:
            raise ImageError("lief can't read the image", hint="It is damaged, or no PE image.")
        found = _named(self.answer)
        for what, mine in wanted.items():
            if mine != found[what]:
                raise ImageError(
                    f"two parsers disagree about the image's {what}: {mine} is expected, lief reads {found[what]}",
                    hint="The image is ambiguous, and Windows might hash other bytes than were signed: link it again.",
                )


def _named(answer: dict[str, Any]) -> dict[str, Any]:
    offset, size = answer["table"]
    return {
        "sections": answer["sections"],
        "checksum": answer["checksum"],
        # An entry of which one half is zero, as some tools that take signatures off leave it, names no table.
        "certificate table": [offset, size] if offset and size else [0, 0],
        "number of signatures": answer.get("signatures"),
        "digest": answer.get("digest"),
    }


class _Reader:
    """The process that lief runs in, started when it is first needed, and again if it ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: deque[Request] = deque()
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

    def add(self, request: Request) -> None:
        """Ask with the next questions that are sent."""
        self._asked.append(request)

    def wait_for(self, request: Request) -> None:
        """Have lief asked until this request is answered, or lost."""
        with self._lock, self._own_turn():
            while request.state == "asked":
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

    def _next(self) -> list[Request]:
        """Return requests whose answers fit into what the system holds for a process that does not read yet."""
        found = [self._asked.popleft()]
        answers, size = _MAX_ANSWERS - found[0].answer_size, _MAX_BATCH - len(found[0].payload)
        while self._asked:
            answers, size = answers - self._asked[0].answer_size, size - len(self._asked[0].payload)
            if answers < 0 or size < 0:
                break
            found.append(self._asked.popleft())
        return found

    def _ask(self, requests: list[Request]) -> None:
        """Have these answered. Where the process ends, it was by the first that has no answer; the others wait on.

        One that another process started may have ended by that one's requests: these are asked again, of a new one.
        """
        left = deque(requests)
        try:
            for answer in _answers(self._running(), [request.payload for request in requests]):
                request = left.popleft()
                request.answer, request.state, request.payload = answer, "answered", b""
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
    process.stdin.write(b"".join(len(payload).to_bytes(4, "little") + payload for payload in requests))
    process.stdin.flush()
    for _ in requests:
        size = int.from_bytes(process.stdout.read(4), "little")
        yield json.loads(process.stdout.read(size))

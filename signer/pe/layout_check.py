"""Check images with lief in a separate process: the layout of an image, and every result of a change.

Importing lief takes longer than signing a driver, so the process imports it in parallel to other work, once for a whole
batch. A separate process also keeps a crash of lief's parser from ending the process that signs.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import struct
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

from signer.algorithms import DigestAlgorithm
from signer.errors import ImageError
from signer.helper_program import LIEF_READER, started
from signer.pe import turns
from signer.pe.image import Image
from signer.pe.lief_reader import ACTION_SIZE, ALGORITHM_SIZE, PLAIN
from signer.records import dataclass

_MAX_ANSWERS = 32 << 10
"""Maximum size in bytes of the answers to one batch. The pipe holds twice as much, which prevents a deadlock."""
_MAX_BATCH = 1 << 20
"""Maximum size in bytes of the requests of one batch."""
MAX_READ_WHOLE = 1 << 18
"""Size in bytes of the largest result that lief reads and hashes completely.

Of a larger result, lief reads headers and certificate table, and OpenSSL hashes the ranges that follow from lief's
layout, because lief's digest takes five times as long and copies the image.
"""
MAX_HASHED = 1 << 26
"""Size in bytes of the largest result that is hashed again.

Above it, the second pass takes a quarter of the time of signing. The patch set shows that the digest stays the same
(`signer.pe.embed.require_same_digest`).
"""

_SIGNATURES = "number of signatures"


def prepare() -> None:
    """Start importing lief in the background, before an image is signed."""
    _reader().start()


def require_agreement(image: Image) -> None:
    """Raise ImageError unless lief and pefile find the same sections, checksum field and certificate table."""
    LayoutCheck(image).require()


@dataclass(frozen=True, slots=True)
class Expected:
    """The values that lief must find in the result of a change."""

    checksum: int
    table: tuple[int, int]
    """Offset and size of the certificate table; zeros if there is none."""
    signatures: int
    """Number of entries of the table that are signatures."""
    certificates: bytes
    """The certificate table itself."""
    digest: tuple[DigestAlgorithm, bytes] | None
    """The Authenticode digest to compare, or None."""


class LayoutCheck:
    """Compares lief's reading of an image, or of the result of a change, with the expected values.

    Implements `signer.storage.patching.LayoutCheck`. Does not keep the image.
    """

    def __init__(self, image: Image, expected: Expected | None = None) -> None:
        self._headers = bytes(image.data[: image.headers_size])
        self._directory_offset = image.directory_offset
        self._section_count = image.section_count
        self._expected = expected
        self._sections = [[section.offset, section.size] for section in image.sections]
        self._requests: list[tuple[Request, dict[str, Any]]] = []
        """Requests, each with the values that its answer must have."""
        self._source: dict[str, Any] = {
            "sections": self._sections,
            "checksum": int.from_bytes(image.data[image.checksum_offset : image.checksum_offset + 4], "little"),
            "certificate table": [image.table_offset, image.table_size],
        }

    def submit(self, result: bytes | memoryview, path: Path | None = None) -> None:
        """Queue the result for lief without waiting; `path` is a file with its bytes. Batches are sent together."""
        if self._expected is None:
            self._enqueue(self._request("layout", bytes(result[: len(self._headers)])), self._source)
            return
        layout = {
            "sections": self._sections,
            "checksum": self._expected.checksum,
            "certificate table": [*self._expected.table],
        }
        signatures = {_SIGNATURES: self._expected.signatures}
        algorithm, digest = (len(result) <= MAX_HASHED and self._expected.digest) or (None, b"")
        compared = layout | ({"digest": digest.hex()} if algorithm else {})
        if len(result) <= MAX_READ_WHOLE:
            self._enqueue(self._request("whole", bytes(result), str(algorithm or "none")), compared | signatures)
            return
        headers = bytes(result[: len(self._headers)])
        if algorithm is None:
            self._enqueue(self._request("layout", headers), layout)
        else:
            size = len(headers).to_bytes(4, "little")
            action, data = ("file", os.fsencode(path)) if path is not None else ("bytes", bytes(result))
            self._enqueue(self._request(action, size + data, str(algorithm)), compared)
        offset, size_of_table = struct.unpack_from("<II", headers, self._directory_offset)
        excerpt = self._excerpt(headers, result[offset : offset + size_of_table])
        self._enqueue(self._request("whole", excerpt), signatures)

    def require(self) -> None:
        """Wait for lief. Raises ImageError unless it agrees. Without a submitted result, it reads the original."""
        if not self._requests:
            self._enqueue(self._request("layout", self._headers), self._source)
        for request, expected in tuple(self._requests):
            _reader().wait_for(request)
            if _SIGNATURES in expected and request.answer and request.answer["signatures"] != expected[_SIGNATURES]:
                expected = {**expected, _SIGNATURES: self._readable_signatures()}
            request.require(expected)

    def _readable_signatures(self) -> int | None:
        """Return how many signatures of the intended table lief can parse. It does not parse some that Windows accepts.

        An example are those of .NET's SignedCms, whose content is an OCTET STRING.
        """
        assert self._expected is not None
        request = self._request("whole", self._excerpt(self._headers, self._expected.certificates))
        _reader().add(request)
        _reader().wait_for(request)
        return request.answer["signatures"] if request.answer is not None else self._expected.signatures

    def _request(self, action: str, data: bytes, algorithm: str = "none") -> Request:
        return Request(action, data, self._section_count, algorithm)

    def _enqueue(self, request: Request, expected: dict[str, Any]) -> None:
        _reader().add(request)
        self._requests.append((request, expected))

    def _excerpt(self, headers: bytes, certificates: bytes | memoryview) -> bytes:
        """Return an image of only the headers and a certificate table, which follows them."""
        place = self._directory_offset
        start = -(-len(headers) // 8) * 8 if certificates else 0
        moved = headers[:place] + struct.pack("<II", start, len(certificates)) + headers[place + 8 :]
        return moved.ljust(start, b"\0") + bytes(certificates)


class Request:
    """A request to lief: an action of `lief_reader.main`, its data, and the algorithm of the digest or "none"."""

    def __init__(self, action: str, data: bytes, section_count: int, algorithm: str = "none") -> None:
        self.payload = action.encode().ljust(ACTION_SIZE) + algorithm.encode().ljust(ALGORITHM_SIZE) + data
        self.answer: dict[str, Any] | None = None
        """The values that lief found, or None if it can't parse the image."""
        self.state: Literal["pending", "answered", "lost"] = "pending"
        self.answer_size = 300 + 24 * section_count
        """Maximum size of the answer in bytes."""

    def require(self, expected: dict[str, Any]) -> None:
        """Raise ImageError unless the answer has the expected values."""
        if self.state == "lost":
            raise ImageError(
                "lief did not answer, so the layout of the image could not be checked",
                hint="Run: python3 -c 'import lief' (if that works, the image is damaged)",
            )
        if self.answer is None:
            raise ImageError(
                "lief can't parse the image", hint="The image is damaged or not a PE image: build it again."
            )
        found = _named(self.answer)
        for field, value in expected.items():
            if value != found[field]:
                raise ImageError(
                    f"two parsers disagree about the image's {field}: expected {value}, lief reads {found[field]}",
                    hint="Link the image again: its layout is ambiguous, and Windows could hash other bytes.",
                )


def _named(answer: dict[str, Any]) -> dict[str, Any]:
    offset, size = answer["table"]
    return {
        "sections": answer["sections"],
        "checksum": answer["checksum"],
        # Some tools that remove signatures leave an entry with offset or size zero: that means no table.
        "certificate table": [offset, size] if offset and size else [0, 0],
        _SIGNATURES: answer.get("signatures"),
        "digest": answer.get("digest"),
    }


class _Reader:
    """The lief process: started on first use, and again after it ended. Forked processes use it one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: deque[Request] = deque()
        self._process: subprocess.Popen[bytes] | None = None
        self._starter = 0
        self._import: Literal["quick", "proven", "plain"] = "quick"
        """How the process imports lief; "proven" after the quick import has led to an answer."""
        self._turns = turns.Turns()
        self._cut_short = 0
        """How many turns had been cut short when this process last had its turn."""

    def can_be_shared(self) -> bool:
        """Tell whether a process that was forked just now can use the same lief process."""
        return turns.ARE_SHARED and not self._lock.locked()

    def start(self) -> None:
        """Start the process unless it runs. Ignores errors; `wait_for` reports them."""
        with self._lock, contextlib.suppress(OSError):
            self._running()

    def add(self, request: Request) -> None:
        """Add a request to the next batch."""
        self._pending.append(request)

    def wait_for(self, request: Request) -> None:
        """Send batches until this request is answered or lost."""
        with self._lock:
            try:
                cut_short = self._turns.begin()
                if cut_short != self._cut_short:
                    self._cut_short = cut_short
                    self.forget()
                while request.state == "pending":
                    self._send(self._next_batch())
                self._turns.finish()
            finally:
                self._turns.release()

    def _next_batch(self) -> list[Request]:
        """Return the first pending requests, as many as have answers that fit in the buffer of the pipe."""
        found: list[Request] = []
        answers, size = _MAX_ANSWERS, _MAX_BATCH
        for request in self._pending.copy():
            answers, size = answers - request.answer_size, size - len(request.payload)
            if found and (answers < 0 or size < 0):
                break
            found.append(request)
        return found

    def _send(self, requests: list[Request]) -> None:
        """Send the first pending requests and store their answers. Each stays pending until it is answered or lost.

        If the lief process ends, the first request without an answer is lost and the others stay pending. No request
        is lost and all are sent again in two cases: if another process started the lief process, whose requests may
        have ended it, and if the quick import of lief has not led to an answer yet.
        """
        try:
            answers = _answers(self._running(), [request.payload for request in requests])
            for request, answer in zip(requests, answers, strict=False):
                request.answer, request.state = answer, "answered"
                self._pending.popleft()
                request.payload = b""
                self._import = "proven" if self._import == "quick" else self._import
        except (OSError, ValueError):
            own = self._process is None or self._starter == os.getpid()
            self.forget()
            if not own:
                self._cut_short = self._turns.cut_short()
            elif self._import == "quick":
                self._import = "plain"
            else:
                self._pending[0].state = "lost"
                self._pending.popleft()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._process = started(LIEF_READER, *([PLAIN] if self._import == "plain" else []))
            self._starter = os.getpid()
            atexit.register(self.forget)  # also in a forked process, which does not end the lief process
        return self._process

    def forget(self) -> None:
        """Let the next batch start a new lief process. Ends the present one if this process started it."""
        if self._starter == os.getpid():
            self._end()
        else:
            self._detach()

    def _detach(self) -> None:
        """Close the pipes to a lief process that another process started, and forget it."""
        process, self._process = self._process, None
        for stream in (process.stdin, process.stdout) if process is not None else ():
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            atexit.unregister(self.forget)
            process.kill()
            with contextlib.suppress(OSError):
                process.communicate()


@cache
def _reader() -> _Reader:
    return _Reader()


def _after_fork() -> None:
    """Let a forked process start another lief process if it can't take turns with those that use the present one.

    Nor can it use what another thread had in its hands: that thread does not exist here.
    """
    if _reader.cache_info().currsize and not _reader().can_be_shared():
        _reader().forget()
        _reader.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def _answers(process: subprocess.Popen[bytes], requests: list[bytes]) -> Iterator[dict[str, Any] | None]:
    """Send requests and yield their answers in order. Raises OSError or ValueError if an answer is missing.

    Nothing stays in a buffer of the streams, which a process that is forked meanwhile would write or read again.
    """
    assert process.stdin is not None and process.stdout is not None
    left = memoryview(b"".join(len(payload).to_bytes(4, "little") + payload for payload in requests))
    while left:
        left = left[os.write(process.stdin.fileno(), left) :]
    for _ in requests:
        size = int.from_bytes(_read(process.stdout.fileno(), 4), "little")
        yield json.loads(_read(process.stdout.fileno(), size))


def _read(descriptor: int, size: int) -> bytes:
    """Return this number of bytes, or fewer at the end of the pipe. Raises OSError."""
    found = b""
    while len(found) < size and (piece := os.read(descriptor, size - len(found))):
        found += piece
    return found

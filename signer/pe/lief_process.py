"""Ask lief in a process of its own, and share that process with forked processes.

Importing lief takes longer than signing a driver, so the process imports it in parallel to other work, once for a whole
batch. A separate process also keeps a crash of lief's parser from ending the process that signs.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import threading
from collections import deque
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

from signer.helper_program import LIEF_READER, started
from signer.pe import turns
from signer.pe.lief_reader import ACTION_SIZE, ALGORITHM_SIZE, PLAIN

_MAX_ANSWERS = 32 << 10
"""Maximum size in bytes of the answers to one batch. The pipe holds twice as much, which prevents a deadlock."""
_MAX_BATCH = 1 << 20
"""Maximum size in bytes of the requests of one batch."""


class Request:
    """A request to lief: an action of `lief_reader.main`, its data, and the algorithm of the digest or "none"."""

    def __init__(self, action: str, data: bytes, section_count: int, algorithm: str = "none") -> None:
        self.payload = action.encode().ljust(ACTION_SIZE) + algorithm.encode().ljust(ALGORITHM_SIZE) + data
        self.answer: dict[str, Any] | None = None
        """The values that lief found, or None if it can't parse the image."""
        self.state: Literal["pending", "answered", "lost"] = "pending"
        self.answer_size = 300 + 24 * section_count
        """Maximum size of the answer in bytes."""


class Reader:
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
def reader() -> Reader:
    """Return the reader of this process and of those that are forked from it."""
    return Reader()


def _after_fork() -> None:
    """Let a forked process start another lief process if it can't take turns with those that use the present one.

    Nor can it use what another thread had in its hands: that thread does not exist here.
    """
    if reader.cache_info().currsize and not reader().can_be_shared():
        reader().forget()
        reader.cache_clear()


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

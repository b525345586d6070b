"""Process items in threads with work that waits for servers, which an interrupt abandons before they change a file."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

from signer.cli.interrupts import Abandoned, answered_at_once, postponed, requested
from signer.cli.threads import submitted
from signer.records import dataclass

if TYPE_CHECKING:
    from concurrent.futures import Future

    from signer.algorithms import DigestAlgorithm
    from signer.keys.identity import PublicKey, SigningKey

Item = TypeVar("Item")
Result = TypeVar("Result")

_POLL_SECONDS = 0.02


class _Batch:
    """The threads of one batch that wait for a server."""

    def __init__(self) -> None:
        self.waiting = 0
        self.abandoned = False
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def wait(self) -> Iterator[None]:
        """Count the thread as waiting. Raises KeyboardInterrupt before and after the block once it is abandoned."""
        self._change(1)
        try:
            yield
        finally:
            self._change(-1)

    def _change(self, number: int) -> None:
        with self._lock:
            if self.abandoned and number > 0:
                raise KeyboardInterrupt
            self.waiting += number
            if self.abandoned:
                raise KeyboardInterrupt

    def abandon(self) -> None:
        """End the work of every thread that waits or begins to wait."""
        with self._lock:
            self.abandoned = True


_batch: ContextVar[_Batch | None] = ContextVar("batch", default=None)


@contextlib.contextmanager
def waiting() -> Iterator[None]:
    """Mark a call to a server, before which the work changes no file. After an interrupt, Abandoned ends the work."""
    batch = _batch.get()
    try:
        with answered_at_once(), contextlib.nullcontext() if batch is None else batch.wait():
            yield
    except KeyboardInterrupt as error:
        raise Abandoned from error


@dataclass(frozen=True, slots=True)
class WaitingKey:
    """A key in a service or a token: each signature waits for it."""

    key: SigningKey

    @property
    def public_key(self) -> PublicKey:
        """The public key."""
        return self.key.public_key

    def sign(self, digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        """Sign a digest as the key does."""
        with waiting():
            return self.key.sign(digest, algorithm)


def in_threads_waiting(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int, left: Callable[[Item], Result]
) -> Iterator[Result]:
    """Yield the result of each item in order. After an interrupt, items that were begun finish unless they wait.

    `left` makes the results of items that were not begun or still wait for a server: their work has changed nothing,
    and never will. `work` must call servers inside `waiting`, and change nothing before.
    """
    if jobs < 2 or len(items) < 2:
        for item in items:
            yield left(item) if requested() else work(item)
        return
    from concurrent.futures import ThreadPoolExecutor

    batch = _Batch()
    pool = ThreadPoolExecutor(jobs)  # not in a with statement, which would wait for servers
    futures: list[Future[Result]] = []
    try:
        futures.extend(submitted(pool, lambda item: _run(batch, work, item, left), items))
        for item, future in zip(items, futures, strict=True):
            if _is_finished(future, futures, batch):
                with postponed():
                    result = future.result()
                yield result
            else:
                yield left(item)
    except BaseException:
        _settle(futures, batch)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _run(batch: _Batch, work: Callable[[Item], Result], item: Item, left: Callable[[Item], Result]) -> Result:
    _batch.set(batch)
    try:
        return work(item)
    except KeyboardInterrupt:  # the batch was abandoned
        return left(item)


def _is_finished(future: Future[Result], futures: Sequence[Future[Result]], batch: _Batch) -> bool:
    """Wait for a future or an interrupt; tell whether there is a result."""
    from concurrent.futures import wait

    while True:
        with postponed():
            wait([future], timeout=0 if requested() else _POLL_SECONDS)
            if future.done():
                return not future.cancelled()
        if requested():
            _settle(futures, batch)
            with postponed():
                return future.done() and not future.cancelled()


def _settle(futures: Sequence[Future[Result]], batch: _Batch) -> None:
    """Cancel futures that were not begun, and wait until the others are done or wait for a server."""
    with postponed():
        batch.abandon()
        for future in reversed(futures):  # threads begin them in their order
            future.cancel()
    while _working(futures) > batch.waiting:
        time.sleep(_POLL_SECONDS)


def _working(futures: Sequence[Future[Result]]) -> int:
    with postponed():
        return sum(not future.done() for future in futures)

"""Process many items in several threads: hashing and RSA release the interpreter lock."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, takewhile
from typing import TYPE_CHECKING, TypeVar

from signer.cli.interrupts import postponed, requested

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future

Item = TypeVar("Item")
Result = TypeVar("Result")

_MAX_BATCH = 16
_BATCHES_A_THREAD = 8
_POLL_SECONDS = 0.05
_FIRST_PORTION, _PORTION = 8, 32
"""Maximum number of items that are worked on together: few at first, so that the first results appear early."""
_PORTION_BYTES = 64 << 20
"""Size of the items from which a portion is complete, so that an interrupt is answered soon with large files too."""


def in_threads_together(
    work: Callable[[Sequence[Item]], list[Result]],
    items: Sequence[Item],
    jobs: int,
    size: Callable[[Item], int] = lambda _: 0,
) -> Iterator[Result]:
    """Yield the results of work that takes many items at once, in the order of the items; else as `in_threads`.

    `size` returns the size of an item in bytes: of large items fewer are worked on together.
    """
    yield from chain.from_iterable(_mapped(work, portions(items, jobs, size), jobs))


def portions(items: Sequence[Item], jobs: int, size: Callable[[Item], int] = lambda _: 0) -> list[Sequence[Item]]:
    """Split items into portions: results appear early, and an interrupt is answered soon."""
    found: list[Sequence[Item]] = []
    start, total, share = 0, 0, max(1, -(-len(items) // jobs))
    for end, item in enumerate(items, 1):
        total += size(item)
        limit = min(_FIRST_PORTION if len(found) < jobs else _PORTION, share)
        if end - start >= limit or total >= _PORTION_BYTES or end == len(items):
            found.append(items[start:end])
            start, total = end, 0
    return found


def _mapped(work: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> Iterator[Result]:
    """Yield the results in order, from this thread alone for one job; after an interrupt, only those begun."""
    if jobs < 2 or len(items) < 2:
        yield from (work(item) for item in takewhile(lambda _: not requested(), items))
        return
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(jobs)  # not in a with statement, which would wait after an interrupt that is not deferred
    try:
        yield from in_order(deque(submitted(pool, work, items)))
    except BaseException as error:
        pool.shutdown(wait=isinstance(error, Exception), cancel_futures=True)
        raise
    pool.shutdown()


def submitted(pool: Executor, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Future[Result]]:
    """Submit work for each item. What a broken pool refuses has failed, so that the results before it are not lost."""
    from concurrent.futures import BrokenExecutor, Future

    for item in items:
        with postponed():
            try:
                future = pool.submit(work, item)
            except BrokenExecutor as error:
                future = Future()
                future.set_exception(error)
        yield future


def in_order(futures: deque[Future[Result]], interrupt: Callable[[], None] = lambda: None) -> Iterator[Result]:
    """Yield the results of futures in order; after an interrupt, call `interrupt` and cancel those not begun.

    Takes each future from the queue with its result, so that results do not accumulate. Others can be added meanwhile.
    """
    while futures:
        future = futures[0]
        if not _is_cancelled(future, futures, interrupt):
            with postponed():
                result = future.result()
            yield result
        futures.popleft()


def _is_cancelled(future: Future[Result], futures: deque[Future[Result]], interrupt: Callable[[], None]) -> bool:
    """Wait for a future, and cancel those not begun after an interrupt; tell whether this one was cancelled.

    Waits in steps: Python runs the handler of a signal that comes just before a wait only when the wait ends.
    """
    from concurrent.futures import CancelledError

    answered = False
    while True:
        with postponed():
            if requested() and not answered and not future.done():
                answered = True
                interrupt()
                for one in reversed(futures):  # workers begin them in their order
                    one.cancel()
            with contextlib.suppress(TimeoutError, CancelledError):
                future.exception(timeout=_POLL_SECONDS)
            if future.done():
                return future.cancelled()


def in_threads(work: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> Iterator[Result]:
    """Yield the results of `work` for all items in order, `jobs` at a time. An error is raised in place of its result.

    Threads get batches, because dispatching a small file takes as long as reading it. With few items a batch is one
    item, so that one thread does not get several large files.
    """
    if jobs < 2:
        yield from _mapped(work, items, jobs)
        return
    size = max(1, min(_MAX_BATCH, len(items) // (jobs * _BATCHES_A_THREAD)))
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    yield from chain.from_iterable(_mapped(lambda batch: [work(item) for item in batch], batches, jobs))

"""Work on many items in several processes where the system can fork: Python then runs on all processors.

The work and the items are what a forked process finds in its memory, so that only results are handed over.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise
from typing import Any, TypeVar

from signer.cli.threads import MAX_PENDING, in_threads, in_two_steps
from signer.errors import SignerError

Item = TypeVar("Item")
Result = TypeVar("Result")

MIN_BATCHES = 16
"""From so many batches on. For fewer, starting processes and handing over results takes longer than it saves."""
SMALL_ITEMS = 64
"""A batch of items that take microseconds, as hashing a small file does."""
_MIN_ITEMS = 128
_PORTION = 16

_shared: tuple[Callable[[Any], Any], Sequence[Any]] | None = None
"""In a forked process: its work, and all items."""


def in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int, batch: int = SMALL_ITEMS
) -> Iterator[Result]:
    """The results of `work` for all items in their order, `jobs` at a time. An error comes where its result would.

    Results and errors must be picklable, and what `work` changes is lost. With few items, or where the system can't
    fork safely (no other thread may run), threads do the work. Raises SignerError where a process was ended.
    """
    if jobs < 2 or len(items) < MIN_BATCHES * batch or not can_fork():
        yield from in_threads(work, items, jobs)
    else:
        yield from _forked(work, items, jobs, batch)


def in_two_steps_and_processes(
    begin: Callable[[Item], Callable[[], Result]], items: Sequence[Item], jobs: int
) -> Iterator[Result]:
    """The same for work whose second step is what the first returns: the first is taken with many items at a time."""
    if jobs < 2 or len(items) < _MIN_ITEMS or not can_fork():
        yield from in_two_steps(begin, items, jobs)
        return

    def both(some: Sequence[Item]) -> list[Result]:
        return [finish() for finish in [begin(item) for item in some]]

    yield from chain.from_iterable(_forked(both, _portions(items, jobs), jobs, 1))


def _portions(items: Sequence[Item], jobs: int) -> list[Sequence[Item]]:
    """Most items in one portion a process, as what is waited for at first takes longest; the rest in small ones.

    With these the processes end together.
    """
    large = max(_PORTION, min(MAX_PENDING, 3 * len(items) // (4 * jobs)))
    split = min(large * jobs, len(items))
    starts = [*range(0, split, large), *range(split, len(items), _PORTION)]
    return [items[start:end] for start, end in pairwise([*starts, len(items)])]


def _forked(work: Callable[[Item], Result], items: Sequence[Item], jobs: int, batch: int) -> Iterator[Result]:
    import multiprocessing
    from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor

    gc.freeze()  # so that a forked process looks through, and thereby copies, none of what it shares with this one
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(jobs, context, _prepare, (work, items)) as pool:
        try:
            batches = (range(start, min(start + batch, len(items))) for start in range(0, len(items), batch))
            with _uninterrupted():
                answers = pool.map(_run, batches)
            for results in answers:
                yield from results
        except BrokenProcessPool as error:
            raise SignerError("a worker process was killed", hint="Free some memory, or use --jobs 1.") from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """An interrupt comes when the block ends: of a pool that is half started, nobody ends the processes."""
    if sys.platform == "win32":  # where nothing forks
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def can_fork() -> bool:
    """Whether this process may be forked: on Linux, while it has one thread."""
    return sys.platform == "linux" and threading.active_count() == 1


def _prepare(work: Callable[[Any], Any], items: Sequence[Any]) -> None:
    global _shared
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the process that waits, and ends the others
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by which that one ends them
    _shared = (work, items)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Nobody else ends this process where the one that waits for it is killed."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(batch: range) -> list[Any]:
    """The results of one batch."""
    assert _shared is not None
    work, items = _shared
    return [work(items[index]) for index in batch]

"""Process many items in forked processes, to use all processors.

A forked process inherits the work and the items in its memory: only results are transferred.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, TypeVar

from signer.cli.interrupts import requested
from signer.cli.threads import in_order, in_threads, in_threads_together, portions, submitted
from signer.errors import SignerError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

Item = TypeVar("Item")
Result = TypeVar("Result")

MIN_BATCHES = 16
"""Minimum number of batches: with fewer, starting processes and transferring results takes longer than it saves."""
SMALL_ITEMS = 64
"""Batch size for items that take microseconds, such as hashing a small file."""
_MIN_ITEMS = 128
_PROCESSES_A_JOB = 2
"""Processes for each processor, for work that is done together: it waits for lief's import and for the disk."""
_AHEAD = 8
"""Batches for each process that wait or have results that were not taken: more would only take memory."""

_NUMBER_SIZE = 8
"""Bytes of a number in shared memory."""

_END_SECONDS = 1.0
"""Time that forked processes have to remove their temporary files after a second interrupt."""

_shared: tuple[Callable[[Any], Any], Sequence[Any], _Progress] | None = None
"""In a forked process: the work, all items, and the progress."""


KILLED_HINT = "Free some memory, or use --jobs 1, and run the command again."


class ProcessKilled(SignerError):
    """A worker process ended before its work was done."""

    default_hint = KILLED_HINT

    @classmethod
    def before(cls, path: Path, hint: str = KILLED_HINT) -> ProcessKilled:
        """Return the error of a path whose result was lost with the process."""
        return cls("a worker process was killed before the result was known", path=path, hint=hint)


def in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], jobs: int, batch: int = SMALL_ITEMS
) -> Iterator[Result]:
    """Yield the results of `work` for all items in order, `jobs` at a time. An error is raised in place of its result.

    Results and errors must be picklable, and side effects of `work` in memory are lost. Uses threads for few items, or
    if forking is not safe (another thread runs). Raises SignerError if a process was killed.
    """
    if not is_worth_forking(len(items), jobs, batch):
        yield from in_threads(work, items, jobs)
    else:
        yield from _forked(work, items, jobs, batch)


def is_worth_forking(count: int, jobs: int, batch: int) -> bool:
    """Tell whether `in_processes` would use processes for this number of items."""
    return jobs > 1 and count >= MIN_BATCHES * batch and can_fork()


def in_processes_together(
    work: Callable[[Sequence[Item]], list[Result]],
    items: Sequence[Item],
    jobs: int,
    size: Callable[[Item], int] = lambda _: 0,
) -> Iterator[Result]:
    """Yield the results of work that takes many items at once, as `in_threads_together`; else as `in_processes`."""
    if jobs < 2 or len(items) < _MIN_ITEMS or not can_fork():
        yield from in_threads_together(work, items, jobs, size)
    else:
        found = portions(items, jobs, size)
        yield from chain.from_iterable(_forked(work, found, jobs * _PROCESSES_A_JOB, 1))


def _forked(work: Callable[[Item], Result], items: Sequence[Item], jobs: int, batch: int) -> Iterator[Result]:
    import multiprocessing

    batches = (range(start, min(start + batch, len(items))) for start in range(0, len(items), batch))
    context = multiprocessing.get_context("fork")
    progress = _Progress(context.Lock())
    yield from pooled(_run, batches, jobs, context, _prepare, (work, items, progress), interrupt=progress.stop)


def pooled(
    work: Callable[[Any], list[Result]],
    batches: Iterable[Any],
    jobs: int,
    context: Any,
    prepare: Callable[..., None],
    arguments: tuple[Any, ...],
    *,
    interrupt: Callable[[], None] = lambda: None,
) -> Iterator[Result]:
    """Yield the results of the batches in order from processes. Each process calls `prepare` first.

    Batches are taken as they are needed. `interrupt` is called when the work is to end. Raises ProcessKilled, after the
    results of the batches before the first that is not done.
    """
    from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor

    with ProcessPoolExecutor(jobs, context, prepare, arguments) as pool:
        try:
            futures_of_all = submitted(pool, work, batches)
            with uninterrupted(signal.SIGTERM):
                futures = deque(islice(futures_of_all, jobs * _AHEAD))
            for results in in_order(futures, interrupt):
                yield from results
                futures.extend(() if requested() else islice(futures_of_all, 1))
        except BrokenProcessPool as error:
            raise ProcessKilled("a worker process was killed") from error
        except BaseException as error:
            interrupt()
            with _silent_threads():
                if isinstance(error, KeyboardInterrupt):  # one that is not deferred, or the second
                    _end_at_once()
                pool.shutdown(cancel_futures=True)
            raise


def _end_at_once() -> None:
    """End the forked processes; the files that they are writing stay as they were.

    A process that has not removed its temporary files in time is killed, so that nothing waits for it.
    """
    import multiprocessing

    children, deadline = multiprocessing.active_children(), time.monotonic() + _END_SECONDS
    for process in children:
        process.terminate()
    for process in children:
        process.join(max(0.0, deadline - time.monotonic()))
    for process in children:
        process.kill()


@contextlib.contextmanager
def _silent_threads() -> Iterator[None]:
    """Print no exception of another thread in this block: the pool's fails if processes end that had cancelled work.

    Seen in Python 3.11: `terminate_broken` sets an exception in futures that are cancelled, which is an error.
    """
    before = threading.excepthook
    threading.excepthook = lambda _: None
    try:
        yield
    finally:
        threading.excepthook = before


@contextlib.contextmanager
def uninterrupted(*others: signal.Signals) -> Iterator[None]:
    """Defer interrupts and other signals until the block ends, here and in processes that begin in it.

    The processes of a half-started pool would keep running, and Python loses the exception of a handler that runs while
    it forks.
    """
    if sys.platform == "win32":  # Windows can't fork
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, *others})
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def can_fork() -> bool:
    """Tell whether this process can be forked safely: on Linux, while it has one thread."""
    return sys.platform == "linux" and threading.active_count() == 1


def _prepare(work: Callable[[Any], Any], items: Sequence[Any], progress: _Progress) -> None:
    global _shared
    depend_on_parent()
    _shared = (work, items, progress)


def depend_on_parent() -> None:
    """Let the parent process of this one handle interrupts, and end this process when it says so or is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # `pooled` blocks it while processes begin
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent is killed."""
    import multiprocessing

    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


class _Progress:
    """The end of the last batch that was begun, and whether to stop, in memory that forked processes share."""

    def __init__(self, lock: AbstractContextManager[Any]) -> None:
        self._lock, self._memory = lock, mmap.mmap(-1, 1 + _NUMBER_SIZE)

    def stop(self) -> None:
        """Let no later batch begin than those that were begun."""
        self._memory[0] = 1

    def begin(self, batch: range) -> bool:
        """Tell whether to work on a batch: not after `stop`, unless a later one was begun.

        A process may be overtaken before it begins its batch; without that batch, the results after an
        interrupt would have a gap.
        """
        with self._lock:
            if batch.stop < int.from_bytes(self._memory[1:], "little"):
                return True
            if self._memory[0]:
                return False
            self._memory[1:] = batch.stop.to_bytes(_NUMBER_SIZE, "little")
            return True


def _run(batch: range) -> list[Any]:
    """Return the results of one batch; none if it is not to begin after an interrupt."""
    assert _shared is not None
    work, items, progress = _shared
    try:
        with _temporary_files_removed():
            return [work(items[index]) for index in batch] if progress.begin(batch) else []
    except SystemExit:  # the pool would take it for the result of the batch, and wait for this process
        os._exit(1)


@contextlib.contextmanager
def _temporary_files_removed() -> Iterator[None]:
    """Raise SystemExit when the process is told to end inside the block, which can have temporary files.

    Outside of it, the process ends at once: while the pool sends a result, it catches every exception.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

"""Process many items in several threads: hashing and RSA release the interpreter lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, pairwise
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_MAX_BATCH = 16
_BATCHES_A_THREAD = 8
_MAX_PORTION = 256
"""Items that are worked on together: what a thread or process keeps in memory for them is bounded."""
_MIN_PORTION = 16


def in_threads_together(
    work: Callable[[Sequence[Item]], list[Result]], items: Sequence[Item], jobs: int
) -> Iterator[Result]:
    """Yield the results of work that takes many items at once, in the order of the items; else as `in_threads`."""
    yield from chain.from_iterable(_mapped(work, portions(items, jobs), jobs))


def portions(items: Sequence[Item], jobs: int) -> list[Sequence[Item]]:
    """Split items: one large portion for each job, because the first takes longest, then small ones.

    With the small ones all jobs end at the same time.
    """
    fair = -(-len(items) // jobs)
    large = min(fair, max(_MIN_PORTION, min(_MAX_PORTION, 3 * len(items) // (4 * jobs)))) or 1
    split = min(large * jobs, len(items))
    starts = [*range(0, split, large), *range(split, len(items), _MIN_PORTION)]
    return [items[start:end] for start, end in pairwise([*starts, len(items)])]


def _mapped(work: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> Iterator[Result]:
    """Yield the results in order, from this thread alone for one job: an interrupt ends it at once."""
    if jobs < 2 or len(items) < 2:
        yield from map(work, items)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(work, items)


def in_threads(work: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> Iterator[Result]:
    """Yield the results of `work` for all items in order, `jobs` at a time. An error is raised in place of its result.

    Threads get batches, because dispatching a small file takes as long as reading it. With few items a batch is one
    item, so that one thread does not get several large files.
    """
    if jobs < 2:
        yield from map(work, items)
        return
    size = max(1, min(_MAX_BATCH, len(items) // (jobs * _BATCHES_A_THREAD)))
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    yield from chain.from_iterable(_mapped(lambda batch: [work(item) for item in batch], batches, jobs))

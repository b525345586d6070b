"""Process many items in several threads: hashing and RSA release the interpreter lock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_MAX_BATCH = 16
_BATCHES_A_THREAD = 8
MAX_PENDING = 256
"""Maximum number of items between their first and second step in a thread or process; bounds the memory."""
BATCH_SECONDS = 0.25


def in_two_steps(begin: Callable[[Item], Callable[[], Result]], items: Sequence[Item], jobs: int) -> Iterator[Result]:
    """Yield the results of work in two steps, where the first returns the second; else like `in_threads`.

    A thread runs the first step for a batch of items before it runs the second for any of them.
    """
    places = iter(range(len(items)))

    def some() -> list[tuple[int, Result]]:
        """Return results; an empty list only when no items are left."""
        end = time.monotonic() + BATCH_SECONDS
        begun = []
        for place in places:
            begun.append((place, begin(items[place])))
            if len(begun) == MAX_PENDING or time.monotonic() > end:
                break
        return [(place, finish()) for place, finish in begun]

    if jobs < 2:  # in this thread, so that an interrupt ends it at once
        while found := some():
            yield from (result for _, result in found)
    else:
        yield from _in_order(some, jobs)


def _in_order(some: Callable[[], list[tuple[int, Result]]], jobs: int) -> Iterator[Result]:
    """Call `some` in several threads until it returns nothing; yield the results in the order of their numbers."""
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

    ready: dict[int, Result] = {}
    given = 0
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(some) for _ in range(jobs)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                ready.update(one.result())
                if one.result():
                    running.add(pool.submit(some))
            while given in ready:
                yield ready.pop(given)
                given += 1


def in_threads(work: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> Iterator[Result]:
    """Yield the results of `work` for all items in order, `jobs` at a time. An error is raised in place of its result.

    Threads get batches, because dispatching a small file takes as long as reading it. With few items a batch is one
    item, so that one thread does not get several large files.
    """
    if jobs < 2:
        yield from map(work, items)
        return
    from concurrent.futures import ThreadPoolExecutor

    size = max(1, min(_MAX_BATCH, len(items) // (jobs * _BATCHES_A_THREAD)))
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    with ThreadPoolExecutor(jobs) as pool:
        yield from chain.from_iterable(pool.map(lambda batch: [work(item) for item in batch], batches))

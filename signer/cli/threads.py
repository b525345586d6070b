"""Work on many items in several threads: hashing and RSA leave the interpreter to others while they last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_LARGEST_BATCH = 16
_BATCHES_A_THREAD = 8
_MOST_BEGUN = 256


def in_two_steps(begin: Callable[[Item], Callable[[], Result]], items: Sequence[Item], jobs: int) -> Iterator[Result]:
    """The results of work that has two steps, where the second is what the first returns; else as `in_threads`.

    Each thread takes the first step with many items before it takes the second with any of them.
    """
    size = max(1, min(_MOST_BEGUN, -(-len(items) // max(1, jobs))))
    batches = [items[start : start + size] for start in range(0, len(items), size)]

    def both(batch: Sequence[Item]) -> list[Result]:
        return [finish() for finish in [begin(item) for item in batch]]

    return chain.from_iterable(in_threads(both, batches, jobs))


def in_threads(work: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> Iterator[Result]:
    """The results of `work` for all items in their order, `jobs` at a time. An error comes where its result would.

    Threads are handed batches: handing over one small file takes as long as reading it. With few items a batch is one,
    so that no thread is left alone with several large files.
    """
    if jobs < 2:
        yield from map(work, items)
        return
    from concurrent.futures import ThreadPoolExecutor

    size = max(1, min(_LARGEST_BATCH, len(items) // (jobs * _BATCHES_A_THREAD)))
    batches = [items[start : start + size] for start in range(0, len(items), size)]
    with ThreadPoolExecutor(jobs) as pool:
        yield from chain.from_iterable(pool.map(lambda batch: [work(item) for item in batch], batches))

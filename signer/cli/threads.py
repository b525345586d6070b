"""Work on many items in several threads: hashing and RSA leave the interpreter to others while they last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_LARGEST_BATCH = 16
_BATCHES_A_THREAD = 8


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

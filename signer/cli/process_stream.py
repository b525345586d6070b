"""Process items in processes as they are read, on every system: their number is not known, and memory stays small."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice, takewhile
from typing import Any, Generic, TypeVar

from signer.cli.interrupts import requested
from signer.cli.processes import ProcessKilled, can_fork, depend_on_parent, pooled
from signer.cli.threads import in_threads

Item = TypeVar("Item")
Result = TypeVar("Result")

_FEW = 16
"""Number of items up to which no process is started."""
_FEW_FOR_NEW_PYTHONS = 128
"""The same where a process begins with an empty Python, which takes half a second to load the modules."""
_BATCH = 4
_MAX_DEATHS = 2
"""Number of processes that may end with one item alone, after the first that ended with others."""
_MAX_LOSSES = 16
"""Number of items in a row whose processes may end: then something else is wrong, such as too little memory."""

_work: Callable[[Any], Any] | None = None
"""In a worker process: the work."""


def in_processes_as_read(
    work: Callable[[Item], Result], items: Iterable[Item], jobs: int, lost: Callable[[Item], Result]
) -> Iterator[Result]:
    """Yield the results of `work` for all items in order, `jobs` at a time; items are taken as they are needed.

    Work, items, results and errors must be picklable. After an interrupt, only those that were begun are worked on.
    The items of a killed process are worked on again; `lost` returns the result of one whose process ends each time.
    Raises ProcessKilled if that happens to many items in a row.
    """
    source, forks = iter(items), can_fork()
    first = list(islice(source, _FEW if forks else _FEW_FOR_NEW_PYTHONS))
    second = list(islice(source, 1))
    if jobs < 2 or not second:
        yield from in_threads(work, first, jobs)
        yield from (work(one) for one in takewhile(lambda _: not requested(), chain(second, source)))
        return
    context = multiprocessing.get_context("fork" if forks else "spawn")
    yield from _Resumed(work, lost, context).results(_batches(chain(first, second, source)), jobs)


class _Resumed(Generic[Item, Result]):
    """Work in processes that goes on if one is killed."""

    def __init__(self, work: Callable[[Item], Result], lost: Callable[[Item], Result], context: Any) -> None:
        self._work, self._lost, self._context = work, lost, context
        self._losses = 0
        """Items in a row whose process ended each time."""

    def results(self, batches: Iterator[list[Item]], jobs: int) -> Iterator[Result]:
        """Yield the results of all batches. Those that were submitted when a process ends are done again, alone."""
        left: deque[list[Item]] = deque()
        submitted = _noted(batches, left)
        while not requested():
            try:
                for found in self._pooled(submitted, jobs):
                    left.popleft()
                    yield from found
                return
            except ProcessKilled:
                yield from self._alone(list(chain.from_iterable(left)))
                left.clear()

    def _alone(self, items: Sequence[Item]) -> Iterator[Result]:
        """Yield the results of items that are worked on one after the other, so that a killed process tells which."""
        left, deaths = deque(items), 0
        while left and not requested():
            try:
                for found in self._pooled(iter([[one] for one in left]), 1):
                    left.popleft()
                    yield from found
                    deaths = self._losses = 0
                return
            except ProcessKilled:
                deaths += 1
                if self._losses == _MAX_LOSSES:
                    raise
                if deaths == _MAX_DEATHS:
                    yield self._lost(left.popleft())
                    deaths, self._losses = 0, self._losses + 1

    def _pooled(self, batches: Iterator[list[Item]], jobs: int) -> Iterator[list[Result]]:
        grouped = ([batch] for batch in batches)
        yield from pooled(_run, grouped, jobs, self._context, _prepare, (self._work,))


def _noted(batches: Iterator[list[Item]], left: deque[list[Item]]) -> Iterator[list[Item]]:
    """Yield batches, each after it was added to `left`."""
    for batch in batches:
        left.append(batch)
        yield batch


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    while batch := list(islice(items, _BATCH)):
        yield batch


def _prepare(work: Callable[[Any], Any]) -> None:
    global _work
    depend_on_parent()
    _work = work


def _run(batches: list[list[Any]]) -> list[list[Any]]:
    assert _work is not None
    return [list(map(_work, batch)) for batch in batches]

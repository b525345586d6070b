"""Process items in processes as they are read, on every system: their number is not known, and memory stays small."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, takewhile
from typing import Any, TypeVar

from signer.cli.interrupts import requested
from signer.cli.processes import can_fork, end_with_parent, pooled
from signer.cli.threads import in_threads

Item = TypeVar("Item")
Result = TypeVar("Result")

_FEW = 16
"""Number of items up to which no process is started."""
_FEW_FOR_NEW_PYTHONS = 128
"""The same where a process begins with an empty Python, which takes half a second to load the modules."""
_BATCH = 4

_work: Callable[[Any], Any] | None = None
"""In a worker process: the work."""


def in_processes_as_read(work: Callable[[Item], Result], items: Iterable[Item], jobs: int) -> Iterator[Result]:
    """Yield the results of `work` for all items in order, `jobs` at a time; items are taken as they are needed.

    Work, items, results and errors must be picklable. After an interrupt, only those that were begun are worked on.
    Raises SignerError if a process was killed.
    """
    source, forks = iter(items), can_fork()
    first = list(islice(source, _FEW if forks else _FEW_FOR_NEW_PYTHONS))
    second = list(islice(source, 1))
    if jobs < 2 or not second:
        yield from in_threads(work, first, jobs)
        yield from (work(one) for one in takewhile(lambda _: not requested(), chain(second, source)))
        return
    batches = _batches(chain(first, second, source))
    context = multiprocessing.get_context("fork" if forks else "spawn")
    yield from pooled(_run, batches, jobs, context, _prepare, (work,))


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    while batch := list(islice(items, _BATCH)):
        yield batch


def _prepare(work: Callable[[Any], Any]) -> None:
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process handles the interrupt and ends its workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # sent by the parent
    _work = work
    threading.Thread(target=end_with_parent, daemon=True).start()


def _run(batch: list[Any]) -> list[Any]:
    assert _work is not None
    return list(map(_work, batch))

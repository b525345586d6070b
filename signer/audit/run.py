"""Audit places: list their units, examine those that are not known yet, and merge what was found."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Protocol, TypeVar

from signer.audit.cache import Cache
from signer.audit.examine import Question, examine
from signer.audit.pending import Pending, pending_units
from signer.audit.rows import Sighting
from signer.audit.units import Place, Unit, units
from signer.records import dataclass

Item = TypeVar("Item")
Work = Callable[[Unit], list[Sighting]]
Run = Callable[[Work, Iterable[Unit]], Iterable[list[Sighting]]]
"""A function like `map`, perhaps with processes or machines: it takes units as it needs them, and keeps their order."""

_KEPT_TOGETHER = 100
"""Number of units that are written to the cache together; a killed audit loses fewer."""


class Shown(Protocol):
    """A function that shows the progress of an iteration, and ends it after an interrupt."""

    def __call__(self, items: Iterable[Item], total: int | None, doing: str) -> Iterable[Item]:
        """Yield the items; `total` is None if their number is not known."""


class Sink(Protocol):
    """Takes what was found, such as a ledger."""

    def add(self, sightings: Iterable[Sighting]) -> None:
        """Add sightings."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many units were listed, and for how many there are answers. An interrupt leaves the numbers different."""

    listed: int
    done: int


def shown_nowhere(items: Iterable[Item], total: int | None, doing: str) -> Iterable[Item]:
    """Return the items."""
    return items


def audit(
    places: Iterable[Place],
    question: Question,
    ledger: Sink,
    run: Run = map,
    cache: Cache | None = None,
    shown: Shown = shown_nowhere,
) -> Progress:
    """Examine everything at the places, and add it to the ledger. Raises UsageError."""
    with pending_units() as pending:
        known = _known(shown(units(places), None, "listing folders"), pending, ledger, cache)
        done = _examined(pending, partial(examine, question=question), run, ledger, cache, shown)
        return Progress(known + len(pending), known + done)


def _known(found: Iterable[Unit], pending: Pending, ledger: Sink, cache: Cache | None) -> int:
    """Add to the ledger what the cache knows, and the other units to `pending`; return how many it knows."""
    count = 0
    for unit in found:
        key, sightings = cache.find(unit) if cache is not None else (None, None)
        if sightings is None:
            pending.add(unit, key)
        else:
            ledger.add(sightings)
            count += 1
    return count


def _examined(pending: Pending, work: Work, run: Run, ledger: Sink, cache: Cache | None, shown: Shown) -> int:
    """Examine units, add what is found to the ledger, and keep it in the cache as it comes; return their number."""
    keys: deque[bytes | None] = deque()
    unkept: list[tuple[bytes | None, list[Sighting]]] = []
    count = 0

    def left() -> Iterator[Unit]:
        for unit, key in pending:
            keys.append(key)
            yield unit

    try:
        for sightings in shown(run(work, left()), len(pending), "examining folders"):
            ledger.add(sightings)
            unkept.append((keys.popleft(), sightings))
            count += 1
            if cache is not None and len(unkept) >= _KEPT_TOGETHER:
                cache.keep(unkept)
                unkept.clear()
    finally:
        if cache is not None:
            cache.keep(unkept)
    return count

"""Audit places: examine every unit that is not known yet, and merge what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from signer.audit.cache import Cache
from signer.audit.examine import Question, examine
from signer.audit.ledger import Ledger
from signer.audit.rows import Sighting
from signer.audit.units import Place, Unit, units

Run = Callable[[Callable[[Unit], list[Sighting]], Sequence[Unit]], Iterable[list[Sighting]]]
"""A function like `map`, perhaps with processes and a progress bar."""

_PORTION = 2000
"""Number of units that are listed before they are examined, so that the list stays small."""
_KEPT_TOGETHER = 100
"""Number of units that are written to the cache together; an interrupt loses fewer."""


def audit(
    places: Iterable[Place], question: Question, ledger: Ledger, run: Run = map, cache: Cache | None = None
) -> None:
    """Examine everything at the places, and add it to the ledger portion by portion. Raises UsageError."""
    for portion in _portions(units(places)):
        left = portion
        keys: dict[Unit, bytes | None] = {}
        if cache is not None:
            left = []
            for unit in portion:
                keys[unit], known = cache.find(unit)
                if known is None:
                    left.append(unit)
                else:
                    ledger.add(known)
        _examine(left, keys, question, ledger, run, cache)


def _examine(
    found: Sequence[Unit],
    keys: dict[Unit, bytes | None],
    question: Question,
    ledger: Ledger,
    run: Run,
    cache: Cache | None,
) -> None:
    """Examine units, add what is found to the ledger, and keep it in the cache as it comes."""
    unkept: list[tuple[bytes | None, list[Sighting]]] = []
    try:
        for unit, sightings in zip(found, run(partial(examine, question=question), found), strict=False):
            ledger.add(sightings)
            unkept.append((keys.get(unit), sightings))
            if cache is not None and len(unkept) >= _KEPT_TOGETHER:
                cache.keep(unkept)
                unkept.clear()
    finally:
        if cache is not None:
            cache.keep(unkept)


def _portions(found: Iterator[Unit]) -> Iterator[Sequence[Unit]]:
    while portion := list(islice(found, _PORTION)):
        yield portion

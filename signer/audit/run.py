"""Audit places: examine every unit, and merge what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice

from signer.audit.examine import Question, examine
from signer.audit.ledger import Ledger
from signer.audit.rows import Sighting
from signer.audit.units import Place, Unit, units

Run = Callable[[Callable[[Unit], list[Sighting]], Sequence[Unit]], Iterable[list[Sighting]]]
"""A function like `map`, perhaps with processes and a progress bar."""

_PORTION = 2000
"""Number of units that are listed before they are examined, so that the list stays small."""


def audit(places: Iterable[Place], question: Question, ledger: Ledger, run: Run = map) -> None:
    """Examine everything at the places, and add it to the ledger portion by portion. Raises UsageError."""
    for portion in _portions(units(places)):
        for found in run(partial(examine, question=question), portion):
            ledger.add(found)


def _portions(found: Iterator[Unit]) -> Iterator[Sequence[Unit]]:
    while portion := list(islice(found, _PORTION)):
        yield portion

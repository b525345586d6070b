"""Keep what the tests made of each mutant, and print it."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support.mutation.areas import ROOT, Mutant, area_of, mutants
from tests.support.mutation.equivalents import equivalents, outdated, reason

RESULTS = ROOT / "build" / "mutants"


@dataclass(frozen=True)
class Result:
    """One mutant and what the tests made of it."""

    key: str
    """Key of the mutant."""
    outcome: str
    """killed, timeout, survived, or broken where pytest itself failed."""
    seconds: float
    """Processor time."""
    change: str
    """The lines taken out and put in."""
    by: str
    """The test that noticed."""


def save(module: str, tried: Iterable[Result]) -> None:
    """Keep the results of a module."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    document = {"module": module, "tried": [asdict(one) for one in tried]}
    _file(module).write_text(json.dumps(document, indent=1), encoding="utf-8")


def kept(module: str) -> dict[Mutant, Result]:
    """Return the results of a module's mutants, without those of functions that have changed since."""
    document = json.loads(_file(module).read_text(encoding="utf-8")) if _file(module).exists() else {"tried": []}
    found = {one["key"]: Result(**one) for one in document["tried"]}
    return {mutant: found[mutant.key] for mutant in mutants(module) if mutant.key in found}


def _file(module: str) -> Path:
    return RESULTS / f"{module.replace('/', '.')}.json"


def report(chosen: Iterable[str]) -> None:
    """Print the survivors, then a table of the areas."""
    table: dict[str, Counter[str]] = {}
    for module in chosen:
        tried = kept(module)
        counts = table.setdefault(area_of(module), Counter())
        counts["total"] += len(mutants(module))
        counts["tried"] += len(tried)
        for mutant, one in sorted(tried.items(), key=lambda item: item[0].begin):
            outcome = "equivalent" if one.outcome == "survived" and reason(module, one.change) else one.outcome
            counts[outcome] += 1
            counts["noticed"] += outcome in ("killed", "timeout")
            counts["milliseconds"] += round(1000 * one.seconds)
            if outcome in ("survived", "broken"):
                print_now(f"{module}:{mutant.begin[0]}: {mutant.operator} {outcome}\n{one.change}\n")
    for row in outdated(equivalents()):
        print_now(f"equivalents.tsv: {row.module} has no longer: {row.code}")
    print_now(
        "\n| area | mutants | tried | killed | by time | equivalent | survived | broken | seconds each |\n|---|"
        + "---|" * 8
    )
    for name, counts in table.items():
        numbers = (counts[key] for key in ("total", "tried", "noticed", "timeout", "equivalent", "survived", "broken"))
        each = counts["milliseconds"] / 1000 / max(1, counts["tried"])
        print_now("| " + " | ".join([f"`{name}`", *map(str, numbers), f"{each:.2f}"]) + " |")


def print_now(text: str) -> None:
    """Print a line without waiting for more."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

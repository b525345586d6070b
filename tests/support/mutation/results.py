"""Keep what the tests made of each mutant, and print it."""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from tests.support.mutation.areas import ROOT, area_of, mutants

RESULTS = ROOT / "build" / "mutants"


@dataclass(frozen=True)
class Result:
    """One mutant and what the tests made of it."""

    line: int
    operator: str
    occurrence: int
    outcome: str
    """killed, timeout, survived, or broken where pytest itself failed."""
    seconds: float
    """Processor time."""
    change: str
    """The lines taken out and put in."""
    by: str
    """The test that noticed."""

    @property
    def key(self) -> tuple[str, int]:
        """What tells mutants of a module apart: the operator, and the place in the file that it was applied to."""
        return self.operator, self.occurrence


def save(module: str, tried: Iterable[Result]) -> None:
    """Keep the results of a module, with the digest of the code that was mutated."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    document = {"module": module, "source": _digest(module), "tried": [asdict(one) for one in tried]}
    path = RESULTS / f"{module.replace('/', '.')}.json"
    path.write_text(json.dumps(document, indent=1), encoding="utf-8")


def kept(module: str) -> list[Result]:
    """Return the results of a module; none if there are none, or the code has changed since."""
    path = RESULTS / f"{module.replace('/', '.')}.json"
    document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return [Result(**one) for one in document["tried"]] if document.get("source") == _digest(module) else []


def _digest(module: str) -> str:
    return hashlib.sha256((ROOT / module).read_bytes()).hexdigest()


def report(chosen: Iterable[str]) -> None:
    """Print the survivors, then a table of the areas."""
    table: dict[str, Counter[str]] = {}
    for module in chosen:
        tried = kept(module)
        counts = table.setdefault(area_of(module), Counter())
        counts["total"] += len(mutants(module))
        counts["tried"] += len(tried)
        for one in sorted(tried, key=lambda one: (one.line, one.operator, one.occurrence)):
            counts[one.outcome] += 1
            counts["noticed"] += one.outcome in ("killed", "timeout")
            counts["milliseconds"] += round(1000 * one.seconds)
            if one.outcome in ("survived", "broken"):
                print_now(f"{module}:{one.line}: {one.operator} #{one.occurrence} {one.outcome}\n{one.change}\n")
    print_now("\n| area | mutants | tried | killed | by time | survived | broken | seconds each |\n|---|" + "---|" * 7)
    for name, counts in table.items():
        numbers = (counts[key] for key in ("total", "tried", "noticed", "timeout", "survived", "broken"))
        each = counts["milliseconds"] / 1000 / max(1, counts["tried"])
        print_now("| " + " | ".join([f"`{name}`", *map(str, numbers), f"{each:.2f}"]) + " |")


def print_now(text: str) -> None:
    """Print a line without waiting for more."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

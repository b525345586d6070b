"""What the rows measured: kept as a JSON file for each row, and written as the tables of RESULTS.md."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench._growth import Curve, exponent, plot
from bench._measure import Comparison, Run, spread

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "bench" / "results"
RESULTS, PLOT = ROOT / "bench" / "RESULTS.md", ROOT / "docs" / "growth.svg"

_HEAD = """# Speed

Made by `make bench`. Ratios of wall times of whole processes in turn (A B A B …): median, and
minimum to maximum. Processor time is user and system time of all processes of drvsign: a command that used both of two
cores all the time would take half of it. Memory is the peak of the largest process, and at least the 10 MB of the one
that starts it.

| what | goal | ratio | drvsign, s | of the processor, s | peer, s | drvsign, MB | peer, MB |
|---|---|---|---|---|---|---|---|
"""
_GROWTH = """
## Growth

Exponent of the time minus the start, from 100 files; the goal is 1.05. Memory is that of the smallest and of the
largest number of files.

| what | exponent | seconds | MB |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Growth:
    """How the cost of a command grows with the number of files."""

    name: str
    seconds: Curve
    start: float
    """Seconds of the command for one file."""
    peaks: Sequence[float]
    """Megabytes, for each number of files."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one row measured."""

    comparisons: tuple[Comparison, ...] = ()
    growth: tuple[Growth, ...] = ()
    notes: tuple[str, ...] = ()
    circumstances: str = field(default="")
    """Date, commit, machine and versions."""


def keep(name: str, result: Result) -> None:
    """Write the result of a row to its file."""
    KEPT.mkdir(exist_ok=True)
    text = json.dumps(_rounded(asdict(result)), indent=1)
    (KEPT / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def kept(name: str) -> Result | None:
    """Return the last result of a row, or None."""
    path = KEPT / f"{name}.json"
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    comparisons = tuple(
        Comparison(**{**one, **{side: tuple(Run(**run) for run in one[side]) for side in ("ours", "peer")}})
        for one in found["comparisons"]
    )
    growth = tuple(Growth(**one) for one in found["growth"])
    return Result(comparisons, growth, tuple(found["notes"]), found["circumstances"])


def _rounded(value: Any) -> Any:
    """Round all numbers: the digits after the fourth are noise, and would change in each run."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value


def write(names: Iterable[str]) -> None:
    """Write RESULTS.md and the plot from the kept results of these rows."""
    found = {name: result for name in names if (result := kept(name)) is not None}
    growth = [one for result in found.values() for one in result.growth]
    if growth:
        PLOT.write_text(plot({one.name: one.seconds for one in growth}), encoding="utf-8")
    RESULTS.write_text("".join(_text(found, growth)), encoding="utf-8")


def _text(found: dict[str, Result], growth: Sequence[Growth]) -> Iterator[str]:
    yield _HEAD
    for result in found.values():
        yield from map(_row, result.comparisons)
    if growth:
        yield _GROWTH
        yield from map(_growth_row, growth)
        yield "\n![Seconds by number of files](../docs/growth.svg)\n"
    notes = [note for result in found.values() for note in result.notes]
    if notes:
        yield "\n## Notes\n\n" + "".join(f"- {note}\n" for note in notes)
    yield "\n## Runs\n\n" + "".join(f"- {name}: {result.circumstances}\n" for name, result in found.items())


def _row(one: Comparison) -> str:
    ours, theirs = (spread([each.wall for each in runs]) for runs in (one.ours, one.peer))
    processor = f"{statistics.median(each.processor for each in one.ours):.2f}"
    peaks = (f"{peak:.0f}" for peak in one.peaks)
    cells = [one.label, one.goal, spread(one.ratios), ours, processor, theirs, *peaks]
    return f"| {' | '.join(cells)} |\n"


def _growth_row(one: Growth) -> str:
    times = ", ".join(f"{count:,}: {seconds:.2f}" for count, seconds in one.seconds)
    return (
        f"| {one.name} | {exponent(one.seconds, one.start):.2f} | {times} | {one.peaks[0]:.0f}, {one.peaks[-1]:.0f} |\n"
    )

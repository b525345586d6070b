"""Audit 1,000 packages of the corpus, each with other bytes, and the growth from 100 to 10,000 of them."""

from __future__ import annotations

import statistics
from pathlib import Path

from bench import _inputs as inputs
from bench._measure import Arguments, compare, run
from bench._results import Growth, Result
from bench._stores import SMALL, store
from bench.audit import command

_COUNT, _ROUNDS = 1000, 5
_SIZES = (100, 1000, 10_000)


def audit(folder: Path) -> Result:
    """Audit without a cache, and hash the same bytes; then with a full cache, and ask for the status of the files.

    The first goal, 250,000 packages an hour, is 22 times as long as hashing them takes.
    """
    many, cache = store(folder / "packages", _COUNT), folder / "cache"
    warm: Arguments = command(many, cache)
    run(warm)
    found = [
        compare(
            f"audit {_COUNT:,} packages, of hashing them",
            "22",
            command(many, cache, "--no-cache"),
            inputs.hashing(many),
            rounds=_ROUNDS,
        ),
        compare(f"audit {_COUNT:,} packages again, of du", "-", warm, ["du", "-s", many], rounds=_ROUNDS),
    ]
    return Result(tuple(found))


def audit_engine(folder: Path) -> Result:
    """Audit with two workers of Dask, and with two processes."""
    many, cache = store(folder / "packages", _COUNT), folder / "cache"
    local: Arguments = command(many, cache, "--no-cache", "--jobs", "2")
    label = f"audit {_COUNT:,} packages with Dask, of two processes"
    return Result((compare(label, "1.3", [*local, "--engine", "dask"], local, rounds=_ROUNDS),))


def audit_growth(folder: Path) -> Result:
    """Measure the seconds and the memory of each size, without images of more than 40 KB and without a cache."""
    cache = folder / "cache"
    begin = statistics.median(run(command(store(folder / "one", 1, SMALL), cache, "--no-cache")).wall for _ in range(5))
    seconds, peaks = [], []
    for count in _SIZES:
        found = run(command(store(folder / f"of{count}", count, SMALL), cache, "--no-cache"))
        seconds.append((count, found.wall))
        peaks.append(found.peak)
    return Result(growth=(Growth("audit", seconds, begin, peaks),))

"""Benchmark of `drvsign audit`: rates of packages with an empty and with a full cache, memory, and growth.

    python -m bench.audit [FOLDER [PACKAGES [SMALL]]]

PACKAGES (10,000) are copies of the corpus' packages, SMALL (100,000) the same without images of more than 40 KB
(`bench._stores`). They take 6 GB and 5 GB below FOLDER, or below the temporary folder.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench._growth import exponent
from bench._inputs import DRVSIGN
from bench._measure import Arguments, Run, run
from bench._stores import SMALL, store


def command(folder: Path, cache: Path, *options: str | Path) -> Arguments:
    """Return the command that audits a folder with its cache below another."""
    return ["env", f"XDG_CACHE_HOME={cache}", *DRVSIGN, "audit", folder, *options]


def cold_and_warm(folder: Path, cache: Path, *options: str | Path) -> tuple[Run, Run]:
    """Audit with an empty cache, then again."""
    shutil.rmtree(cache, ignore_errors=True)
    cache.mkdir(parents=True)
    audit = command(folder, cache, *options)
    return run(audit), run(audit)


def report(count: int, found: Run) -> str:
    rate = count / found.wall * 3600
    return (
        f"{found.wall:.1f} s ({found.processor:.1f} of processors), {rate:,.0f} packages an hour, {found.peak:.0f} MB"
    )


def measure(folder: Path, name: str, sizes: Sequence[int], limit: int | None) -> None:
    """Print the rates of each size, and the exponents of growth."""
    cache = folder / "cache"
    one = command(store(folder / f"{name}1", 1, limit), cache, "--no-cache")
    start = min(run(one).wall for _ in range(4))  # the first compiles the modules
    curves: dict[str, list[tuple[int, float]]] = {"cold": [], "warm": []}
    for count in sizes:
        many = store(folder / f"{name}{count}", count, limit)
        for label, found in zip(curves, cold_and_warm(many, cache), strict=True):
            curves[label].append((count, found.wall))
            print(f"{name}, {count:,} packages, {label}: {report(count, found)}", flush=True)
    for label, curve in curves.items():
        print(f"{name}, {label}: exponent {exponent(curve, start):.2f}, start {start:.2f} s", flush=True)


def main() -> None:
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    large, small = (int(word) for word in (*sys.argv[2:], "10000", "100000")[:2])
    with tempfile.TemporaryDirectory(dir=place) as name:
        measure(Path(name), "mean size", [large // 100, large // 10, large], None)
    with tempfile.TemporaryDirectory(dir=place) as name:
        measure(Path(name), "small", [small // 100, small // 10, small], SMALL)


if __name__ == "__main__":
    main()

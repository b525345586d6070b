"""Benchmark of INFs: lint all INFs of the corpus in one call; the baseline is parsing them.

    python -m bench.inf [ROUNDS]

Measurements are interleaved, so that changes in the machine's speed affect both. The ratio must stay under 3.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from bench._corpus import corpus_root
from catalogs.inf.driver import DriverInf
from catalogs.inf.rules import check

MAX_RATIO = 3


def main() -> int:
    """Print the times; 1 if lint takes too long."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    infs = [path for path in sorted(corpus_root().rglob("*")) if path.suffix.lower() in (".inf", ".inx")]
    contents = [(path, path.read_bytes()) for path in infs if "autorun" not in path.name]
    if not contents:
        print("no corpus: nothing to measure")
        return 0
    parse, lint = best(rounds, lambda: _parse(contents), lambda: _lint(contents))
    size = sum(len(data) for _, data in contents)
    print(f"{len(contents)} INFs, {size / 1e6:.1f} MB")
    print(f"parse           {parse * 1000:7.0f} ms")
    print(f"parse and lint  {lint * 1000:7.0f} ms  {lint / parse:.2f} times the parse")
    return int(lint > MAX_RATIO * parse)


def _parse(contents: list[tuple[Path, bytes]]) -> None:
    for path, data in contents:
        DriverInf.parse(data, path)


def _lint(contents: list[tuple[Path, bytes]]) -> None:
    for path, data in contents:
        check(DriverInf.parse(data, path))


def best(rounds: int, *works: Callable[[], None]) -> list[float]:
    """Return the shortest processor time of each work, in seconds, of some interleaved rounds."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, taken in zip(works, times, strict=True):
            start = time.process_time()
            work()
            taken.append(time.process_time() - start)
    return list(map(min, times))


if __name__ == "__main__":
    sys.exit(main())

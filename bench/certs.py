"""Benchmark of `drvsign certs create`: the default hierarchy for each kind of key, several times.

Run as `python bench/certs.py [REPEATS]`. The limit is two seconds for the default, rsa2048.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from testcerts.issue import DEFAULT_SUBJECT, Order, parse_subject
from testcerts.profiles import SELECTABLE_KEYS, KeyKind
from testcerts.store import create


def measure(kind: KeyKind, repeats: int) -> list[float]:
    """Return the seconds of each run, including writing the files."""
    times = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            order = Order(parse_subject(DEFAULT_SUBJECT), datetime.now(UTC), kind)
            start = time.perf_counter()
            create(Path(folder, "certs"), order)
            times.append(time.perf_counter() - start)
    return times


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print(f"{'key':8} {'median s':>9} {'worst s':>9}   of {repeats} runs, four keys each")
    for kind in SELECTABLE_KEYS:
        times = measure(kind, repeats)
        print(f"{kind:8} {statistics.median(times):9.3f} {max(times):9.3f}")


if __name__ == "__main__":
    main()

"""Measure how the time of each reader grows with the size of its file, from 1 to 100 MB, without the limits.

    python -m bench.worst_growth [WORD]

Prints processor seconds for 1, 10 and 100 MB less those for 100 KB (the start), the memory for 100 MB, and the
exponent between 10 and 100 MB: 1 is linear. Limits that can be raised are off. Binary policies, SZDD files, INFs have
the size that their format or the case allows. WORD selects rows by a part of their name. docs/security.md has results.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from pathlib import Path

from bench._worst_cases import CASES, Case
from bench._worst_files import HELLO
from bench.worst_files import run
from signer.limits import LIMITS, VARIABLE

ROWS = {
    "image": "image: verify",
    "cabinet": "cabinet, random: verify",
    "catalog": "catalog: catalog show",
    "INF": "INF, lines: inf show",
    "CDF": "CDF: catalog build",
    "DDF": "DDF, variables: submission build",
    "certificates, PEM": "certificates: certs show",
    "certificates, PKCS #7": "certificates, PKCS #7: certs show",
    "PFX": "PFX: certs show",
    "revocation list": "revocation list: verify SYS --crl",
    "policy, XML": "policy, XML: verify SYS --block-list",
    "policy, binary": "policy, binary: verify SYS --block-list",
    "events, .evtx": "events, .evtx: explain",
    "events, XML": "events, XML: explain",
    "events, JSON": "events, JSON: explain",
    "setupapi log": "setupapi log: explain",
    "inventory, CSV": "inventory, CSV: audit",
    "inventory, JSON": "inventory, JSON: audit",
    "audit to compare with": "baseline: audit DRIVERS --baseline",
    "SZDD": "packed, SZDD copies: catalog build PACKAGE --output",
}
"""A case of `bench.worst_files` for each reader."""
SIZES = (100_000, 1_000_000, 10_000_000, 100_000_000)


def seconds(case: Case, size: int) -> tuple[float, float]:
    """Return processor seconds and megabytes for a file of this size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hello.inf").write_bytes((HELLO / "hello.inf").read_bytes())
        used, memory, _ = run(case, folder, size)
    return used, memory


def main() -> None:
    word = sys.argv[1] if len(sys.argv) > 1 else ""
    os.environ[VARIABLE] = " ".join(f"{name}=off" for name in LIMITS)
    cases = {case.name: case for case in CASES}
    print("| reader | 1 MB, s | 10 MB, s | 100 MB, s | 100 MB, MB of memory | exponent |\n|---|---|---|---|---|---|")
    for row, name in ROWS.items():
        if word in row:
            start, *used = (seconds(cases[name], size) for size in SIZES)
            times = [max(one - start[0], 0.001) for one, _ in used]
            exponent = math.log10(times[2] / times[1])
            text = " | ".join(f"{one:.2f}" for one in times)
            print(f"| {row} | {text} | {used[2][1]:.0f} | {exponent:.2f} |", flush=True)


if __name__ == "__main__":
    main()

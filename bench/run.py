"""The benchmark: drvsign beside its peers in one run, row by row, written to bench/RESULTS.md.

    python -m bench.run [ROW ...]

Without rows, runs all of them: about 40 minutes on two idle cores, and 6 GB below the temporary folder. The result of
each row is kept in bench/results, and RESULTS.md has the latest of each, so that rows can be run apart; `table` as the
only row writes it again. osslsigncode must be installed, and DRVSIGN_CORPUS name the corpus if it is not beside the
checkout. signify is installed in an environment of its own in build/bench, because it needs oscrypto.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench._measure import spread
from bench._results import RESULTS, ROOT, keep, write
from bench.rows import ROWS


def main() -> None:
    names = sys.argv[1:] or list(ROWS)
    if names == ["table"]:
        write(ROWS)
        return
    if unknown := set(names) - set(ROWS):
        sys.exit(f"unknown rows: {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    if not shutil.which("osslsigncode"):
        sys.exit("osslsigncode is not installed")
    begin = time.monotonic()
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            result = ROWS[name](Path(folder))
        for one in result.comparisons:
            print(f"{one.label}: {spread(one.ratios)}, goal {one.goal}", flush=True)
        keep(name, replace(result, circumstances=_circumstances()))
        write(ROWS)
        print(f"{name}: {time.monotonic() - begin:.0f} s so far, in {RESULTS.relative_to(ROOT)}", flush=True)


def _circumstances() -> str:
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    libraries = ", ".join(f"{name} {version(name)}" for name in ("cryptography", "lief", "pefile", "typer"))
    peer = subprocess.run(["osslsigncode", "--version"], capture_output=True, text=True).stdout.partition(",")[0]
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {_processors()}"
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit.strip()}, {machine}, {libraries}, {peer}"


def _processors() -> str:
    model = next((line for line in _cpuinfo() if line.startswith("model name")), ":").partition(":")[2].strip()
    return f"{os.cpu_count()} {model} processors"


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


if __name__ == "__main__":
    main()

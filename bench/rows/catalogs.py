"""Build a catalog, and read one."""

from __future__ import annotations

import sys
from pathlib import Path

from bench import _inputs as inputs
from bench import _signify as signify
from bench._corpus import corpus_root
from bench._inputs import DRVSIGN
from bench._measure import Arguments, compare
from bench._results import Result
from bench._tricks import ALL_ROOTS_READ, EACH_ENTRY_READ, USUAL_THRESHOLD, without

_READ = """
import sys, time
from pathlib import Path
from datetime import UTC, datetime
from catalogs.catalog.file import Catalog
from signer.policy.judge import judge, paths_of
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from signer.trust.store import TrustStore
from signer.verify.gather import gather_content

data = Path(sys.argv[1]).read_bytes()
start = time.perf_counter()
catalog = Catalog.parse(data)
members = catalog.members
evidence = gather_content(data, "catalog", "python.cat")
paths = paths_of(evidence, TrustStore.release())
machine = MachineState(at=datetime.now(UTC), roots="release", testsigning=False)
verdict = judge("authenticode", evidence, paths, Target.parse("win11-25h2-x64"), machine)
found = catalog.find(members[len(members) // 2].digest)
assert found is not None and len(members) > 5000 and evidence.signatures[0].intact
print(time.perf_counter() - start)
"""


def catalog_build(folder: Path) -> Result:
    """Build the catalog of 10,000 files with 1 GB."""
    source = folder / "package"
    source.mkdir()
    inputs.package(source, 10_000, 1024)
    build: Arguments = [*DRVSIGN, "catalog", "build", source, "--os", "10_X64", "--now", "2026-01-01", "--quiet"]
    label = "catalog of 10,000 files, 1 GB, of hashing them"
    return Result((compare(label, "1.3", build, inputs.hashing(source)),))


def inf_lint(folder: Path) -> Result:
    """Check an INF of 20,000 lines, with and without the program's threshold of garbage collection."""
    inputs.package(folder, 10_000, 10)
    lint: Arguments = ["inf", "lint", folder / "big.inf"]
    label = "inf lint of 20,000 lines, of the same with Python's threshold of garbage collection"
    return Result((compare(label, "0.95", [*DRVSIGN, *lint], without(USUAL_THRESHOLD, *lint), rounds=9),))


def catalog_read(_: Path) -> Result:
    """Parse, interpret and verify a catalog with 5,708 members, and find one of them; in a process, and as a whole."""
    path = next((corpus_root() / "catalogs").glob("*_python.cat"))
    ours: Arguments = [sys.executable, "-c", _READ, path]
    peer = signify.command("catalog", path)
    label = "catalog of 5,708 members, times faster than signify"
    found = [
        compare(f"{label} (part of a process)", "20", ours, peer, rounds=5, is_speed=True, is_part=True),
        compare(f"{label} (whole process)", "", ours, peer, rounds=3, is_speed=True),
    ]
    for trick, other, goal in ((EACH_ENTRY_READ, "each entry", "0.9"), (ALL_ROOTS_READ, "all published roots", "0.95")):
        label = f"catalog of 5,708 members, of the same with {other} read (part of a process)"
        read: Arguments = [sys.executable, "-c", trick + _READ, path]
        found.append(compare(label, goal, ours, read, rounds=9, is_part=True))
    return Result(tuple(found))

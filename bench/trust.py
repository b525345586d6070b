"""Benchmark of the trust part of verification: imports, index of the published roots, path building.

Run as `python bench/trust.py [REPEATS]`; DRVSIGN_CORPUS is the path of the corpus of real drivers. Each repeat is a new
process, as in `drvsign verify`. The limit for all drivers together is half a second.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.x509 import Certificate

    from signer.verify.evidence import Signature

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def once() -> dict[str, float]:
    """Return the seconds of each step, measured in this process."""
    start = time.perf_counter()
    import cryptography.x509  # noqa: F401

    library = time.perf_counter()
    from signer.trust.chain import build_paths
    from signer.trust.published import published_roots
    from signer.trust.store import TrustStore

    imported = time.perf_counter()
    published_roots()
    indexed = time.perf_counter()
    signed = signers_of_the_corpus()
    gathered = time.perf_counter()
    store = TrustStore.release()
    for signer, carried in signed:
        build_paths(signer, carried, store)
    built = time.perf_counter()
    for signer, carried in signed:
        build_paths(signer, carried, store)
    return {
        "import cryptography.x509": library - start,
        "import signer.trust": imported - library,
        "index the published roots": indexed - imported,
        f"paths of {len(signed)} signatures": built - gathered,
        "the same again": time.perf_counter() - built,
    }


def signers_of_the_corpus() -> list[tuple[Certificate, Sequence[Certificate]]]:
    """Return signer and carried certificates of every signature of the corpus's drivers and catalogs."""
    from bench._corpus import corpus_root
    from signer.errors import SignerError
    from signer.verify.gather import gather

    found: list[Signature] = []
    for kind, pattern in (("image", "drivers/*.sys"), ("catalog", "catalogs/*.cat")):
        for path in sorted(corpus_root().glob(pattern)):
            with contextlib.suppress(SignerError):
                found += gather(path.read_bytes(), kind, path.name).signatures
    return [(one.signer, one.certificates) for one in found if one.signer is not None]


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    command = [sys.executable, __file__, "--once"]
    runs = [json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(repeats)]
    print(f"{'step':32} {'median ms':>10} {'worst ms':>10}   of {repeats} runs")
    for step in runs[0]:
        times = [1000 * run[step] for run in runs]
        print(f"{step:32} {statistics.median(times):10.1f} {max(times):10.1f}")


if __name__ == "__main__":
    print(json.dumps(once())) if "--once" in sys.argv else main()

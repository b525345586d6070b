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
    signed = signatures_of_the_corpus()
    gathered = time.perf_counter()
    store = TrustStore.release()
    for signature in signed:
        build_paths(signature.signer, signature.certificates, store)
    built = time.perf_counter()
    for signature in signed:
        build_paths(signature.signer, signature.certificates, store)
    return {
        "import cryptography.x509": library - start,
        "import signer.trust": imported - library,
        "index the published roots": indexed - imported,
        f"paths of {len(signed)} signatures": built - gathered,
        "the same again": time.perf_counter() - built,
    }


def signatures_of_the_corpus() -> list:
    """Every signature that can be read in the corpus's drivers and catalogs."""
    from bench._corpus import corpus_root
    from signer.errors import SignerError
    from signer.verify.gather import gather

    found = []
    for kind, pattern in (("image", "drivers/*.sys"), ("catalog", "catalogs/*.cat")):
        for path in sorted(corpus_root().glob(pattern)):
            with contextlib.suppress(SignerError):
                found += gather(path.read_bytes(), kind, path.name).signatures
    return [signature for signature in found if signature.signer is not None]


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

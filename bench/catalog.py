"""How long catalogs take: building one of a large package, and reading and writing one with many members.

    python -m bench.catalog [FILES] [MEGABYTES] [MEMBERS]

The package is measured against hashing the same bytes once with SHA-1 and SHA-256, one thread each.
"""

from __future__ import annotations

import hashlib
import os
import resource
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from catalogs import os_names
from catalogs.build import CatalogOptions, assemble, build
from catalogs.catalog import Catalog
from catalogs.ctl import NameValue
from catalogs.members import MEMBER_FLAGS, HashedFile, subjects
from catalogs.package import DriverPackage, PackageFile
from signer.algorithms import DigestAlgorithm

NAMES = os_names.parse_list("10_X64")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def package(folder: Path, files: int, megabytes: int) -> DriverPackage:
    """A package of so many files, of so many megabytes together."""
    size = (megabytes << 20) // files
    paths = []
    for number in range(files):
        path = folder / f"{number}.bin"
        path.write_bytes(number.to_bytes(8, "little") + os.urandom(64) + bytes(max(size - 72, 0)))
        paths.append(path)
    members = tuple(PackageFile(p.name, p, PurePosixPath(p.name), NAMES) for p in paths)
    return DriverPackage((paths[0],), folder / "big.cat", "amd64", members, (), NAMES, False)


def plain_hashing(paths: list[Path]) -> float:
    """Seconds for the same bytes with both algorithms, one on each processor."""

    def run(algorithm: str) -> None:
        for path in paths:
            hashlib.new(algorithm, path.read_bytes()).digest()

    start = time.perf_counter()
    threads = [threading.Thread(target=run, args=(name,)) for name in ("sha1", "sha256")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - start


def building(files: int, megabytes: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        made = package(Path(name), files, megabytes)
        paths = [file.path for file in made.files]
        plain_hashing(paths)
        baseline = min(plain_hashing(paths) for _ in range(3))
        times = []
        for _ in range(3):
            start = time.perf_counter()
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                build(made, CatalogOptions(NOW), each=pool.map).to_bytes()
            times.append(time.perf_counter() - start)
    print(f"{files} files, {megabytes} MB: {min(times):.2f} s, hashing alone {baseline:.2f} s, ", end="")
    print(f"ratio {min(times) / baseline:.2f}")


def coding(members: int) -> None:
    sha1, sha256 = DigestAlgorithm.SHA1, DigestAlgorithm.SHA256
    entries = []
    for number in range(members // 2):
        text = str(number).encode()
        hashed = HashedFile("flat", {sha1: sha1.hash(text), sha256: sha256.hash(text)}, {})
        values = [NameValue("File", MEMBER_FLAGS, f"{number}.bin"), NameValue("OSAttr", MEMBER_FLAGS, "2:10.0")]
        entries += subjects(hashed, values, 2)
    data = assemble(entries, [], CatalogOptions(NOW), "many.cat").to_bytes()
    start = time.perf_counter()
    catalog = Catalog.parse(data)
    parsed = time.perf_counter()
    count = len(catalog.members)
    read = time.perf_counter()
    assert catalog.to_bytes() == data
    written = time.perf_counter()
    print(f"{count} members: parse {parsed - start:.2f} s, interpret {read - parsed:.2f} s, ", end="")
    print(f"encode {written - read:.2f} s, parse and encode {parsed - start + written - read:.2f} s")


def main() -> None:
    numbers = [int(argument) for argument in sys.argv[1:]]
    files, megabytes, members = (*numbers, *(10_000, 1024, 50_000)[len(numbers) :])
    coding(members)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    building(files, megabytes)


if __name__ == "__main__":
    main()

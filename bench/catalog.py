"""Benchmark of catalogs: build the catalog of a large package; parse and encode a catalog with many members.

    python -m bench.catalog [FILES] [MEGABYTES] [MEMBERS]

The baseline is hashing the same bytes once with SHA-1 and SHA-256, in one thread each. Building in the library (from
the list of files to the bytes of the catalog) and the whole command (from the INF to the file) are compared with it.
Measurements are interleaved, so that changes in the machine's speed affect all of them.
"""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from catalogs.build import CatalogOptions, assemble, build
from catalogs.catalog import os_names
from catalogs.catalog.file import Catalog
from catalogs.catalog.members import MEMBER_FLAGS, hash_file, subjects
from catalogs.catalog.trust_list import NameValue
from catalogs.package.driver_package import DriverPackage, PackageFile
from signer.cli.processes import in_processes

_INF = """[Version]
Signature = "$WINDOWS NT$"
Class = System
ClassGuid = {{4d36e97d-e325-11ce-bfc1-08002be10318}}
Provider = %Name%
DriverVer = 01/01/2026,1.0.0.0
CatalogFile = big.cat
PnpLockdown = 1
[Manufacturer]
%Name% = Models,NTamd64
[Models.NTamd64]
%Name% = Device,PCI\\VEN_0000
[Device.NT]
CopyFiles = Files
[Device.NT.Services]
AddService = ,2
[DestinationDirs]
DefaultDestDir = 13
[SourceDisksNames]
1 = %Name%
[Strings]
Name = "Bench"
[Files]
{names}
[SourceDisksFiles]
{sources}
"""

NAMES = os_names.parse_list("10_X64")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
_ROUNDS = 5


def package(folder: Path, files: int, megabytes: int) -> DriverPackage:
    """Create a package with this number of files and this total size."""
    size = (megabytes << 20) // files
    paths = []
    for number in range(files):
        path = folder / f"{number}.bin"
        path.write_bytes(number.to_bytes(8, "little") + os.urandom(64) + bytes(max(size - 72, 0)))
        paths.append(path)
    (folder / "big.inf").write_text(inf([path.name for path in paths]))
    members = tuple(PackageFile(p.name, p, folder, NAMES) for p in paths)
    return DriverPackage((paths[0],), folder / "big.cat", "amd64", members, (), NAMES, False)


def inf(names: Sequence[str]) -> str:
    """Return an INF that copies files with these names."""
    return _INF.format(names="\n".join(names), sources="\n".join(f"{name} = 1" for name in names))


def plain_hashing(paths: list[Path]) -> float:
    """Return the seconds for hashing the files with both algorithms in parallel threads."""

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


def assembling(pkg: DriverPackage) -> float:
    """Return the seconds from the list of files to the bytes of their catalog."""
    start = time.perf_counter()
    build(pkg, CatalogOptions(NOW), each=lambda work, files: in_processes(work, files, os.cpu_count() or 1)).to_bytes()
    return time.perf_counter() - start


def command(folder: Path) -> float:
    """Return the seconds for `drvsign catalog build`, including startup and parsing of the INF."""
    start = time.perf_counter()
    arguments = ["catalog", "build", str(folder), "--os", "10_X64", "--now", "2026-01-01", "--quiet"]
    subprocess.run([sys.executable, "-m", "signer", *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def building(files: int, megabytes: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        pkg = package(Path(name), files, megabytes)
        paths = [file.path for file in pkg.files]
        plain_hashing(paths)
        rounds = [(plain_hashing(paths), assembling(pkg), command(Path(name))) for _ in range(_ROUNDS)]
    baseline, library, whole_command = (min(times) for times in zip(*rounds, strict=True))
    print(f"{files} files, {megabytes} MB: hashing alone {baseline:.2f} s")
    print(f"from files to catalog {library:.2f} s, {library / baseline:.2f} times; ", end="")
    print(f"drvsign catalog build {whole_command:.2f} s, {whole_command / baseline:.2f} times")


def coding(members: int) -> None:
    entries = []
    for number in range(members // 2):
        hashed = hash_file(memoryview(str(number).encode()))
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

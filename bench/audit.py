"""Benchmark of `drvsign audit`: rates of packages with an empty and with a full cache, memory, and growth.

    python -m bench.audit [FOLDER [PACKAGES [SMALL]]]

PACKAGES (10,000) have the mean size of the corpus' packages, SMALL (100,000) have images cut to 20 KB. Every image has
its own bytes in its overlay, so that all digests differ; other files are links to the corpus' files. They
take 4 GB each below FOLDER, or below the temporary folder.
"""

from __future__ import annotations

import os
import shutil
import struct
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench._corpus import corpus_root
from bench._growth import exponent
from bench._inputs import DRVSIGN
from bench._measure import Arguments, Run, run

CUT = 20_000
_IMAGES = (".sys", ".dll", ".exe")
_MAX_LINKS = 30_000
"""Maximum number of links to one copy of a file: file systems have a limit."""


def store(folder: Path, count: int, limit: int | None = None) -> Path:
    """Write copies of the packages of the corpus in turn, with distinct images of at most `limit` bytes."""
    originals = sorted(path for path in (corpus_root() / "packages").iterdir() if path.is_dir())
    for number in range(count):
        source, target = originals[number % len(originals)], folder / f"{number:06}"
        if target.exists():
            continue
        for path in sorted(one for one in source.rglob("*") if one.is_file()):
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix.lower() in _IMAGES:
                copy.write_bytes(distinct(path.read_bytes(), number, limit))
            else:
                _link(path, copy, folder.parent / f"originals{number // len(originals) // _MAX_LINKS}")
    return folder


def distinct(image: bytes, number: int, limit: int | None = None) -> bytes:
    """Return a PE image with a number in its overlay, before its signature, and sections that end at `limit`."""
    if image[:2] != b"MZ":
        return image + number.to_bytes(8, "little")
    header = struct.unpack_from("<I", image, 0x3C)[0]
    count, optional = struct.unpack_from("<H12xH", image, header + 6)
    is_64 = struct.unpack_from("<H", image, header + 24)[0] == 0x20B
    security = header + 24 + (144 if is_64 else 128)
    place, size = struct.unpack_from("<II", image, security)
    table = image[place : place + size] if place else b""
    data = bytearray(image[:place] if place else image)
    if limit is not None and len(data) > limit:
        limit &= ~0x1FF
        for entry in range(header + 24 + optional, header + 24 + optional + 40 * count, 40):
            raw, start = struct.unpack_from("<II", data, entry + 16)
            kept = max(0, min(start + raw, limit) - start)
            struct.pack_into("<II", data, entry + 16, kept, start if kept else 0)
        del data[limit:]
    data += number.to_bytes(8, "little") + bytes(-len(data) % 8)
    if table:
        struct.pack_into("<II", data, security, len(data), len(table))
    return bytes(data + table)


def _link(path: Path, copy: Path, originals: Path) -> None:
    """Link a file to a copy of it on the same disk."""
    kept = originals / path.relative_to(corpus_root() / "packages")
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, kept)
    os.link(kept, copy)


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
        measure(Path(name), "20 KB", [small // 100, small // 10, small], CUT)


if __name__ == "__main__":
    main()

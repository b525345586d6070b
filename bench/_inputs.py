"""The inputs of the benchmark: identities, images, packages, and loops over files in a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from bench._corpus import corpus_root
from bench._image import PeSpec
from bench._measure import Arguments
from bench.catalog import inf, package
from bench.sign import large_image, write_identity
from signer.pe.image import Image

__all__ = [
    "DRVSIGN",
    "drivers",
    "each",
    "hashing",
    "image_package",
    "images",
    "in_two_calls",
    "large_image",
    "listed",
    "package",
    "packages",
    "signed_drivers",
    "write_identity",
]

_COPIES = 1000
"""Packages that are copied, 566 MB; the others of a larger folder are links to them."""
DRVSIGN = (sys.executable, "-m", "signer")
_HASH = """
import hashlib, sys, threading
from pathlib import Path
paths = [path for path in sorted(Path(sys.argv[1]).rglob("*")) if path.is_file()]
def run(name):
    for path in paths:
        hashlib.new(name, path.read_bytes())
threads = [threading.Thread(target=run, args=(name,)) for name in ("sha1", "sha256")]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def hashing(folder: Path) -> list[str | Path]:
    """Return the command that hashes all files of a folder with SHA-1 and SHA-256, in two threads."""
    return [sys.executable, "-c", _HASH, folder]


def drivers() -> list[Path]:
    """Return the drivers of the corpus."""
    found = sorted((corpus_root() / "drivers").glob("*.sys"))
    if not found:
        sys.exit(f"no drivers in {corpus_root() / 'drivers'}: set DRVSIGN_CORPUS")
    return found


def signed_drivers() -> list[Path]:
    """Return the drivers of the corpus that have an embedded signature."""
    return [path for path in drivers() if Image.parse(path.read_bytes()).is_signed]


def each(paths: Sequence[Path], command: str) -> list[str]:
    """Return the command of a shell that runs `command` for each path, in $f."""
    return ["sh", "-c", f"for f in {shlex.join(map(str, paths))}; do {command}; done"]


def in_two_calls(command: Arguments, paths: Sequence[Path], folder: Path) -> Arguments:
    """Return the command of a shell that calls `command` twice at once, each time for every second path.

    Both processors are busy from the first moment to the last, and neither call waits for the other.
    """
    lists = [listed(folder, paths[number::2], f"half-{number}.txt") for number in range(2)]
    calls = [shlex.join(map(str, [*command, one])) for one in lists]
    return ["sh", "-c", f"{calls[0]} & {calls[1]} & wait"]


def images(folder: Path, count: int) -> Path:
    """Write small images, and return their folder, which is made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for number in range(count):
        image = PeSpec(sections=[(".text", 0x400, 0x4000)], fill=number & 0xFF).build()
        (folder / f"{number:05}.sys").write_bytes(image + number.to_bytes(8, "little"))
    return folder


def image_package(folder: Path, count: int) -> Path:
    """Write a package of small images, and return its folder, which is made anew."""
    images(folder, count)
    (folder / "big.inf").write_text(inf(sorted(path.name for path in folder.iterdir())))
    return folder


def packages(folder: Path, count: int) -> Path:
    """Write the packages of the corpus in turn, each as a folder: copies up to 1,000, then links to these."""
    originals = sorted(path for path in (corpus_root() / "packages").iterdir() if path.is_dir())
    for number in range(count):
        target = folder / f"{number:05}"
        if number < _COPIES:
            shutil.copytree(originals[number % len(originals)], target, copy_function=shutil.copyfile)
        else:
            shutil.copytree(folder / f"{number % _COPIES:05}", target, copy_function=os.link)
    return folder


def listed(folder: Path, paths: Sequence[Path], name: str = "files.txt") -> str:
    """Return the argument that names these files by a list, which is written to the folder."""
    path = folder / name
    path.write_text("\n".join(map(str, paths)))
    return f"@{path}"

"""How the cost of a command grows from 10 to 10,000 files or packages."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from bench import _inputs as inputs
from bench._inputs import DRVSIGN
from bench._measure import Arguments, run
from bench._results import Growth, Result

_SIZES = (10, 100, 1000, 10_000)
_ROUNDS = (5, 9, 3, 1)
"""Runs of each size; the quickest counts, because the start that is subtracted takes nearly as long as 100 files."""

_numbers = itertools.count()

Prepare = Callable[[Path, int], Arguments]
"""Writes the input, and returns the command; called before each run."""


def growth(name: str, folder: Path) -> Result:
    """Measure the seconds and the memory of each size."""
    prepare = CURVES[name]
    begin = min(run(prepare(folder, 1)).wall for _ in range(9))
    seconds, peaks = [], []
    for count, rounds in zip(_SIZES, _ROUNDS, strict=True):
        found = [run(prepare(folder, count)) for _ in range(rounds)]
        seconds.append((count, min(one.wall for one in found)))
        peaks.append(max(one.peak for one in found))
    return Result(growth=(Growth(name, seconds, begin, peaks),))


def _identity(folder: Path) -> Arguments:
    paths = [folder / "key.pem", folder / "cert.pem"]
    if not paths[0].exists():
        inputs.write_identity(folder)
    return ["--key", paths[0], "--cert", paths[1]]


def _sign(folder: Path, count: int) -> Arguments:
    return [*DRVSIGN, "sign", inputs.images(_new(folder), count), "-q", *_identity(folder)]


def _new(folder: Path) -> Path:
    """Return the path of a folder for one run. Those of earlier runs stay: see `bench.rows.sign`, on deleted files."""
    return folder / f"run{next(_numbers)}"


def _verify(folder: Path, count: int) -> Arguments:
    source = folder / f"images{count}"
    return [*DRVSIGN, "verify", source if source.exists() else inputs.images(source, count)]


def _build(folder: Path, count: int) -> Arguments:
    source = folder / f"catalog{count}"
    if not source.exists():
        source.mkdir()
        inputs.package(source, count, max(1, count // 100))
    return [*DRVSIGN, "catalog", "build", source, "--os", "10_X64", "--now", "2026-01-01", "--quiet"]


def _package(folder: Path, count: int) -> Arguments:
    source = inputs.image_package(_new(folder), count)
    return [*DRVSIGN, "package", source, "--os", "10_X64", "-q", *_identity(folder)]


def _verify_packages(folder: Path, count: int) -> Arguments:
    source = folder / f"packages{count}"
    return [*DRVSIGN, "verify", source if source.exists() else inputs.packages(source, count)]


def _verify_packages_json(folder: Path, count: int) -> Arguments:
    return [*_verify_packages(folder, count), "--json"]


CURVES: dict[str, Prepare] = {
    "sign": _sign,
    "verify": _verify,
    "catalog build": _build,
    "package": _package,
    "verify packages": _verify_packages,
    "verify packages as JSON": _verify_packages_json,
}

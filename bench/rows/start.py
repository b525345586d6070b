"""Help, the version, and verifying one file, against the imports that they need and without the tricks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from bench import _inputs as inputs
from bench._inputs import DRVSIGN
from bench._measure import Arguments, Comparison, compare
from bench._results import Result

IMPORTS = "import typer, asn1crypto.cms, cryptography.x509, pefile"
STANDARD_CLASSES = """
import dataclasses, signer.records
signer.records.dataclass = dataclasses.dataclass
from signer.__main__ import main
main()
"""
"""drvsign without the data classes of `signer.records`."""
HELP_BY_RICH = """
import signer.cli.app as program
program.ErrorBoundary.format_help = program.TyperGroup.format_help
program.app.rich_markup_mode = "rich"
program.app(prog_name="drvsign")
"""
"""drvsign with Typer's help, which asks every command for its summary."""
_ROUNDS = 9


def start(_: Path) -> Result:
    """Measure help, the version, and one small file, against the imports and without the tricks."""
    return Result((*_help(), *_verify_one()))


def _help() -> Iterator[Comparison]:
    typer = [sys.executable, "-c", "import typer"]
    for options in ("--help", "verify --help", "package --help"):
        yield compare(f"drvsign {options}, of import typer", "1.5", [*DRVSIGN, *options.split()], typer, rounds=_ROUNDS)
    yield compare("drvsign --version, of import typer", "1.2", [*DRVSIGN, "--version"], typer, rounds=_ROUNDS)
    by_rich = [sys.executable, "-c", HELP_BY_RICH, "--help"]
    yield compare("drvsign --help, of the same drawn by rich", "0.9", [*DRVSIGN, "--help"], by_rich, rounds=_ROUNDS)


def _verify_one() -> Iterator[Comparison]:
    libraries = [sys.executable, "-c", IMPORTS]
    for kind, paths in (("unsigned", inputs.drivers()), ("signed", inputs.signed_drivers())):
        path = min(paths, key=lambda one: abs(one.stat().st_size - 60_000))
        verify: Arguments = [*DRVSIGN, "verify", path]
        yield compare(f"verify one driver, {kind}, of its imports", "1.3", verify, libraries, rounds=_ROUNDS)
        other: Arguments = [sys.executable, "-c", STANDARD_CLASSES, "verify", path]
        label = f"verify one driver, {kind}, of the same with standard data classes"
        yield compare(label, "0.9", verify, other, rounds=_ROUNDS)

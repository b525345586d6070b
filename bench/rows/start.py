"""Help, the version, and verifying one file, against the imports that they need and without the tricks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from bench import _inputs as inputs
from bench._inputs import DRVSIGN
from bench._measure import Arguments, Comparison, compare
from bench._results import Result
from bench._tricks import STANDARD_CLASSES, TEARDOWN, VALUES_BY_PYDANTIC, without

IMPORTS = "import typer, asn1crypto.cms, cryptography.x509, pefile"
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
    return Result((*_help(), *_verify_one(), _version_with_teardown()))


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
        yield _beside(f"verify one driver, {kind}", "standard data classes", STANDARD_CLASSES, "verify", path)
    yield _beside("verify one driver, signed", "values converted by pydantic", VALUES_BY_PYDANTIC, "verify", path)
    yield _beside("verify one driver, signed", "interpreter teardown", TEARDOWN, "verify", path)


def _version_with_teardown() -> Comparison:
    return _beside("drvsign --version", "interpreter teardown", TEARDOWN, "--version")


def _beside(task: str, other: str, trick: str, *arguments: str | Path) -> Comparison:
    """Compare drvsign with itself without a trick."""
    label, ours = f"{task}, of the same with {other}", [*DRVSIGN, *arguments]
    return compare(label, "0.9", ours, without(trick, *arguments), rounds=_ROUNDS)

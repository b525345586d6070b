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
VALUES_BY_PYDANTIC = """
import gc
gc.set_threshold(50_000)
import signer.cli.param_types
signer.cli.param_types.HOOK = "absent"
from signer.__main__ import main
main()
"""
"""drvsign whose arguments Typer converts, as with a release that lacks our hook. The threshold is that of `main`."""
TEARDOWN = """
import sys
import signer.__main__ as program
program._leave = sys.exit
program.main()
"""
"""drvsign that ends as Python does: it takes all modules apart."""
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


def _beside(task: str, other: str, program: str, *arguments: str | Path) -> Comparison:
    """Compare drvsign with a program that is drvsign without one trick."""
    without: Arguments = [sys.executable, "-c", program, *arguments]
    return compare(f"{task}, of the same with {other}", "0.9", [*DRVSIGN, *arguments], without, rounds=_ROUNDS)

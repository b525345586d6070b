"""Help, the version, and commands for one file, against the imports that they need."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from bench import _inputs as inputs
from bench._inputs import DRVSIGN
from bench._measure import Arguments, compare
from bench._results import Result

IMPORTS = "import typer, asn1crypto.cms, cryptography.x509, pefile"


def start(folder: Path) -> Result:
    """Measure help, the version, and one small file, against the imports."""
    typer, libraries, lief = ([sys.executable, "-c", code] for code in ("import typer", IMPORTS, "import lief"))
    driver = min(inputs.drivers(), key=lambda path: abs(path.stat().st_size - 60_000))
    key, cert = inputs.write_identity(folder)
    small, signed = inputs.images(folder / "one", 1) / "00000.sys", folder / "one.signed"
    sign: Arguments = [*DRVSIGN, "sign", small, "-q", "--output", signed, "--cert", cert, "--key", key]
    found = [
        compare("drvsign --help, of import typer", "1.5", [*DRVSIGN, "--help"], typer, rounds=9),
        compare("drvsign verify --help, of import typer", "1.5", [*DRVSIGN, "verify", "--help"], typer, rounds=9),
        compare("drvsign --version, of import typer", "1.2", [*DRVSIGN, "--version"], typer, rounds=9),
        compare("verify one driver, of its imports", "1.3", [*DRVSIGN, "verify", driver], libraries, rounds=9),
        compare("sign one driver, of import lief", "1.0", sign, lief, rounds=9),
    ]
    if shutil.which("taskset"):
        one_core: Arguments = ["taskset", "-c", "0"]
        label = "sign one driver on one core, of import lief"
        found.append(compare(label, "1.0", [*one_core, *sign], [*one_core, *lief], rounds=9))
    return Result(tuple(found))

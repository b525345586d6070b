"""Standard streams that are closed, full, or that nobody reads: never a traceback, never an exit code that misleads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.files import ROOT
from tests.support.images import PeSpec

FULL = Path("/dev/full")
PROGRAM = f"{sys.executable} -m signer"


def shell(command: str) -> subprocess.CompletedProcess[bytes]:
    """What a shell makes of a line with the program in it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(["bash", "-c", command], capture_output=True, env=environment, check=False)


@pytest.fixture
def driver(work: Path) -> Path:
    path = work / "toaster.sys"
    path.write_bytes(PeSpec().build())
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        "inspect toaster.sys toaster.sys",
        "inspect toaster.sys --json",
        "verify toaster.sys --policy kernel --matrix",
        "--help",
        "verify --help",
        "--version",
    ],
)
def test_a_reader_that_went_away_is_no_rejection(driver: Path, arguments: str) -> None:
    ran = shell(f"(sleep 0.3; {PROGRAM} {arguments}; echo $? >code) | true; true")
    assert ran.stderr == b""
    assert Path("code").read_text() == "3\n"


def test_an_interrupt_while_modules_are_loaded_is_no_traceback(work: Path) -> None:
    (work / "typer.py").write_text("raise KeyboardInterrupt")
    ran = shell(f"PYTHONPATH={work}:{ROOT} {PROGRAM} --version")
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, b"", b"")


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", ["inspect toaster.sys", "inspect toaster.sys --json", "--help", "--version"])
def test_a_full_disk_behind_stdout_is_one_sentence(driver: Path, arguments: str) -> None:
    ran = shell(f"{PROGRAM} {arguments} >/dev/full")
    assert (ran.returncode, ran.stderr) == (3, b"error: the system reported: no space left on device\n")


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    ("arguments", "code"), [("sign gone.sys", 3), ("sign gone.sys toaster.sys", 3), ("sign --nope", 2)]
)
@pytest.mark.parametrize("redirections", ["2>/dev/full", ">/dev/full 2>&1"])
def test_a_full_disk_behind_stderr_changes_no_exit_code(
    driver: Path, arguments: str, code: int, redirections: str
) -> None:
    assert shell(f"{PROGRAM} {arguments} {redirections}").returncode == code


def test_a_reader_of_errors_that_went_away_is_no_rejection(driver: Path) -> None:
    shell(f"(sleep 0.3; {PROGRAM} sign gone.sys; echo $? >code) 2>&1 | true; true")
    assert Path("code").read_text() == "3\n"


@pytest.mark.parametrize(
    ("redirections", "path", "code"),
    [
        ("<&-", "toaster.sys", 0),
        (">&-", "toaster.sys", 0),
        ("2>&-", "toaster.sys", 0),
        ("<&- >&- 2>&-", "toaster.sys", 0),
        ("2>&-", "gone.sys", 3),
        (">&- 2>&-", "gone.sys", 3),
    ],
)
@pytest.mark.parametrize("option", ["", "--json"])
def test_closed_streams_change_neither_results_nor_exit_codes(
    driver: Path, redirections: str, path: str, code: int, option: str
) -> None:
    ran = shell(f"{PROGRAM} sign {path} {option} {redirections}")
    assert ran.returncode == code, ran.stderr
    assert b"should not have happened" not in ran.stderr
    assert shell(f"{PROGRAM} inspect toaster.sys").stdout.count(b"intact") == (path == driver.name)


def test_a_password_can_not_be_asked_for_where_stdin_is_closed(driver: Path, made_identity: Path) -> None:
    ran = shell(f"{PROGRAM} sign toaster.sys --pfx {made_identity / 'code-signing.pfx'} <&-")
    assert ran.returncode == 3
    assert b"protected by a password" in ran.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii"])
@pytest.mark.parametrize(
    "arguments",
    ["certs show testcerts/generated/root.cer", "sign 'drïver 日本.sys'", "inspect 'drïver 日本.sys'", "verify --help"],
)
def test_old_encodings_of_a_console_or_a_file_are_no_error(work: Path, encoding: str, arguments: str) -> None:
    (work / "drïver 日本.sys").write_bytes(PeSpec().build())
    ran = shell(f"PYTHONUTF8=0 PYTHONIOENCODING={encoding} {PROGRAM} {arguments}")
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.decode(encoding)


def test_a_minus_is_the_standard_output(driver: Path) -> None:
    """The bytes are those of a file, and no result line is among them."""
    assert shell(f"{PROGRAM} sign toaster.sys --output signed.sys").returncode == 0
    ran = shell(f"{PROGRAM} strip signed.sys --output - -q")
    assert shell(f"{PROGRAM} strip signed.sys --output plain.sys").returncode == 0
    assert (ran.returncode, ran.stdout) == (0, Path("plain.sys").read_bytes())
    assert shell(f"{PROGRAM} extract signed.sys --output -").stdout.startswith(b"\x30\x82")
    assert not Path("-").exists()

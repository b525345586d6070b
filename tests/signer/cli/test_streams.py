"""Standard streams that are closed, full, or that nobody reads: never a traceback, never an exit code that misleads."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from testcerts.install_script import NAME
from tests.support.files import ROOT
from tests.support.images import PeSpec
from tests.support.inf_files import write_package
from tests.support.program import drvsign, state

FULL = Path("/dev/full")
PROGRAM = f"{sys.executable} -m signer"
"""The program as it starts; tests of streams that it writes and reads as usual start `warm_python`."""


def shell(command: str) -> subprocess.CompletedProcess[bytes]:
    """What a shell makes of a line with the program in it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(["bash", "-c", command], capture_output=True, env=environment, check=False)


def without_a_reader(arguments: str, stream: str) -> subprocess.CompletedProcess[bytes]:
    """What the program does whose reader of one stream went away before it started."""
    reader, writer = os.pipe()
    os.close(reader)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: writer}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        return subprocess.run([*PROGRAM.split(), *arguments.split()], env=environment, check=False, **streams)
    finally:
        os.close(writer)


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
    ran = without_a_reader(arguments, "stdout")
    assert (ran.returncode, ran.stderr) == (3, b"")


def test_an_interrupt_while_modules_are_loaded_is_no_traceback(work: Path) -> None:
    (work / "typer.py").write_text("raise KeyboardInterrupt")
    ran = shell(f"PYTHONPATH={work}:{ROOT} {PROGRAM} --version")
    said = b"error: interrupted\nhint: No file was left half written.\n"
    assert (ran.returncode, ran.stdout, ran.stderr.replace(b"\r", b"")) == (130, b"", said)


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
    assert without_a_reader("sign gone.sys", "stderr").returncode == 3


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
    assert drvsign("inspect", "toaster.sys").stdout.count("intact") == (path == driver.name)


@pytest.mark.parametrize("arguments", ["digest -", "sign @-", "explain -", "verify toaster.sys --catalog -"])
def test_a_closed_standard_input_is_not_an_empty_one(driver: Path, arguments: str) -> None:
    ran = shell(f"{PROGRAM} {arguments} <&-")
    assert (ran.returncode, ran.stdout) == (3, b"")
    assert b"The standard input is closed" in ran.stderr


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
    assert drvsign("sign", "toaster.sys", "--output", "signed.sys").code == 0
    ran = shell(f"{PROGRAM} strip signed.sys --output -")
    assert drvsign("strip", "signed.sys", "--output", "plain.sys").code == 0
    assert (ran.returncode, ran.stdout) == (0, Path("plain.sys").read_bytes())
    assert shell(f"{PROGRAM} extract signed.sys --output -").stdout.startswith(b"\x30\x82")
    assert not Path("-").exists()


FILTERS = {
    "sign": ("sign {}", "toaster.sys"),
    "strip": ("strip {}", "signed.sys"),
    "strip-unsigned": ("strip {}", "toaster.sys"),
    "attach": ("attach {} --signature signed.p7", "toaster.sys"),
    "attach-a-signature": ("attach toaster.sys --signature {}", "signed.p7"),
    "extract": ("extract {}", "signed.sys"),
    "detached": ("sign toaster.sys --detached", ""),
    "catalog-build": ("catalog build package", ""),
    "install-script": ("certs install-script", ""),
    "submission": ("submission build package --unsigned", ""),
}
"""Commands with one input, the file to give them, and their output."""


@pytest.fixture
def inputs(driver: Path) -> None:
    write_package(Path("package"))
    assert drvsign("sign", "toaster.sys", "--output", "signed.sys").code == 0
    assert drvsign("extract", "signed.sys", "--output", "signed.p7").code == 0


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize(("command", "source"), FILTERS.values(), ids=FILTERS)
def test_a_filter_writes_what_the_command_writes_to_a_file(
    warm_python: Path, monkeypatch: pytest.MonkeyPatch, command: str, source: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1735689600")
    option = "" if "--detached" in command else "--output"
    result = Path(f"{NAME}.cmd" if "install-script" in command else "result.cab")
    named = drvsign(*f"{command.format(source)} {option} {result}".split())
    assert named.code == 0, named.stderr
    piped = shell(f"{warm_python} -m signer {command.format('-')} {option} - <{source or '/dev/null'}")
    assert (piped.returncode, piped.stdout) == (0, result.read_bytes()), piped.stderr


@pytest.mark.usefixtures("inputs")
def test_an_exported_identity_on_the_standard_output_is_imported_from_the_standard_input(warm_python: Path) -> None:
    run = f"{warm_python} -m signer certs"
    ran = shell(f"{run} export --output - | {run} import - imported")
    assert ran.returncode == 0, ran.stderr
    assert Path("imported/code-signing.pfx").exists()


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize("command", ["sign -", "strip -", "attach - --signature signed.p7"])
def test_the_result_of_the_standard_input_goes_to_the_standard_output(warm_python: Path, command: str) -> None:
    ran = shell(f"{warm_python} -m signer {command} <signed.sys")
    assert (ran.returncode, ran.stdout[:2]) == (0, b"MZ"), ran.stderr


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize("command", ["digest {}", "inspect {}", "verify {} --test-machine", "inspect {} --json"])
def test_reading_commands_say_the_same_about_the_standard_input(command: str) -> None:
    named = drvsign(*command.format("signed.sys").split())
    piped = drvsign(*command.format("-").split(), stdin=Path("signed.sys").read_bytes())
    assert piped.code == named.code == 0, piped.stderr
    assert re.sub(r"(?<![\w-])-(?![\w-])", "signed.sys", piped.stdout) == named.stdout


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize("command", ["catalog show {}", "catalog show {} --json", "catalog diff {} result.cat"])
def test_a_catalog_can_be_the_standard_input(command: str) -> None:
    assert drvsign("catalog", "build", "package", "--output", "result.cat").code == 0
    ran = drvsign(*command.format("-").split(), stdin=Path("result.cat").read_bytes())
    assert (ran.code, ran.stderr) == (0, "")


@pytest.mark.usefixtures("inputs")
def test_a_list_of_files_can_be_the_standard_input() -> None:
    ran = drvsign("digest", "@-", "--json", stdin=b"toaster.sys\nsigned.sys\n")
    assert [entry["path"] for entry in ran.document["files"]] == ["toaster.sys", "signed.sys"]


@pytest.mark.usefixtures("inputs")
def test_events_on_the_standard_output_are_alone_there(warm_python: Path) -> None:
    ran = shell(f"{warm_python} -m signer verify signed.sys --policy kernel --target win11-24h2-x64 --events -")
    assert ran.returncode == 1
    assert [json.loads(line)["path"] for line in ran.stdout.splitlines()] == ["signed.sys"] * len(
        ran.stdout.splitlines()
    )
    assert ran.stdout


@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("sign toaster.sys --output - --json", "--output and --json both write to the standard output"),
        ("sign toaster.sys --output /dev/stdout --json", "--output and --json both"),
        ("sign - --json", "--json both write to the standard output"),
        ("attach - --signature signed.p7 --json", "--json both write to the standard output"),
        ("verify signed.sys --events - --json", "--events and --json both"),
        ("catalog build package --output - --json", "--output and --json both"),
        ("sign toaster.sys --output - --depfile -", "--output and --depfile can't both be the standard output"),
        ("attach - --signature -", "PATH and --signature can't both be the standard input"),
        ("sign - --password-file -", "PATH and --password-file can't both be the standard input"),
        ("sign - signed.sys", "- can't be combined with other files"),
        ("package -", "not a folder"),
        ("sign signed.sys --output-dir -", "not a folder"),
    ],
)
def test_a_standard_stream_has_one_use(arguments: str, says: str) -> None:
    before = state(Path.cwd())
    ran = drvsign(*arguments.split(), stdin=Path("signed.sys").read_bytes())
    assert ran.code == 2
    assert says in ran.stderr
    assert state(Path.cwd()) == before


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("sign toaster.sys --output -", 3),
        ("extract signed.sys --output /dev/tty", 3),
        ("verify signed.sys --test-machine --policy kernel --events -", 0),
    ],
)
def test_binary_data_is_not_written_to_a_terminal(arguments: str, code: int) -> None:
    ran = shell(f"script -qec '{PROGRAM} {arguments}' shown </dev/null")
    shown = Path("shown").read_bytes()
    assert ran.returncode == code, shown
    assert (b"binary data is not written to a terminal" in shown) == (code == 3)
    assert b"MZ" not in shown

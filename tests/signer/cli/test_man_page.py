"""`drvsign --show-man` prints a manual page with every command and option."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from signer.cli.app import COMMANDS
from signer.cli.exit_codes import ExitCode
from tests.support.program import drvsign


@pytest.fixture(scope="module")
def page() -> str:
    ran = drvsign("--show-man")
    assert ran.code == 0
    return ran.stdout


def test_every_command_and_option_is_in_the_page(page: str) -> None:
    plain = page.replace("\\-", "-")
    assert set(COMMANDS) <= set(re.findall(r'^\.SS "drvsign ([\w-]+)', plain, re.MULTILINE))
    assert '.SS "drvsign catalog build' in plain
    for option in ("--timestamp", "--policy", "--show-completion", "--package"):
        assert re.search(rf"^\.B (?:.*, )?{option}\b", plain, re.MULTILINE), option


def test_no_line_is_a_macro_by_accident(page: str) -> None:
    macros = {line.split()[0] for line in page.splitlines() if line.startswith((".", "'"))}
    assert macros <= {".TH", ".SH", ".SS", ".B", ".PP", ".TP"}


LINTS = [
    command
    for command in (["mandoc", "-T", "lint", "-W", "warning"], ["man", "--warnings", "-l"])
    if shutil.which(command[0])
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all pages."""
    made = tmp_path_factory.mktemp("man") / "new" / "man1"
    assert drvsign("--man-pages", str(made)).code == 0
    return made


def test_every_command_has_a_page(folder: Path, page: str) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {"drvsign.1", *(f"drvsign-{name}.1" for name in COMMANDS)}
    assert (folder / "drvsign.1").read_text("utf-8") == page


def test_a_page_has_the_options_the_commands_below_and_the_example(folder: Path) -> None:
    catalog = (folder / "drvsign-catalog.1").read_text("utf-8").replace("\\-", "-")
    assert '.SS "drvsign catalog build' in catalog
    verify = (folder / "drvsign-verify.1").read_text("utf-8").replace("\\-", "-")
    assert ".SH NAME\ndrvsign-verify - check whether Windows will install and load" in verify
    assert re.search(r"^\.B --target NAME$", verify, re.MULTILINE)
    assert "drvsign verify driver/ --target" in " ".join(verify.partition(".SH EXAMPLES")[2].split())
    for code in (ExitCode.DONE, ExitCode.REJECTED, ExitCode.USAGE, ExitCode.FAILED):
        assert f".B {code.value}\n" in verify


@pytest.mark.skipif(not LINTS, reason="no man or mandoc is here")
@pytest.mark.parametrize("command", LINTS, ids=lambda command: command[0])
def test_the_pages_are_formatted_without_warnings(folder: Path, command: list[str]) -> None:
    paths = sorted(folder.iterdir())
    ran = subprocess.run([*command, *paths], capture_output=True, text=True, check=False)
    said = ran.stdout if command[0] == "mandoc" else ran.stderr
    problems = [line for line in said.splitlines() if "missing date" not in line]  # what is made from help has none
    assert (ran.stderr, problems) == ("", []), problems[:20]

"""`drvsign --show-man` prints a manual page with every command and option."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from signer.cli.app import COMMANDS
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


@pytest.mark.skipif(shutil.which("man") is None and shutil.which("mandoc") is None, reason="no man or mandoc is here")
def test_the_page_is_formatted_without_warnings(page: str) -> None:
    command = ["mandoc", "-T", "lint", "-W", "warning"] if shutil.which("mandoc") else ["man", "--warnings", "-l", "-"]
    ran = subprocess.run(command, input=page.encode(), capture_output=True, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]

"""Completion in shells, by the calls that the printed script makes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from signer.cli.completion import SHELLS, VARIABLE
from tests.support.files import ROOT
from tests.support.program import drvsign


def call(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "signer", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [("drvsign certs exp", ["export"]), ("drvsign sign --cer", ["--cert", "--certs"]), ("drvsign ver", ["verify"])],
)
def test_the_call_of_the_script_gets_the_words_that_fit(words, expected):
    done = call(**{VARIABLE: "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))})
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, expected, "")


@pytest.mark.parametrize("value", ["bogus", "complete", "complete_", "complete_ksh", "x_bash", "bash_complete", "1"])
def test_an_unknown_value_of_the_variable_is_a_usage_error(value):
    done = call("--version", **{VARIABLE: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error: {VARIABLE} can't be {value!r}" in done.stderr


def test_an_empty_variable_counts_as_unset():
    assert call("--version", **{VARIABLE: ""}).returncode == 0


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script_that_sets_the_variable(shell):
    ran = drvsign("--show-completion", shell)
    assert ran.code == 0
    assert VARIABLE in ran.stdout
    assert f"complete_{shell}" in ran.stdout or shell == "pwsh"


def test_an_unknown_shell_is_a_usage_error():
    ran = drvsign("--show-completion", "ksh")
    assert (ran.code, ran.stdout) == (2, "")
    assert "Use one of: bash, zsh, fish, powershell, pwsh." in ran.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_can_parse_its_script():
    script = drvsign("--show-completion", "bash").stdout
    assert subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True).stderr == ""

"""Completion in shells, by the calls that the printed script makes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from signer.cli.app import app
from signer.cli.completion import SHELLS, VARIABLE
from signer.cli.completion_values import _VALUES
from tests.support.files import ROOT
from tests.support.program import drvsign


def call(*arguments: str, folder: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "signer", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("words", "expected"),
    [("drvsign certs exp", ["export"]), ("drvsign sign --cer", ["--cert", "--certs"]), ("drvsign ver", ["verify"])],
)
def test_the_call_of_the_script_gets_the_words_that_fit(words, expected):
    done = call(**{VARIABLE: "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))})
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, expected, "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("drvsign verify --target win11-24h2-X", ["win11-24h2-x64", "win11-24h2-x64-smode"]),
        ("drvsign verify --policy ", ["kernel", "pnp", "protected-media", "authenticode"]),
        ("drvsign package --os 10_25H2_X64,10_25H2_", ["10_25H2_X64,10_25H2_ARM64"]),
        ("drvsign sign --digest sha5", ["sha512"]),
        ("drvsign certs create --profile hal", ["hal"]),
        ("drvsign certs create --key p2", ["p256"]),
        ("drvsign verify --report sar", ["sarif="]),
        ("drvsign --show-completion power", ["powershell"]),
        ("drvsign sign --pfx a", []),
    ],
)
def test_the_values_of_options_are_completed(words, expected):
    done = call(**{VARIABLE: "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))})
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, expected, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("[profile.release]\n[profile.nightly]\n", ["release", "nightly"]), ("[profile", []), (None, [])],
)
def test_profiles_are_those_of_the_nearest_drvsign_toml(tmp_path, text, expected):
    """Nothing is completed, and nothing is printed, for a file with an error."""
    if text is not None:
        (tmp_path / "drvsign.toml").write_text(text)
    folder = tmp_path / "driver"
    folder.mkdir()
    variables = {VARIABLE: "complete_bash", "COMP_WORDS": "drvsign sign --profile ", "COMP_CWORD": "3"}
    done = call(folder=folder, **variables)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, expected, "")


def test_every_known_value_belongs_to_an_option_of_a_command():
    root = typer.main.get_command(app)
    assert {(name, option.metavar) for option in options(root) for name in option.opts} >= set(_VALUES)


def options(command):
    yield from (one for one in command.params if one.param_type_name == "option")
    context = typer.Context(command)
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from options(command.get_command(context, name))


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


IN_SHELLS = {
    "bash": """
        source "$SCRIPT"; COMP_WORDS=(drvsign verify --target win11-23h2-x64); COMP_CWORD=3
        complete -p drvsign; _drvsign_completion drvsign; printf '%s\\n' "${COMPREPLY[@]}" """,
    "zsh": """
        compdef() { print -r -- "$@" }; _arguments() { print -r -- "$@" }
        words=(drvsign verify --target win11-23h2-x64); CURRENT=4
        source "$SCRIPT"; _drvsign_completion""",
    "fish": "source $SCRIPT; complete --do-complete 'drvsign verify --target win11-23h2-x64'",
}
"""Programs that load the script of a shell and complete a call with it."""


@pytest.mark.parametrize("shell", IN_SHELLS)
def test_the_shell_loads_its_script_and_completes_with_it(shell, tmp_path):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    program = tmp_path / "drvsign"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m signer "$@"\n')
    program.chmod(0o755)
    script = tmp_path / "script"
    script.write_text(drvsign("--show-completion", shell).stdout)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": path, "SCRIPT": str(script), "HOME": str(tmp_path)}
    done = subprocess.run([shell, "-c", IN_SHELLS[shell]], env=environment, capture_output=True, text=True)
    assert done.stderr == ""
    assert {"win11-23h2-x64", "win11-23h2-x64-smode"} <= set(re.findall(r"win11[\w-]+", done.stdout))


def test_powershell_gets_words_with_their_help():
    """PowerShell is not tried; its script passes the command line in these variables."""
    script = drvsign("--show-completion", "powershell").stdout
    variables = {"_TYPER_COMPLETE_ARGS": "drvsign verify --targ", "_TYPER_COMPLETE_WORD_TO_COMPLETE": "--targ"}
    assert all(f"$Env:{name} = " in script for name in variables)
    done = call(**{VARIABLE: "complete_powershell"}, **variables)
    assert done.stdout.startswith("--target:::A release and architecture")
    assert ":::" in script

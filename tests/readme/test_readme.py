"""The README is true: its session runs as it stands there, and what it names exists."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE, STDOUT

import pytest

from signer.cli.app import COMMANDS
from tests.support.files import ROOT
from tests.support.sessions import matches, session

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    """A folder with `drvsign` in it, as it is called here."""
    folder = tmp_path_factory.mktemp("bin")
    script = folder / "drvsign"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m signer "$@"\n')
    script.chmod(0o755)
    return folder


@pytest.mark.skipif(os.name == "nt", reason="the session is one of a POSIX shell")
def test_the_session_runs_as_it_stands_there(program, tmp_path):
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    environment = {**os.environ, "PATH": f"{program}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "120"}
    environment["XDG_DATA_HOME"] = str(tmp_path / "data")  # a user without test certificates
    steps = session(README)
    assert len(steps) >= 8
    for command, shown in steps:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, stdout=PIPE, stderr=STDOUT, text=True
        )  # fmt: skip
        assert matches(shown, done.stdout), f"$ {command}\n{done.stdout}"


def test_the_table_has_every_command():
    names = re.findall(r"`(?:drvsign )?([\w-]+)`", "".join(re.findall(r"^\| (`drvsign.*?) \|", README, re.MULTILINE)))
    assert set(names) == set(COMMANDS)


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", README))
def test_every_link_leads_somewhere(link):
    assert (ROOT / link).exists()


def test_every_target_of_make_exists():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"(?:^|`)make ([a-z]+)\b", README, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_first_commands_are_those_of_a_new_checkout():
    blocks = re.findall(r"```\n(.*?)```", README, re.DOTALL)
    assert [line.split("#")[0].strip() for line in blocks[0].splitlines()] == ["make demo", "make test"]
    activate, *calls = blocks[1].splitlines()
    assert activate == ". .venv/bin/activate"
    assert [line.split()[:2] for line in calls] == [["drvsign", "package"], ["drvsign", "verify"]]

"""The console blocks of all pages run as they stand there, and other blocks call commands and options that exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, STDOUT
from typing import Any

import pytest
import typer

from signer.cli.app import app
from tests.support.files import ROOT
from tests.support.sessions import matches, session

PAGES = [*sorted((ROOT / "docs").glob("*.md")), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md"))]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
ELSEWHERE = {"reports.md": "tests/signer/reports/test_reports_page.py"}
"""Pages with console blocks that another test runs."""


@pytest.mark.skipif(os.name == "nt", reason="the session is one of a POSIX shell")
def test_the_tutorial_runs_as_it_stands_there(tmp_path):
    program = tmp_path / "bin" / "drvsign"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m signer "$@"\n')
    program.chmod(0o755)
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    environment = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "120"}
    environment["XDG_DATA_HOME"] = str(tmp_path / "data")  # a user without test certificates
    steps = session(TUTORIAL)
    assert len(steps) >= 8
    for command, shown in steps:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env=environment, stdout=PIPE, stderr=STDOUT, text=True
        )  # fmt: skip
        assert matches(shown, done.stdout), f"$ {command}\n{done.stdout}"


def test_every_page_with_console_blocks_is_run():
    found = {path.name for path in PAGES if "```console" in path.read_text("utf-8")}
    assert found == {"tutorial.md", *ELSEWHERE}
    for page, test in ELSEWHERE.items():
        assert page in (ROOT / test).read_text("utf-8")


def calls(path: Path) -> Iterator[str]:
    """Yield the calls of drvsign in other blocks and in the text; their files are the reader's, so they are not run."""
    text = re.sub(r"```console\n.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    blocks = "\n".join(re.split(r"^```.*$", text, flags=re.MULTILINE)[1::2])
    yield from (line.partition(" #")[0].strip() for line in re.findall(r"^drvsign ([a-z-].*)", blocks, re.MULTILINE))
    yield from (" ".join(one.split()) for one in re.findall(r"(?<!`)`drvsign ([a-z-][^`]*)`", text))


CALLS = sorted({(path.name, call) for path in PAGES for call in calls(path)})


def test_there_are_calls():
    assert len(CALLS) > 60


@pytest.mark.parametrize(("page", "call"), CALLS)
def test_commands_and_options_of_other_blocks_exist(page, call):
    command: Any = typer.main.get_command(app)
    words = [word for word in re.split(r"\s+", call) if word]
    if words[0] == "--as":  # the command line of a tool of Microsoft
        return
    known = {"--help", *(name for one in command.params for name in (*one.opts, *one.secondary_opts))}
    while words and hasattr(command, "get_command") and not words[0].startswith("-"):
        command = command.get_command(typer.Context(command), words.pop(0))
        assert command is not None, call
        known |= {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert used <= known, used - known

"""Long lines on a terminal, whole option names in help, and --quiet."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from signer.cli.app import COMMANDS, app
from signer.cli.output import Output
from signer.cli.terminal import console
from tests.support.program import drvsign


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def commands() -> Iterator[tuple[str, Any]]:
    """Yield the name and the object of every command, and of those below it."""
    group = typer.main.get_command(app)
    for name in COMMANDS:
        below = [(name, group.get_command(None, name))]
        while below:
            path, command = below.pop()
            yield path, command
            below += [(f"{path} {word}", one) for word, one in getattr(command, "commands", {}).items()]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_lines_wrap_at_words_and_keep_their_indent(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setattr(sys, "stdout", stream := Terminal())
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    console.cache_clear()
    text = "the chain of 'Contoso Test' (embedded signature) ends at 'Contoso Test Root CA', a test root. " * 3
    output = Output()
    output.print(f"    {text}")
    output.line("rejected", text)
    output.print("x" * 250)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()
    words = [word for line in lines for word in line.split()]
    assert words == f"{text} rejected {text} {'x' * 250}".split(), "no word is broken or lost"
    assert all(len(line) <= width for line in lines if "x" not in line)
    first = next(number for number, line in enumerate(lines) if line.startswith("rejected"))
    assert all(re.match("    [^ ]", line) for line in lines[:first])
    assert all(re.match("  [^ ]", line) for line in lines[first + 1 : -1])


def test_no_option_name_is_cut_in_help_at_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    missing = []
    for path, command in commands():
        shown = set(re.findall(r"--[a-z0-9-]+(?!…)\b", drvsign(*path.split(), "--help").stdout))
        options = (name for one in command.params for name in (*one.opts, *one.secondary_opts))
        missing += [(path, name) for name in options if name.startswith("--") and name not in shown]
    assert missing == []


def test_quiet_prints_no_result_lines_but_what_was_asked_for(driver: Path) -> None:
    ran = drvsign("sign", driver, "-q")
    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "")
    assert drvsign("verify", driver, "--test-machine", "-q").stdout.startswith("accepted")
    assert drvsign("inspect", driver, "-q").stdout

"""Words of a call become the values that Typer would make of them, and what is no such value is Typer's to refuse."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from signer.cli.app import app
from signer.cli.param_types import read_plainly
from tests.support.files import ROOT


def made(arguments: list[str], *, plainly: bool) -> tuple[int, dict[str, Any]]:
    """The exit code and the values that a command with a parameter of each kind is called with."""
    app, seen = typer.Typer(), {}

    @app.command()
    def command(
        paths: Annotated[list[Path], typer.Argument()],
        text: Annotated[str, typer.Option()] = "default",
        maybe: Annotated[str | None, typer.Option()] = None,
        many: Annotated[list[str] | None, typer.Option()] = None,
        folder: Annotated[Path | None, typer.Option()] = None,
        number: Annotated[int, typer.Option()] = 7,
        jobs: Annotated[int, typer.Option(min=0)] = 0,
        port: Annotated[int, typer.Option(min=1, max=9)] = 1,
        flag: Annotated[bool, typer.Option("--flag/--no-flag")] = False,
        loud: Annotated[int, typer.Option("-v", count=True)] = 0,
    ) -> None:
        seen.update(locals())

    loaded: Any = typer.main.get_command(app)
    if plainly:
        for parameter in loaded.params:
            read_plainly(parameter)
    result = CliRunner().invoke(_App(loaded), arguments)
    seen.pop("seen", None)
    return result.exit_code, {name: (type(value), value) for name, value in seen.items()}


class _App(typer.Typer):
    """A Typer application of one command that was made before."""

    def __init__(self, command: Any) -> None:
        super().__init__()
        self.made = command


@pytest.fixture(autouse=True)
def commands_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.testing._get_command", lambda app: app.made)


@pytest.mark.parametrize(
    "arguments",
    [
        ["a.sys"],
        ["a.sys", "b/c.sys", "--text", "", "--maybe", "ü", "--many", "1", "--many", "2"],
        ["a", "--folder", "."],
        ["a", "--number", "12", "--jobs", "3", "--port", "9", "--flag", "-v", "-v"],
        ["a", "--number", "-12"],
        ["a", "--number", "+3"],
        ["a", "--number", " 3 "],
        ["a", "--number", "1_000"],
        ["a", "--number", "٣"],
        ["a", "--number", "three"],
        ["a", "--number", "1.0"],
        ["a", "--number", "9" * 30],
        ["a", "--jobs", "-1"],
        ["a", "--jobs", "0"],
        ["a", "--port", "0"],
        ["a", "--port", "10"],
        ["a", "--no-flag"],
        [],
    ],
    ids=" ".join,
)
def test_values_are_those_that_typer_makes(arguments: list[str]) -> None:
    assert made(arguments, plainly=True) == made(arguments, plainly=False)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("sign a.sys --jobs x", "'--jobs' / '-j': 'x' is not a whole number of 0 or more"),
        ("sign a.sys --jobs -1", "'--jobs' / '-j': '-1' is not a whole number of 0 or more"),
        ("sign a.sys --password-fd 1.5", "'--password-fd': '1.5' is not a whole number"),
        ("tsa serve --port 99999", "'--port': '99999' is not a whole number from 0 to 65535"),
    ],
)
def test_a_wrong_number_is_said_in_plain_words(call: str, says: str) -> None:
    done = CliRunner().invoke(_App(typer.main.get_command(app)), call.split())
    assert (done.exit_code, done.stderr.splitlines()[0]) == (2, f"error: invalid value for {says}")


@pytest.mark.parametrize("call", [["sign", ""], ["strip", ""], ["sign", "a.sys", "--output", ""]])
def test_an_empty_path_is_refused_and_not_taken_for_the_working_folder(call: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(_App(typer.main.get_command(app)), call)
    assert done.exit_code == 2
    assert "it is empty; a path is wanted" in done.stderr


def test_a_file_that_is_named_as_a_folder_is_refused(tmp_path: Path) -> None:
    call = ["sign", "a.sys", "--output", f"{tmp_path}/new/"]
    done = CliRunner().invoke(_App(typer.main.get_command(app)), call)
    assert done.exit_code == 2
    assert "/new/' names a folder, and a file is wanted" in done.stderr


@pytest.mark.parametrize(
    ("call", "command"),
    [
        ("sign a.sys --json=1", "drvsign sign"),
        ("sign --pfx", "drvsign sign"),
        ("certs show --json=3", "drvsign certs show"),
        ("certs crate", "drvsign certs"),
        ("sgn a.sys", "drvsign"),
        ("--wrong sign", "drvsign"),
    ],
)
def test_the_hint_names_the_command_whose_help_helps(call: str, command: str) -> None:
    done = CliRunner().invoke(_App(typer.main.get_command(app)), call.split())
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (2, f"hint: See: {command} --help")


def test_a_plain_call_loads_neither_pydantic_nor_rich() -> None:
    """They take longer to load than most of what is done here."""
    program = (
        "import sys\nfrom signer.cli.app import main\n"
        "try: main()\nexcept SystemExit: print([name for name in ('pydantic', 'rich', 'lief') if name in sys.modules])"
    )
    call = [sys.executable, "-c", program, "digest", str(ROOT / "pyproject.toml"), "--algorithm", "sha1"]
    done = subprocess.run(call, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]", done

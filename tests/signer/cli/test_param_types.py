"""Words of a call become the values that Typer would make of them, and what is no such value is Typer's to refuse."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
import typer
from typer.testing import CliRunner

from signer.cli.app import app
from signer.cli.param_types import HOOK, convert_directly, to_file, to_input, to_output, to_path, to_place
from signer.storage.streams import STANDARD
from tests.support.files import ROOT


def made(arguments: list[str], *, plainly: bool) -> tuple[int, dict[str, Any]]:
    """The exit code and the values that a command with a parameter of each kind is called with."""
    app, seen = typer.Typer(), {}

    @app.command()
    def command(
        paths: Annotated[list[Path], typer.Argument(parser=to_path)],
        text: Annotated[str, typer.Option()] = "default",
        maybe: Annotated[str | None, typer.Option()] = None,
        many: Annotated[list[str] | None, typer.Option()] = None,
        folder: Annotated[Path | None, typer.Option(parser=to_path)] = None,
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
            convert_directly(parameter)
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


@pytest.fixture(params=["directly", "by Typer"])
def converted(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands whose values are converted here, or, as with a Typer that lacks the hook, by Typer alone."""
    if request.param == "by Typer":
        monkeypatch.setattr("signer.cli.param_types.HOOK", "hook_of_another_release")


@pytest.mark.usefixtures("converted")
@pytest.mark.parametrize(
    "call", [["sign", ""], ["strip", ""], ["verify", "a.sys", ""], ["sign", "a.sys", "--output", ""], ["package", ""]]
)
def test_an_empty_path_is_refused_and_not_taken_for_the_working_folder(call: list[str]) -> None:
    done = CliRunner().invoke(_App(typer.main.get_command(app)), call)
    assert done.exit_code == 2
    assert "the path is empty" in done.stderr


@pytest.mark.usefixtures("converted")
def test_a_file_that_is_named_as_a_folder_is_refused(tmp_path: Path) -> None:
    call = ["sign", "a.sys", "--output", f"{tmp_path}/new/"]
    done = CliRunner().invoke(_App(typer.main.get_command(app)), call)
    assert done.exit_code == 2
    assert "invalid value for '--output' / '-o': '" in done.stderr
    assert "/new/' ends with a slash, which names a folder: a file is required" in done.stderr


def test_every_path_of_every_command_is_checked_by_a_parser_and_every_file_by_that_of_files() -> None:
    """Declared with Typer's public `parser=`, so that the checks stand whatever becomes of the hook."""
    found = [info for command in _commands(typer.main.get_command(app)) for info in _paths(command)]
    assert len(found) > 60
    assert {
        info.metavar for info in found if info.parser not in (to_path, to_place, to_input, to_file, to_output)
    } == set()
    files = [info for info in found if info.metavar == "FILE"]
    assert {info.metavar for info in files if info.parser not in (to_file, to_output)} == set()


def _commands(command: Any) -> Iterator[Any]:
    context = typer.Context(command)
    names = command.list_commands(context) if hasattr(command, "list_commands") else ()
    below = [command.get_command(context, name) for name in names]
    yield from [command] if not below else [one for part in below for one in _commands(part)]


def _paths(command: Any) -> Iterator[Any]:
    for parameter in command.params:
        described = getattr(parameter, "type_descriptor", None)
        kind = described.annotation if described is not None else None
        if kind is Path or Path in get_args(kind):
            yield described.parameter_info


def test_the_installed_typer_has_the_hook() -> None:
    """Without it every call loads pydantic: find the new place in Typer, or accept the time and remove `_Converter`."""
    parameter = typer.main.get_command(app).params[0]
    assert callable(getattr(parameter, HOOK, None)), f"Typer {typer.__version__} has no {HOOK}"


def test_typer_is_bound_to_releases_that_were_tried() -> None:
    """What is private may change with any minor release, so the next one is tried before it is allowed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (bound,) = [one for one in project["dependencies"] if one.startswith("typer")]
    match = re.fullmatch(r"typer>=(\d+)\.(\d+),<(\d+)\.(\d+)", bound)
    assert match, bound
    major, minor, next_major, next_minor = map(int, match.groups())
    assert (next_major, next_minor) == (major, minor + 1)
    assert (major, minor) == tuple(map(int, typer.__version__.split(".")[:2]))


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
    call = [sys.executable, "-c", program, "digest", str(ROOT / "pyproject.toml"), "--digest", "sha1"]
    done = subprocess.run(call, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]", done


@pytest.mark.parametrize("convert", [to_input, to_file, to_output])
def test_a_minus_is_a_standard_stream_and_a_file_of_this_name_is_not(convert) -> None:
    assert convert("-") == STANDARD
    assert convert("./-") == Path.cwd() / "-"


@pytest.mark.parametrize("convert", [to_path, to_place])
def test_a_standard_stream_is_no_folder(convert) -> None:
    with pytest.raises(typer.BadParameter, match="not a folder"):
        convert("-")
    assert convert("./-") == Path.cwd() / "-"

"""The help of commands: every word, within the terminal's width, styled only where styles are wanted."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from signer.cli import parameters
from signer.cli.app import app
from signer.cli.command_table import COMMANDS, PANELS
from signer.cli.help import summary
from signer.cli.panels import Canvas, Row, words
from tests.signer.cli.test_bad_input import subcommands
from tests.support.program import drvsign

WIDTHS = (24, 40, 60, 80, 120, 200)


class Stream(io.TextIOWrapper):
    def __init__(self, *, terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding)
        self._is_terminal = terminal

    def isatty(self) -> bool:
        return self._is_terminal


def command(path: tuple[str, ...]) -> Any:
    found: Any = typer.main.get_command(app)
    for name in path:
        found = found.get_command(None, name)
    return found


def help_of(path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, width: int = 80) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    ran = drvsign(*path, "--help")
    assert ran.code == 0
    return ran.stdout


def panels(shown: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the title and the lines of each panel."""
    for title, body in re.findall(r"^╭─ (.+?) ─*╮\n((?:│.*│\n)*)╰─*╯$", shown, re.MULTILINE):
        yield title, [line[2:-2] for line in body.splitlines()]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_has_the_summaries_of_their_help(name: str) -> None:
    table = {name: text for below in PANELS.values() for name, text in below.items()}
    assert table[name] == summary(command((name,)).help)


@pytest.mark.parametrize(("name", "option"), [("targets", "--target"), ("os-names", "--os")])
def test_a_list_of_names_says_which_commands_take_them(name: str, option: str) -> None:
    takers = {path for path in subcommands() if any(option in one.opts for one in command(path).params)}
    said = re.search(r" that (.+?) take as (--\S+?)[,.]", summary(command((name,)).help))
    assert said is not None
    assert said[2] == option
    assert {tuple(words.split()) for words in re.split(r", | and ", said[1])} == takers


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", [(), *subcommands()], ids="-".join)
def test_every_word_is_shown_within_the_width(path: tuple[str, ...], width: int, monkeypatch: Any) -> None:
    shown = help_of(path, monkeypatch, width)
    drawn = [line for line in shown.splitlines() if line[:1] in ("╭", "│", "╰")]
    assert {len(line) for line in drawn} == {width}
    assert drawn.count(drawn[-1]) == len(list(panels(shown))), "every panel is closed"
    letters = "".join("".join(line) for _, lines in panels(shown) for line in lines).replace(" ", "")
    for one in parameters.shown(command(path).params):
        assert "".join((one.help + parameters.notes(one)).split()) in letters
        assert all(name in letters for name in (*one.opts, *one.secondary_opts) if name.startswith("-"))
    assert all(len(line) <= width for line in shown.partition("╭")[0].splitlines())


def test_the_panels_of_the_program_group_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    found = dict(panels(help_of((), monkeypatch)))
    assert list(found) == ["Options", *PANELS]
    for title, below in PANELS.items():
        assert [line.split()[0] for line in found[title] if line[0] != " "] == list(below)


def test_texts_of_all_options_begin_in_one_column(monkeypatch: pytest.MonkeyPatch) -> None:
    found = dict(panels(help_of(("verify",), monkeypatch)))
    assert found.pop("Arguments") == ["PATH...  Files, folders, or @list.txt; - is the standard input. [required]  "]
    lines = "\n".join(line for panel in found.values() for line in panel)
    beside = re.findall(r"^((?:-\w,|   ) --\S+(?: [A-Z=]+)?  +)[A-Z]", lines, re.MULTILINE)
    assert len(beside) > 25
    assert len({len(names) for names in beside}) == 1
    assert found["Options"][0].strip() == "--policy kernel|pnp|protected-media|authenticode"


def test_required_options_defaults_and_ranges_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "The file to write. [required]" in help_of(("extract",), monkeypatch)
    assert "[default: 3161] [0 to 65535]" in help_of(("tsa", "serve"), monkeypatch, 120)
    assert "[default: 0]" in help_of(("sign",), monkeypatch)
    assert "Usage: drvsign init [OPTION]... [DIR]" in help_of(("init",), monkeypatch)
    assert "Usage: drvsign catalog COMMAND [OPTION]..." in help_of(("catalog",), monkeypatch)


def test_calls_in_examples_stay_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\n   drvsign package driver/ --os 10_X64 --pfx contoso.pfx --password-env PFX_PASSWORD\n" in help_of(
        ("package",), monkeypatch, 40
    )


@pytest.mark.parametrize("path", [(), ("catalog",)], ids="-".join)
def test_a_group_without_a_command_shows_its_help(path: tuple[str, ...]) -> None:
    ran = drvsign(*path)
    assert (ran.code, ran.stdout, ran.stderr) == (2, drvsign(*path, "--help").stdout, "")


CANVASES = {
    "pipe": (Stream(terminal=False), {}, (False, False)),
    "terminal": (Stream(terminal=True), {}, (True, True)),
    "no-color": (Stream(terminal=True), {"NO_COLOR": "1"}, (True, False)),
    "dumb": (Stream(terminal=True), {"TERM": "dumb"}, (False, False)),
    "forced": (Stream(terminal=False), {"FORCE_COLOR": "1"}, (True, True)),
}


@pytest.mark.parametrize(("stream", "variables", "expected"), CANVASES.values(), ids=CANVASES)
def test_styles_are_for_terminals_that_want_them(
    stream: Stream, variables: dict[str, str], expected: tuple[bool, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    canvas = Canvas.of(stream)
    assert (canvas.styled, canvas.colored) == expected
    drawn = "\n".join(canvas.panel("Options", [Row(words("--json", "name"), words("Same as --format json."))], 10))
    assert ("\x1b[" in drawn) == expected[0]
    assert ("36m" in drawn) == expected[1]
    assert drawn.count("36m--format") == expected[1], "options are styled in texts too"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", drawn)
    assert {len(line) for line in plain.splitlines()} == {canvas.width}


def test_help_on_a_terminal_is_styled(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = drvsign("keys", "list", "--help").stdout
    monkeypatch.setenv("FORCE_COLOR", "1")
    styled = drvsign("keys", "list", "--help").stdout
    assert "\x1b[1;36m--quiet\x1b[0m" in styled
    assert re.sub(r"\x1b\[[0-9;]*m", "", styled) == plain


def test_panels_are_drawn_in_ascii_where_the_stream_has_no_other_characters() -> None:
    canvas = Canvas.of(Stream(terminal=False, encoding="cp1252"))
    assert "".join(canvas.panel("Options", [Row(words("--json"), words("One."))], 10)).isascii()


def test_every_argument_and_every_value_of_an_option_has_a_name() -> None:
    def unnamed(path: str, one: Any) -> Iterator[str]:
        named = [each for each in one.params if parameters.is_argument(each) or not (each.is_flag or each.count)]
        yield from (f"{path} {each.opts}" for each in named if not each.metavar)
        for name, below in getattr(one, "commands", {}).items():
            yield from unnamed(f"{path} {name}", below)

    assert [found for name in COMMANDS for found in unnamed(name, command((name,)))] == []

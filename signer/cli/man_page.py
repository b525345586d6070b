"""Write manual pages from the help: drvsign(1), and a page for each command such as drvsign-verify(1)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import typer

from signer.cli import parameters

_EXIT_CODES = (
    ("0", "Done, or accepted."),
    ("1", "Verified and rejected."),
    ("2", "Wrong usage."),
    ("3", "Failed or undecided."),
    ("130, 143", "Ended by SIGINT or SIGTERM."),
)
_WIDTH = 79


def show(ctx: typer.Context) -> NoReturn:
    """Print drvsign(1) and exit."""
    typer.echo("\n".join(page(ctx.find_root().command)))
    raise typer.Exit


def write(ctx: typer.Context, folder: Path) -> NoReturn:
    """Write the pages of drvsign and of all commands to a folder and exit. Raises FileError."""
    from signer.storage.files import ensure_folder, write_atomically

    ensure_folder(folder)
    for name, lines in pages(ctx.find_root().command):
        write_atomically(folder / f"{name}.1", "".join(f"{line}\n" for line in lines).encode())
    raise typer.Exit


def pages(group: Any) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield the name of each page and its lines."""
    context = typer.Context(group, info_name="drvsign")
    names = group.list_commands(context)
    yield "drvsign", page(group)
    for name in names:
        yield f"drvsign-{name}", _page_of(name, group.get_command(context, name))


def page(group: Any) -> Iterator[str]:
    """Yield the lines of drvsign(1), with all commands, in the macros of man(7)."""
    context = typer.Context(group, info_name="drvsign")
    names = group.list_commands(context)
    yield from _head("drvsign", "sign Windows driver packages, and check whether Windows will load them")
    yield ".B drvsign"
    yield parameters.usage(group)
    yield ".SH DESCRIPTION"
    yield from _text(group.help or "")
    yield ".SH OPTIONS"
    yield from _options(group)
    yield ".SH COMMANDS"
    for name in names:
        yield from _command(f"drvsign {name}", group.get_command(context, name))
    yield from _exit_status()
    yield from _see_also(f"drvsign-{name}" for name in names)


def _page_of(name: str, command: Any) -> Iterator[str]:
    """Yield the lines of the page of one command, with the commands below it."""
    paragraphs = (command.help or "").strip().split("\n\n")
    first = " ".join(paragraphs[0].split())
    below = getattr(command, "commands", {})
    yield from _head(f"drvsign-{name}", f"{first[:1].lower()}{first[1:].rstrip('.')}")
    yield f".B drvsign {_escaped(name)}"
    yield _escaped(parameters.usage(command))
    if paragraphs[1:]:
        yield ".SH DESCRIPTION"
        yield from _text("\n\n".join(paragraphs[1:]))
    if any(_options(command)):
        yield ".SH OPTIONS"
        yield from _options(command)
    if below:
        yield ".SH COMMANDS"
    for other, one in below.items():
        yield from _command(f"drvsign {name} {other}", one)
    if command.epilog:
        yield ".SH EXAMPLES"
        yield from _text(command.epilog.partition(":\n\n")[2] or command.epilog)
    yield from _exit_status()
    yield from _see_also(["drvsign"])


def _head(name: str, purpose: str) -> Iterator[str]:
    yield f'.TH {_escaped(name.upper())} 1 "" "drvsign" "User Commands"'
    yield ".SH NAME"
    yield from _lines(f"{_escaped(name)} \\- {_escaped(purpose)}")
    yield ".SH SYNOPSIS"


def _exit_status() -> Iterator[str]:
    yield '.SH "EXIT STATUS"'
    for code, meaning in _EXIT_CODES:
        yield from (".TP", f".B {code}", meaning)


def _see_also(names: Any) -> Iterator[str]:
    yield '.SH "SEE ALSO"'
    yield from _lines(", ".join(f"{_escaped(name)}(1)" for name in names))


def _command(path: str, command: Any) -> Iterator[str]:
    """Yield the section of a command and of the commands below it."""
    yield f'.SS "{_escaped(f"{path} {parameters.usage(command)}")}"'
    yield from _text(command.help or "")
    yield from _options(command)
    if command.epilog:
        yield from (".PP", *_text(command.epilog))
    for name, one in getattr(command, "commands", {}).items():
        yield from _command(f"{path} {name}", one)


def _options(command: Any) -> Iterator[str]:
    for one in parameters.shown(command.params):
        if parameters.is_argument(one):
            name = parameters.argument(one)
        else:
            name = f"{', '.join([*one.opts, *one.secondary_opts])} {parameters.value(one)}".rstrip()
        text = " ".join(f"{one.help} {parameters.notes(one)}".split())
        yield from (".TP", f".B {_escaped(name)}", *_lines(_escaped(text)))


def _text(text: str) -> Iterator[str]:
    """Yield paragraphs; the first follows a heading, after which roff needs no macro."""
    paragraphs = filter(None, (" ".join(one.split()) for one in text.split("\n\n")))
    for number, paragraph in enumerate(paragraphs):
        if number:
            yield ".PP"
        yield from _lines(_escaped(paragraph))


def _lines(text: str) -> Iterator[str]:
    """Break escaped text into lines; protect a dot or quote that roff would read as a macro at the start of one."""
    for line in textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False):
        yield f"\\&{line}" if line.startswith((".", "'")) else line


def _escaped(text: str) -> str:
    """Escape what roff would read within a line: backslashes, hyphens and quotes."""
    return text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")

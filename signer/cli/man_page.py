"""Write the manual page drvsign(1) from the help of all commands: `drvsign --show-man`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

_EXIT_CODES = (
    ("0", "Done, or accepted."),
    ("1", "A check said no."),
    ("2", "The command line is wrong."),
    ("3", "The command could not do or decide it."),
    ("130, 143", "Ended by SIGINT or SIGTERM."),
)


def show(ctx: typer.Context, wanted: bool) -> None:
    """Print the page and exit, if it is wanted."""
    if wanted:
        typer.echo("\n".join(page(ctx.find_root().command)))
        raise typer.Exit


def page(group: Any) -> Iterator[str]:
    """Yield the lines of the page in the macros of man(7)."""
    yield '.TH DRVSIGN 1 "" "drvsign" "User Commands"'
    yield ".SH NAME"
    yield "drvsign \\- sign Windows driver packages, and check whether Windows will load them"
    yield ".SH SYNOPSIS"
    yield ".B drvsign"
    yield "COMMAND [OPTION]..."
    yield ".SH DESCRIPTION"
    yield from _text(group.help or "")
    yield ".SH OPTIONS"
    yield from _options(group)
    yield ".SH COMMANDS"
    context = typer.Context(group, info_name="drvsign")
    for name in group.list_commands(context):
        yield from _command(f"drvsign {name}", group.get_command(context, name))
    yield '.SH "EXIT STATUS"'
    for code, meaning in _EXIT_CODES:
        yield from (".TP", f".B {code}", meaning)


def _command(path: str, command: Any) -> Iterator[str]:
    """Yield the section of a command and of the commands below it."""
    arguments = [_argument(one) for one in command.params if one.param_type_name == "argument"]
    below = getattr(command, "commands", {})
    yield f'.SS "{_escaped(" ".join([path, "COMMAND" if below else "[OPTION]...", *arguments]))}"'
    yield from _text(command.help or "")
    yield from _options(command)
    yield from _text(command.epilog or "")
    for name, one in below.items():
        yield from _command(f"{path} {name}", one)


def _options(command: Any) -> Iterator[str]:
    for one in command.params:
        if not one.name or getattr(one, "hidden", False) or not getattr(one, "help", None):
            continue
        if one.param_type_name == "argument":
            shown = _argument(one)
        else:
            shown = " ".join([", ".join([*one.opts, *one.secondary_opts]), (one.metavar or "").strip()]).strip()
        yield from (".TP", f".B {_escaped(shown)}", _escaped(" ".join(one.help.split())))


def _argument(parameter: Any) -> str:
    name = (parameter.metavar or parameter.name or "").strip() or parameter.name.upper()
    more = "..." if parameter.nargs == -1 else ""
    return f"{name}{more}" if parameter.required else f"[{name}]{more}"


def _text(text: str) -> Iterator[str]:
    for paragraph in filter(None, (" ".join(one.split()) for one in text.split("\n\n"))):
        yield from (".PP", _escaped(paragraph))


def _escaped(text: str) -> str:
    """Escape what roff would read: backslashes, hyphens, and a dot or quote at the start of a line."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{text}" if text.startswith((".", "'")) else text

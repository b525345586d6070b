"""The help of commands, drawn without rich: Typer's help imports it, which takes longer than everything else.

Options are grouped in panels by their `rich_help_panel`, as Typer does.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from signer.cli import parameters
from signer.cli.panels import Canvas, Row, Word, words

_SHORT_WIDTH = 4
"""Width of a short name with its comma and space: `-o, `."""


def write_help(command: Any, ctx: Any, formatter: Any, panels: Mapping[str, Mapping[str, str]] | None = None) -> None:
    """Write the help of a command to Typer's formatter; `panels` are the summaries of a group's commands.

    Without `panels`, they come from the commands of a group.
    """
    canvas = Canvas.of(sys.stdout)
    ctx.color = canvas.styled
    shown = panels if panels is not None else _below(command)
    for block in _blocks(command, ctx, canvas, shown):
        formatter.write("".join(f"{line}\n" for line in block))


def summary(help_: str) -> str:
    """Return the first paragraph of a help text on one line."""
    return " ".join(help_.strip().partition("\n\n")[0].split())


def _blocks(
    command: Any, ctx: Any, canvas: Canvas, shown: Mapping[str, Mapping[str, str]]
) -> Iterator[Iterator[str] | Sequence[str]]:
    """Yield the lines of each part: usage, description, panels, examples."""
    yield ["", *canvas.paragraph(_usage(command, ctx)), ""]
    for paragraph in (command.help or "").split("\n\n"):
        yield [*canvas.paragraph(words(paragraph)), ""]
    yield from _parameter_panels(command, ctx, canvas)
    commands = {
        title: [Row(words(name, "name"), words(text)) for name, text in below.items()] for title, below in shown.items()
    }
    column = canvas.column(row for rows in commands.values() for row in rows)
    for title, rows in commands.items():
        yield canvas.panel(title, rows, column)
    if command.epilog:
        yield ["", *_examples(command.epilog, canvas)]


def _usage(command: Any, ctx: Any) -> list[Word]:
    called = [*words("Usage:", "heading"), *words(ctx.command_path, "bold")]
    return [*called, *words(parameters.usage(command), "bold")]


def _below(command: Any) -> dict[str, dict[str, str]]:
    """Return the summaries of the commands of a group."""
    found = {name: summary(one.help or "") for name, one in getattr(command, "commands", {}).items()}
    return {"Commands": found} if found else {}


def _parameter_panels(command: Any, ctx: Any, canvas: Canvas) -> Iterator[Iterator[str]]:
    """Yield the panel of the arguments and those of the options, whose texts begin in one column."""
    arguments: list[Row] = []
    options: dict[str, list[Any]] = defaultdict(list, {"Options": []})
    for one in parameters.shown(command.get_params(ctx)):
        if parameters.is_argument(one):
            arguments.append(Row(words(parameters.argument(one), "value"), _text(one)))
        else:
            options[one.rich_help_panel or "Options"].append(one)
    if arguments:
        yield canvas.panel("Arguments", arguments, canvas.column(arguments))
    has_short = any(len(name) == 2 for group in options.values() for one in group for name in one.opts)
    panels = {title: [Row(_names(one, has_short), _text(one)) for one in group] for title, group in options.items()}
    column = canvas.column(row for rows in panels.values() for row in rows)
    yield from (canvas.panel(title, rows, column) for title, rows in panels.items() if rows)


def _names(option: Any, has_short: bool) -> list[Word]:
    """Return `-o, --output FILE`, with the long name in one column if any option of the command has a short one."""
    names = sorted(option.opts, key=len)
    found = [Word(f"{name}," if name is not names[-1] else name, "name") for name in names]
    if has_short and len(names[0]) > 2:
        found[0] = Word(" " * _SHORT_WIDTH + found[0].text, "name")
    if option.secondary_opts:
        found += [Word("/", "note"), *(Word(name, "negative") for name in option.secondary_opts)]
    return [*found, *words(parameters.value(option), "value")]


def _text(parameter: Any) -> list[Word]:
    """Return the help of a parameter with its notes."""
    noted = [*words(parameters.notes(parameter).removesuffix("[required]"), "note")]
    required = words("[required]", "required") if parameter.required else []
    return [*words(parameter.help), *noted, *required]


def _examples(epilog: str, canvas: Canvas) -> Iterator[str]:
    """Yield the text below the panels: calls are indented and stay on one line, so that they can be copied."""
    for paragraph in epilog.split("\n\n"):
        if paragraph[:1].isupper():
            yield from canvas.paragraph(words(paragraph, "heading" if paragraph.endswith(":") else ""))
        else:
            yield f"   {paragraph}"

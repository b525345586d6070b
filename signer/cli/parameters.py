"""Describe the options and arguments of Typer's commands, for help and manual pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def usage(command: Any) -> str:
    """Return what follows the name of a command, such as `[OPTION]... PATH...`."""
    arguments = [argument(one) for one in command.params if is_argument(one)]
    return " ".join([*(["COMMAND"] if hasattr(command, "list_commands") else []), "[OPTION]...", *arguments])


def is_argument(parameter: Any) -> bool:
    """Tell whether a parameter is an argument, not an option."""
    return bool(parameter.param_type_name == "argument")


def shown(parameters: Iterable[Any]) -> Iterator[Any]:
    """Yield the parameters that help describes."""
    return (one for one in parameters if one.name and getattr(one, "help", None) and not getattr(one, "hidden", False))


def argument(parameter: Any) -> str:
    """Return the name of an argument: `PATH...` if it is repeatable, `[DIR]` if it is optional."""
    name = parameter.metavar if parameter.required else f"[{parameter.metavar}]"
    return f"{name}{'...' if parameter.nargs == -1 else ''}"


def value(parameter: Any) -> str:
    """Return the placeholder of an option's value, such as FILE; empty for a switch."""
    return "" if _is_switch(parameter) else str(parameter.metavar)


def notes(parameter: Any) -> str:
    """Return the default, the range, and whether a value is required, such as `[default: 3161] [0 to 65535]`."""
    found: list[str] = []
    if not _is_switch(parameter):
        found += [f"default: {parameter.default}"] if parameter.show_default and parameter.default is not None else []
        found += _range(parameter.min, parameter.max)
    found += ["required"] if parameter.required else []
    return " ".join(f"[{one}]" for one in found)


def _is_switch(parameter: Any) -> bool:
    """Tell whether a parameter is an option without a value."""
    return not is_argument(parameter) and bool(parameter.is_flag or parameter.count)


def _range(least: float | None, most: float | None) -> list[str]:
    """Return the range of a number; that a count is not negative needs no note."""
    if most is None:
        return [f"{least} or more"] if least else []
    return [f"{most} or less" if least is None else f"{least} to {most}"]

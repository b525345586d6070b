"""Convert and check the arguments of commands: paths, text and whole numbers.

Paths are checked by parsers, `parser=to_path` and `parser=to_file` in their declaration. `convert_directly` only saves
time: Typer converts with pydantic, whose import takes a third of a short command's run. Its place in Typer is private,
so where a release of Typer lacks it, Typer converts, with the same checks.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin

import typer

from signer.cli.signtool_switches import replacement_for
from signer.storage.streams import STANDARD

HOOK = "get_runtime_param"
"""The method of a Typer parameter that returns its converter. Private: tests hold that the installed Typer has it."""


def to_path(word: str | Path) -> Path:
    """Convert an argument to the path of a folder. Raises typer.BadParameter, also for `-`."""
    path = _path(word)
    if path == STANDARD:
        raise typer.BadParameter("'-' is the standard input or output, not a folder; ./- is a folder of this name")
    return path


def to_place(word: str | Path) -> Path:
    """Convert an argument to an input that is a folder, or a file with others beside it. Raises typer.BadParameter."""
    path = to_input(word)
    if path == STANDARD:
        raise typer.BadParameter(
            "'-' is the standard input, not a folder: name the folder, or a file that has the others beside it"
        )
    return path


def to_input(word: str | Path) -> Path:
    """Convert an argument to the path of an input; `-` is the standard input. Raises typer.BadParameter.

    An option of SignTool is not a path.
    """
    if isinstance(word, str) and replacement_for(word) is not None:
        raise typer.BadParameter(f"{word!r} is an option of SignTool, not a path")
    return _path(word)


def to_file(word: str | Path) -> Path:
    """Convert an argument to the path of a file to read; `-` is the standard input. Raises typer.BadParameter.

    Path drops a slash at the end, so `--output signed/` would write a file called `signed`.
    """
    if isinstance(word, str) and word.endswith(("/", os.sep)):
        raise typer.BadParameter(f"{word!r} ends with a slash, which names a folder: a file is required")
    return _path(word)


def to_output(word: str | Path) -> Path:
    """Convert an argument to the path of a file to write; `-` is the standard output. Raises typer.BadParameter."""
    return to_file(word)


def _path(word: str | Path) -> Path:
    """Convert an argument to a path; `./-` is a file of this name, `-` is `STANDARD`. Raises typer.BadParameter.

    A variable that is not set becomes "", which to Path is the working folder.
    """
    if word == "":
        raise typer.BadParameter("the path is empty")
    path = Path(word)
    return path.absolute() if path == STANDARD and isinstance(word, str) and word != str(STANDARD) else path


def to_choice(*known: str) -> Callable[[str], str]:
    """Return a converter that allows only these words. It raises typer.BadParameter with all of them."""

    def convert(word: str) -> str:
        if word not in known:
            raise typer.BadParameter(f"{word!r} is unknown; choose one of {', '.join(known)}")
        return word

    return convert


def convert_directly(parameter: Any) -> None:
    """Have a parameter of a Typer command convert plain values itself, without pydantic."""
    if hasattr(parameter, HOOK):
        setattr(parameter, HOOK, _Converter(parameter, getattr(parameter, HOOK)).itself)


class _Converter:
    """Convert the plain values of one parameter; leave other and invalid values to Typer."""

    def __init__(self, parameter: Any, typers: Callable[[], Any]) -> None:
        kind = parameter.type_descriptor.annotation
        self._many = get_origin(kind) is list
        self._kind = get_args(kind)[0] if self._many else kind
        self._about = parameter.type_descriptor.parameter_info
        self._convert = self._about.parser or _CONVERTERS.get(self._kind, _leave)
        self._typers = typers

    def itself(self) -> _Converter:
        return self

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        """Return the value that the command is called with. Raises typer.BadParameter."""
        if value is None:
            return () if self._many else None
        try:
            return [self._one(word) for word in value] if self._many else self._one(value)
        except ValueError:
            pass
        try:
            return self._typers().coerce(value, param=param, ctx=ctx)
        except typer.BadParameter as error:
            if self._kind is int:
                error.message = _number_wanted(value, self._about.min, self._about.max)
            raise

    def _one(self, word: object) -> Any:
        """Convert one word. Raises ValueError if Typer has to convert it, typer.BadParameter."""
        value, about = self._convert(word), self._about
        if about.exists or about.readable or about.writable or about.resolve_path:
            raise ValueError
        if isinstance(value, int) and not (about.min or value) <= value <= (value if about.max is None else about.max):
            raise ValueError
        return value


def _text(word: object) -> str:
    if not isinstance(word, str):
        raise ValueError
    return word


def _number(word: object) -> int:
    """Convert digits. Raises ValueError for anything else."""
    if isinstance(word, str) and word.isascii() and word.isdigit():
        return int(word)
    if type(word) is int:
        return word
    raise ValueError


def _number_wanted(word: object, least: float | None, most: float | None) -> str:
    """Describe what is wrong with a word that is not a whole number from `least` to `most`."""
    if least is not None and most is not None:
        wanted = f"from {least} to {most}"
    elif least is not None:
        wanted = f"of {least} or more"
    else:
        wanted = "" if most is None else f"of {most} or less"
    return f"'{word}' is not a whole number {wanted}".rstrip()


def _leave(word: object) -> Any:
    raise ValueError


_CONVERTERS: dict[Any, Callable[[object], Any]] = {str: _text, int: _number}

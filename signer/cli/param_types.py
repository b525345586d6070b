"""What the words of a call become: text, paths and whole numbers, made without the library that Typer loads for it.

Typer turns every word into a value with pydantic, whose import takes a third of a short command's time. What is plain
is made here; whatever is not is still Typer's, with its checks. What Typer refuses of a whole number is said in plain
words, as pydantic's are for programmers.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin

import typer


def read_plainly(parameter: Any) -> None:
    """Have a parameter of a Typer command make plain values itself."""
    if hasattr(parameter, "get_runtime_param"):
        parameter.get_runtime_param = _Words(parameter, parameter.get_runtime_param).itself


class _NoPath(Exception):
    """Why a word names nothing that is wanted."""


class _Words:
    """Makes the values of one parameter, in the place of what Typer would make them with."""

    def __init__(self, parameter: Any, typers: Callable[[], Any]) -> None:
        kind = parameter.type_descriptor.annotation
        self._many = get_origin(kind) is list
        self._kind = get_args(kind)[0] if self._many else kind
        self._make = _MAKERS.get(self._kind, _leave)
        self._about = parameter.type_descriptor.parameter_info
        self._is_file = parameter.metavar == "FILE"
        self._typers = typers

    def itself(self) -> _Words:
        return self

    def coerce(self, value: Any, *, param: Any, ctx: Any) -> Any:
        """The value that a function is called with. Raises typer.BadParameter."""
        if value is None:
            return () if self._many else None
        try:
            return [self._one(word) for word in value] if self._many else self._one(value)
        except ValueError:
            pass
        except _NoPath as error:
            raise typer.BadParameter(str(error), ctx=ctx, param=param) from None
        try:
            return self._typers().coerce(value, param=param, ctx=ctx)
        except typer.BadParameter as error:
            if self._kind is int:
                error.message = _number_wanted(value, self._about.min, self._about.max)
            raise

    def _one(self, word: object) -> Any:
        """Raises ValueError where it is for Typer to judge, _NoPath."""
        if self._is_file and isinstance(word, str) and word.endswith(("/", os.sep)):
            raise _NoPath(f"{word!r} names a folder, and a file is wanted")  # Path drops the slash
        value, about = self._make(word), self._about
        if about.exists or about.readable or about.writable or about.resolve_path or about.parser is not None:
            raise ValueError
        if isinstance(value, int) and not (about.min or value) <= value <= (value if about.max is None else about.max):
            raise ValueError
        return value


def _text(word: object) -> str:
    if not isinstance(word, str):
        raise ValueError
    return word


def _path(word: object) -> Path:
    """Raises _NoPath for "", what a variable that is not set becomes: to Path it is the working folder."""
    if word == "":
        raise _NoPath("it is empty; a path is wanted")
    return word if isinstance(word, Path) else Path(_text(word))


def _number(word: object) -> int:
    """Raises ValueError for all but digits."""
    if isinstance(word, str) and word.isascii() and word.isdigit():
        return int(word)
    if type(word) is int:
        return word
    raise ValueError


def _number_wanted(word: object, least: float | None, most: float | None) -> str:
    """What is wrong with a word that is no whole number, or none from `least` to `most`."""
    if least is not None and most is not None:
        wanted = f"from {least} to {most}"
    elif least is not None:
        wanted = f"of {least} or more"
    else:
        wanted = "" if most is None else f"of {most} or less"
    return f"'{word}' is not a whole number {wanted}".rstrip()


def _leave(word: object) -> Any:
    raise ValueError


_MAKERS: dict[Any, Callable[[object], Any]] = {str: _text, Path: _path, int: _number}

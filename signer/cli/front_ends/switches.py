"""Parse the switches of Microsoft's tools: /x, -x, /x:VALUE, case ignored, and @files with more of them."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from signer.errors import UsageError
from signer.storage.files import read

_MAX_DEPTH = 8


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch of a tool."""

    takes: Literal["nothing", "value", "optional"] = "nothing"
    """Whether a value follows, joined with a colon or as the next word."""
    refused: str = ""
    """Why drvsign does not support it, and what to use; empty for a switch that it supports or ignores."""
    ignored: str = ""
    """Why the switch changes nothing here; empty for one that it supports or refuses."""


@dataclass(frozen=True, slots=True)
class ParsedSwitches:
    """The switches and the other words of a call."""

    values: Mapping[str, Sequence[str]]
    """The values of each switch, in order; an empty string for one without a value."""
    operands: Sequence[str]
    ignored: Sequence[str] = field(default=())
    """A sentence about each switch that changes nothing."""

    def last(self, name: str) -> str | None:
        """Return the last value of a switch, or None."""
        found = self.values.get(name)
        return found[-1] if found else None

    def __contains__(self, name: str) -> bool:
        return name in self.values


def parse(known: Mapping[str, Switch], words: Iterable[str]) -> ParsedSwitches:
    """Parse the words of a call. Raises UsageError for an unknown or unsupported switch and for a missing value."""
    values: dict[str, list[str]] = {}
    operands: list[str] = []
    ignored: list[str] = []
    left = list(_expanded(words))
    while left:
        word = left.pop(0)
        name, joined = _split(word, known)
        if name is None:
            operands.append(word)
            continue
        switch = known[name]
        if switch.refused:
            raise UsageError(f"{word[0]}{name} is not supported", hint=switch.refused)
        value = _value(f"{word[0]}{name}", switch, joined, left, known)
        if switch.ignored:
            ignored.append(f"{word[0]}{name} is ignored: {switch.ignored}")
        values.setdefault(name, []).append(value)
    return ParsedSwitches(values, operands, ignored)


def _split(word: str, known: Mapping[str, Switch]) -> tuple[str | None, str | None]:
    """Return the name of a switch and the value that a colon joins to it; None for a word that is not a switch.

    Raises UsageError for an unknown switch. A word with a slash that is a path of this system is not a switch.
    """
    if len(word) < 2 or word[0] not in "/-":
        return None, None
    name, colon, joined = word[1:].partition(":")
    if name.lower() in known:
        return name.lower(), joined if colon else None
    if word[0] == "/" and ("/" in word[1:] or Path(word).exists()):
        return None, None
    raise UsageError(f"unknown switch {word}", hint=f"Known switches: {', '.join(f'/{one}' for one in known)}.")


def _value(shown: str, switch: Switch, joined: str | None, left: list[str], known: Mapping[str, Switch]) -> str:
    """Return the value of a switch, and take it from the words that are left. Raises UsageError."""
    if switch.takes == "nothing":
        if joined is not None:
            raise UsageError(f"{shown} takes no value", hint=f"Write {shown}.")
        return ""
    if joined is not None:
        return joined
    if left and not _is_switch(left[0], known):
        return left.pop(0)
    if switch.takes == "value":
        raise UsageError(f"{shown} requires a value", hint=f"Write {shown} VALUE.")
    return ""


def _is_switch(word: str, known: Mapping[str, Switch]) -> bool:
    return len(word) > 1 and word[0] in "/-" and word[1:].partition(":")[0].lower() in known


def _expanded(words: Iterable[str], depth: int = 0) -> Iterator[str]:
    """Yield the words; those of a response file in place of its @name. Raises FileError, UsageError."""
    for word in words:
        path = Path(word[1:])
        if not word.startswith("@") or not path.is_file():
            yield word
        elif depth == _MAX_DEPTH:
            raise UsageError("response files name each other", path=path, hint="Remove the @name from the file.")
        else:
            text = read(path).decode("utf-8-sig", "replace")
            found = [part for line in text.splitlines() for part in shlex.split(line, posix=False)]
            yield from _expanded([part.strip('"') for part in found], depth + 1)

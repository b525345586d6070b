"""Parse the switches of Microsoft's tools: /x or -x, case ignored, with the rules of each tool for values."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Literal

from signer.cli.front_ends.words import expanded
from signer.errors import UsageError
from signer.records import dataclass


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch of a tool, which drvsign supports unless `refused` or `ignored` says why it does not."""

    takes: Literal["nothing", "value", "optional"] = "nothing"
    """Whether a value follows."""
    does: str = ""
    """What it does in drvsign, for the help and docs/migrate.md; empty for one that is refused or ignored."""
    refused: str = ""
    """Why drvsign does not support it, and what to use."""
    ignored: str = ""
    """Why the switch changes nothing here."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """The switches of a tool and how it parses them."""

    switches: Mapping[str, Switch]
    """By name in lower case."""
    prefix: Literal["/", "-"] = "/"
    """How the tool's page writes switches; both are accepted."""
    joined: bool = False
    """Whether a colon joins a value to its switch, as in /os:10_X64."""
    once: bool = False
    """Whether a switch can't be used twice."""
    files_last: bool = False
    """Whether every word after the first file is a file."""
    repeatable: frozenset[str] = frozenset()
    """Switches that can be used twice all the same."""
    apart: tuple[tuple[str, str], ...] = ()
    """Pairs of switches that can't be combined."""
    together: tuple[tuple[str, str], ...] = ()
    """Pairs of a switch and the one that it requires."""


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

    def all(self, name: str) -> Sequence[str]:
        """Return the values of a switch, in order."""
        return self.values.get(name, ())

    def __contains__(self, name: str) -> bool:
        return name in self.values


def parse(grammar: Grammar, words: Iterable[str]) -> ParsedSwitches:
    """Parse the words of a call, after those of response files. Raises UsageError, FileError.

    The wording of the errors is SignTool's.
    """
    known = grammar.switches
    values: dict[str, list[str]] = {}
    operands: list[str] = []
    ignored: list[str] = []
    left = list(reversed(expanded(words, known)))
    while left:
        word = left.pop()
        name, joined = (None, None) if grammar.files_last and operands else _split(word, grammar)
        if name is None:
            operands.append(word)
            continue
        shown, switch = f"{word[0]}{name}", known[name]
        if switch.refused:
            raise UsageError(f"{shown} is not supported", hint=switch.refused)
        if name in values and grammar.once and name not in grammar.repeatable:
            raise UsageError(f"You cannot use the {shown} option twice.", hint=f"Remove one {shown}.")
        values.setdefault(name, []).append(_value(shown, switch, joined, left, grammar))
        if switch.ignored:
            ignored.append(f"{shown} is ignored: {switch.ignored}")
    _require_compatible(grammar, values)
    return ParsedSwitches(values, operands, ignored)


def _require_compatible(grammar: Grammar, found: Container[str]) -> None:
    """Raise UsageError for switches that the tool does not combine, and for one without another that it requires."""
    for one, other in grammar.apart:
        if one in found and other in found:
            raise UsageError(f"The /{one} option is incompatible with the /{other} option.", hint=f"Remove /{other}.")
    for one, other in grammar.together:
        if one in found and other not in found:
            raise UsageError(
                f"The /{one} option requires the /{other} option.", hint=f"Add /{other}, or remove /{one}."
            )


def _split(word: str, grammar: Grammar) -> tuple[str | None, str | None]:
    """Return the name of a switch and the value that a colon joins to it; None for a word that is not a switch.

    Raises UsageError for an unknown switch. A word with a slash that is a path of this system is not a switch.
    """
    if word[:1] not in ("/", "-"):
        return None, None
    name, colon, joined = word[1:].partition(":")
    if name.lower() in grammar.switches and (grammar.joined or not colon):
        return name.lower(), joined if colon else None
    if word[0] == "/" and len(word) > 1 and ("/" in word[1:] or Path(word).exists()):
        return None, None
    hint = f"Known switches: {', '.join(f'{grammar.prefix}{one}' for one in grammar.switches)}."
    if colon and name.lower() in grammar.switches:
        hint = f"Write the value as the next word: /{name} {joined}"
    raise UsageError(f"Invalid option: {word}", hint=hint)


def _value(shown: str, switch: Switch, joined: str | None, left: list[str], grammar: Grammar) -> str:
    """Return the value of a switch, and take it from the end of the words that are left. Raises UsageError.

    A required value is the next word even if it looks like a switch, as SignTool takes it.
    """
    if switch.takes == "nothing":
        if joined is not None:
            raise UsageError(f"{shown} takes no value", hint=f"Write {shown}.")
        return ""
    if joined is not None:
        return joined
    if left and (switch.takes == "value" or not _is_switch(left[-1], grammar)):
        return left.pop()
    if switch.takes == "value":
        raise UsageError(f"The {shown} option requires a parameter.", hint=f"Write {shown} VALUE.")
    return ""


def _is_switch(word: str, grammar: Grammar) -> bool:
    return len(word) > 1 and word[0] in "/-" and word[1:].partition(":")[0].lower() in grammar.switches

"""The usage of a tool's command, made from the table of its switches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from signer.cli.front_ends.switches import Grammar, Switch

HELP = frozenset({"/?", "-?", "/h", "-h", "/help", "-help", "--help"})
"""Words that ask for the usage; a switch of the same name comes first."""


def asks_for_help(words: Iterable[str], switches: Mapping[str, Switch]) -> bool:
    """Tell whether a word of the call asks for the usage."""
    return any(word.lower() in HELP and word[1:].lower() not in switches for word in words)


def usage(call: str, grammar: Grammar) -> str:
    """Return the usage: the call, and a line for each switch."""
    rows = [(shown(name, switch, grammar), meaning(switch)) for name, switch in grammar.switches.items()]
    width = max(len(name) for name, _ in rows)
    return "\n".join([f"Usage: {call}", "", *(f"  {name:<{width}}  {text}" for name, text in rows)])


def table(grammar: Grammar) -> Iterator[str]:
    """Yield the rows of the table in docs/migrate.md."""
    yield "| switch | supported | in drvsign |"
    yield "|---|---|---|"
    for name, switch in grammar.switches.items():
        kind = "no" if switch.refused else "ignored" if switch.ignored else "yes"
        said = switch.refused or switch.ignored or switch.does
        yield f"| `{shown(name, switch, grammar)}` | {kind} | {said} |"


def shown(name: str, switch: Switch, grammar: Grammar) -> str:
    """Return a switch with the form of its value."""
    joint = ":" if grammar.joined else " "
    optional = "[:VALUE]" if grammar.joined else " [VALUE]"
    return f"{grammar.prefix}{name}" + {"nothing": "", "value": f"{joint}VALUE", "optional": optional}[switch.takes]


def meaning(switch: Switch) -> str:
    """Return what a switch does, or why it does nothing."""
    if switch.refused:
        return f"not supported: {switch.refused}"
    return f"ignored: {switch.ignored}" if switch.ignored else switch.does

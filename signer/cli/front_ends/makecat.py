"""`drvsign --as makecat`. Source: "MakeCat" (win32, SecCrypto/makecat.md)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from signer.cli.front_ends.help import asks_for_help, usage
from signer.cli.front_ends.lines import say
from signer.cli.front_ends.program import require_done, run
from signer.cli.front_ends.switches import Grammar, Switch, parse
from signer.cli.front_ends.words import local
from signer.errors import UsageError

GRAMMAR = Grammar(
    {
        "n": Switch(refused="A catalog without some of its files is not written: correct the .cdf file."),
        "r": Switch(does="nothing more: the first error always ends the call"),
        "v": Switch(does="the path of the catalog"),
    },
    prefix="-",
)


def makecat(words: Sequence[str]) -> int:
    """Build the catalog that a .cdf file defines; return the exit code, 1 for an error. Raises SignerError."""
    if asks_for_help(words, GRAMMAR.switches):
        say(usage("makecat [options] FILE.cdf", GRAMMAR))
        return 0
    given = parse(GRAMMAR, words)
    if len(given.operands) != 1:
        raise UsageError("name exactly one .cdf file", hint="Write makecat FILE.cdf.")
    path = Path(local(given.operands[0]))
    if path.suffix.lower() != ".cdf":
        raise UsageError(f"{path} is not a .cdf file", hint="For the catalogs of an INF: drvsign catalog build DIR")
    done = run("catalog build", [str(path)])
    if not require_done("MakeCat", done):
        return 1
    if "v" in given:
        for file in done.files:
            say(f"processed: {file['path']}")
    say("Succeeded")
    return 0

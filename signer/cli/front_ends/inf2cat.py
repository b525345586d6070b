"""`drvsign --as inf2cat`. Source: "Inf2Cat" (windows-driver-docs, devtest/inf2cat.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.front_ends.help import asks_for_help, usage
from signer.cli.front_ends.lines import say
from signer.cli.front_ends.program import require_done, run
from signer.cli.front_ends.switches import Grammar, Switch, parse
from signer.cli.front_ends.words import local
from signer.errors import UsageError
from signer.storage.folders import require_folder

if TYPE_CHECKING:
    from catalogs.inf.problems import PackageProblem

FAILED = -2
"""The exit code of a failed signability test, which MSBuild reports as MSB6006."""
_DEPRECATED = "The switch is deprecated: declare it in [SignatureAttributes] of the INF, as Microsoft's page says."
GRAMMAR = Grammar(
    {
        "driver": Switch("value", "DIR of `catalog build DIR`"),
        "drv": Switch("value", "DIR of `catalog build DIR`"),
        "os": Switch("value", "`--os NAME,…`"),
        "nocat": Switch(does="`inf lint DIR`"),
        "uselocaltime": Switch(does="`--uselocaltime`"),
        "verbose": Switch(does="nothing more"),
        "v": Switch(does="nothing more"),
        "drm": Switch("optional", refused=_DEPRECATED),
        "pe": Switch("optional", refused=_DEPRECATED),
        "pagehashes": Switch("optional", "`--page-hashes`; a list of names is refused"),
    },
    joined=True,
)


def inf2cat(words: Sequence[str]) -> int:
    """Check the packages of a folder, build their catalogs, and print Inf2Cat's lines; return the exit code.

    Raises SignerError.
    """
    from catalogs.inf.problems import Severity
    from signer.cli.options.package import CatalogChoices

    if asks_for_help(words, GRAMMAR.switches):
        say(usage("inf2cat /driver:DIR /os:NAME[,NAME]... [options]", GRAMMAR))
        return 0
    given = parse(GRAMMAR, words)
    name, os = given.last("driver") or given.last("drv"), given.last("os")
    if not name or not os or given.operands:
        raise UsageError("give one folder and the releases", hint="Write /driver:DIR /os:10_X64.")
    if given.last("pagehashes"):
        raise UsageError("/pageHashes with names is not supported", hint="Write /pageHashes for all files.")
    folder = Path(local(name.rstrip('"')))  # Windows makes "/driver:DIR\\" end with a quote
    require_folder(folder, hint="Name the folder that contains the INF.")
    choices = CatalogChoices([os], None, None, "uselocaltime" in given)
    problems = choices.survey(folder).problems
    errors = [one for one in problems if one.severity is Severity.ERROR]
    say(f"Signability test {'failed' if errors else 'complete'}.\n")
    _list("Errors", errors)
    _list("Warnings", [one for one in problems if one not in errors])
    if errors:
        return FAILED
    options = ["--uselocaltime"] * ("uselocaltime" in given) + ["--page-hashes"] * ("pagehashes" in given)
    return 0 if "nocat" in given else _build(folder, ["--os", os, *options])


def _build(folder: Path, options: Sequence[str]) -> int:
    done = run("catalog build", [str(folder), *options])
    if not require_done("Inf2Cat", done):
        return FAILED
    say("Catalog generation complete.")
    for file in done.files:
        say(file["path"])
    return 0


def _list(title: str, problems: Iterable[PackageProblem]) -> None:
    lines = [f"{one.code}: {one.message}" + (f" ({one.path})" if one.path else "") for one in problems]
    say(f"{title}:\n" + ("\n".join(lines) or "None") + "\n")

"""`drvsign --as inf2cat`. Source: "Inf2Cat" (windows-driver-docs, devtest/inf2cat.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.front_ends.lines import say
from signer.cli.front_ends.program import run
from signer.cli.front_ends.switches import Switch, parse
from signer.errors import FileError, UsageError

if TYPE_CHECKING:
    from catalogs.inf.problems import PackageProblem

FAILED = -2
"""The exit code of a failed signability test, which MSBuild reports as MSB6006."""
_DEPRECATED = "declare it in [SignatureAttributes] of the INF, as Microsoft's page says."
SWITCHES = {
    "driver": Switch("value"),
    "drv": Switch("value"),
    "os": Switch("value"),
    "nocat": Switch(),
    "uselocaltime": Switch(),
    "verbose": Switch(),
    "v": Switch(),
    "drm": Switch("optional", refused=f"The switch is deprecated: {_DEPRECATED}"),
    "pe": Switch("optional", refused=f"The switch is deprecated: {_DEPRECATED}"),
    "pagehashes": Switch("optional"),
}
"""Inf2Cat's switches, in lower case."""


def inf2cat(words: Sequence[str]) -> int:
    """Check the packages of a folder, build their catalogs, and print Inf2Cat's lines; return the exit code.

    Raises SignerError.
    """
    from catalogs.inf.problems import Severity
    from signer.cli.options.package import CatalogChoices

    given = parse(SWITCHES, words)
    name, os = given.last("driver") or given.last("drv"), given.last("os")
    if not name or not os or given.operands:
        raise UsageError("give one folder and the releases", hint="Write /driver:DIR /os:10_X64.")
    if given.last("pagehashes"):
        raise UsageError("/pageHashes with names is not supported", hint="Write /pageHashes for all files.")
    folder = Path(name)
    if not folder.is_dir():
        raise FileError("folder not found", path=folder, hint="Name the folder that contains the INF.")
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
    done = run(["catalog", "build", str(folder), *options])
    if done.code:
        return FAILED
    say("Catalog generation complete.")
    for file in done.files:
        say(file["path"])
    return 0


def _list(title: str, problems: Iterable[PackageProblem]) -> None:
    lines = [f"{one.code}: {one.message}" + (f" ({one.path})" if one.path else "") for one in problems]
    say(f"{title}:\n" + ("\n".join(lines) or "None") + "\n")

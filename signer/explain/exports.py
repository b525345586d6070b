"""Say how to export what is read, by `data/exports.toml`: commands to copy and paste, for a release."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from signer.records import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A line for an elevated PowerShell, and the builds that have it."""

    line: str
    since: int = 0
    before: int | None = None

    def __contains__(self, build: int) -> bool:
        return self.since <= build and (self.before is None or build < self.before)


@dataclass(frozen=True, slots=True)
class Export:
    """One thing to export."""

    key: str
    title: str
    commands: tuple[Command, ...]

    def lines(self, build: int | None) -> list[str]:
        """Return the commands of a build; of an unknown one, all."""
        return [one.line for one in self.commands if build is None or build in one]


@cache
def exports() -> tuple[Export, ...]:
    """Return every export, in the order of the table."""
    text = (files("signer.explain.data") / "exports.toml").read_text(encoding="utf-8")
    return tuple(
        Export(row["key"], row["title"], tuple(Command(**command) for command in row["commands"]))
        for row in tomllib.loads(text)["export"]
    )


def settling(keys: Iterable[str], build: int | None) -> str | None:
    """Return the first command that settles a cause on a build; None if the build has none."""
    known = {one.key: one for one in exports()}
    return next((line for key in keys for line in known[key].lines(build)), None)

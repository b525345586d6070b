"""InfVerif's rules as objects: code, level in each mode, the release that brought the rule, message and fix.

`data/codes.tsv` is the one table of them: the levels and messages are Microsoft's ("INF Validation Errors and
Warnings", windows-driver-docs, devtest/inf-validation-errors-and-warnings.md, WDK 10.0.26200). Microsoft publishes no
date of a rule; `since` is the first Windows release whose pages document it with its level in each mode, by the history
of that page (column `documented`: the date and the commit of windows-driver-docs with which it has the code) or of the
page that the row names.
"""

from __future__ import annotations

import datetime
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from itertools import zip_longest

from catalogs.inf.rules.exceptions import HARDWARE_PROGRAM_CODES
from signer.records import dataclass


class Mode(StrEnum):
    """A set of requirements that InfVerif checks."""

    K = "k"
    """Declarative drivers."""
    U = "u"
    """Universal drivers."""
    W = "w"
    """Windows drivers: declarative, universal and isolated."""
    H = "h"
    """WHQL signatures: the levels of `w`, with published exceptions."""


class Level(StrEnum):
    """Level of a rule in a mode."""

    ERROR = "error"
    WARNING = "warning"
    NONE = "none"
    UNPUBLISHED = "unpublished"


RELEASES = {
    "win2000": (datetime.date(2000, 2, 17), "Windows 2000"),
    "vista": (datetime.date(2007, 1, 30), "Windows Vista"),
    "win10-1607": (datetime.date(2016, 8, 2), "Windows 10 1607"),
    "win10-1803": (datetime.date(2018, 4, 30), "Windows 10 1803"),
    "win10-1809": (datetime.date(2018, 11, 13), "Windows 10 1809"),
    "win10-1909": (datetime.date(2019, 11, 12), "Windows 10 1909"),
    "win10-20h2": (datetime.date(2020, 10, 20), "Windows 10 20H2"),
    "win11-21h2": (datetime.date(2021, 10, 4), "Windows 11 21H2"),
    "win11-22h2": (datetime.date(2022, 9, 20), "Windows 11 22H2"),
    "win11-24h2": (datetime.date(2024, 10, 1), "Windows 11 24H2"),
    "win11-25h2": (datetime.date(2025, 9, 30), "Windows 11 25H2"),
}
"""Date and name of the releases in the table. Source: Microsoft's Windows release information pages."""

_LETTERS = {"E": Level.ERROR, "W": Level.WARNING, "N": Level.NONE}


@dataclass(frozen=True)
class Rule:
    """One rule."""

    code: str
    """InfVerif's number, or a name for what only drvsign reports."""
    levels: dict[Mode, Level]
    """Levels as Microsoft documents them; of mode `h`, only where a published list decides."""
    since: datetime.date
    release: str
    """Name of the release that `since` is the date of."""
    documented: str
    """Date and commit with which "INF Validation Errors and Warnings" has the code; empty for one of drvsign."""
    source: str
    """Page that documents the requirement."""
    message: str
    """Message, with `<value>` for each value."""
    fix: str
    """How to fix it."""
    reason: str | None = None
    """Why the rule can't be decided; None if drvsign decides it."""

    @property
    def decided(self) -> bool:
        """Tell whether drvsign decides the rule."""
        return self.reason is None

    @cached_property
    def newer(self) -> str:
        """The remark on a warning about an INF that is older than the rule."""
        return f" (A warning: the rule is of {self.since}, {self.release}, and newer than the INF.)"

    @cached_property
    def _parts(self) -> tuple[str, ...]:
        return tuple(self.message.split("<value>"))

    def level(self, mode: Mode) -> Level:
        """Return the level that applies in a mode: in `h` the level of `w`, if Microsoft publishes none."""
        level = self.levels[mode]
        return self.levels[Mode.W] if level is Level.UNPUBLISHED else level

    def text(self, values: tuple[str, ...]) -> str:
        """Return the message with its values."""
        return "".join(part for pair in zip_longest(self._parts, values, fillvalue="") for part in pair)


@cache
def rules() -> dict[str, Rule]:
    """Return all rules by code, in the order of the table."""
    table = files("catalogs.inf.rules").joinpath("data/codes.tsv").read_text("utf-8")
    _, *rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return {row[0]: _rule(*row) for row in rows}


def _rule(
    code: str, k: str, u: str, w: str, since: str, documented: str, source: str, message: str, fix: str, reason: str
) -> Rule:
    date, release = RELEASES[since]
    levels = {Mode.K: _LETTERS[k], Mode.U: _LETTERS[u], Mode.W: _LETTERS[w]}
    levels[Mode.H] = levels[Mode.W] if code in HARDWARE_PROGRAM_CODES else Level.UNPUBLISHED
    return Rule(code, levels, date, release, documented, source, message, fix, reason or None)

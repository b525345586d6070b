"""Check an INF against the rules of Microsoft's InfVerif, with InfVerif's codes.

Each module has the checks of one family of directives; `data/codes.tsv` has the rules. The Hardware Dev Center rejects
errors; it accepts warnings for some kinds of drivers or for a limited time.
"""

from __future__ import annotations

import datetime
from itertools import islice
from pathlib import PurePath
from types import ModuleType

from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import PackageProblem, Severity
from catalogs.inf.rules import (
    components,
    files,
    frameworks,
    legacy,
    models,
    needs,
    network,
    registry,
    sections,
    services,
    text,
    version_section,
)
from catalogs.inf.rules.finding import Check, Finding, Subject
from catalogs.inf.rules.rule import Level, Mode, Rule, rules
from catalogs.inf.rules.text import is_template
from catalogs.inf.rules.version_section import SIGNATURES
from signer.limits import LIMITS, VARIABLE
from signer.records import dataclass

__all__ = [
    "CHECKS",
    "DEFAULT",
    "PORTAL",
    "SIGNATURES",
    "UNPARSED",
    "Level",
    "Mode",
    "Rule",
    "RuleSet",
    "check",
    "is_template",
    "rules",
    "unparsed",
]

_FAMILIES: tuple[ModuleType, ...] = (
    text,
    version_section,
    models,
    sections,
    services,
    files,
    registry,
    components,
    legacy,
    needs,
    frameworks,
    network,
)
CHECKS: tuple[Check, ...] = tuple(
    value for family in _FAMILIES for value in vars(family).values() if isinstance(value, Check)
)
"""All checks."""

UNPARSED = frozenset({"1000", "1002", "1299"})
"""Codes about a file that is missing or can't be parsed: no check reports them."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The requirements to check an INF against."""

    mode: Mode = Mode.W
    as_of: datetime.date | None = None
    """Rules of later releases are warnings. None: the date of the INF's DriverVer."""
    latest: bool = False
    """Apply Microsoft's present levels, whatever the date of the INF."""
    provider: str | None = None
    """The Provider that the INF must have; None if any is right."""

    def date(self, driver: DriverInf) -> datetime.date | None:
        """Return the date after which rules are warnings; None if all rules have their level."""
        version = driver.version.driver_version()
        return None if self.latest else self.as_of or (version.date if version is not None else None)


DEFAULT = RuleSet()
"""Mode `w`, as of the date of the INF."""

PORTAL = RuleSet(Mode.H)
"""What Microsoft's portal requires, as of the date of the INF (windows-driver-docs, devtest/infverif_h.md)."""


def check(driver: DriverInf, rule_set: RuleSet = DEFAULT) -> list[PackageProblem]:
    """Return the problems in line order, at most the first `inf-problems` of each check."""
    subject = Subject(driver, rule_set.mode, rule_set.provider)
    date = rule_set.date(driver)
    found: dict[Finding, None] = {}
    more: list[PackageProblem] = []
    for each in CHECKS:
        findings = iter(each.run(subject))
        found |= dict.fromkeys(islice(findings, LIMITS["inf-problems"]))
        more += [_too_many(driver, left) for left in islice(findings, 1)]
    problems = (_problem(driver, finding, rule_set.mode, date) for finding in found)
    listed = [*(problem for problem in problems if problem is not None), *more]
    return sorted(listed, key=lambda problem: problem.line or 0)


def unparsed(code: str, path: PurePath, line: int | None, *values: str, fix: str | None = None) -> PackageProblem:
    """Return the problem of an INF that can't be parsed: codes 1000, 1002 and 1299."""
    rule = rules()[code]
    return PackageProblem(code, rule.text(values), path, line, fix or rule.fix)


def _too_many(driver: DriverInf, left: Finding) -> PackageProblem:
    return PackageProblem(
        "too-many-problems",
        f"one check found more than {LIMITS['inf-problems']:,} problems: the others are not listed",
        driver.path,
        left.line,
        f"Correct the listed ones first, or set {VARIABLE}=inf-problems=off.",
        Severity.WARNING,
    )


def _problem(driver: DriverInf, finding: Finding, mode: Mode, date: datetime.date | None) -> PackageProblem | None:
    """Return the problem of a finding; None if the mode does not have the rule."""
    rule = rules()[finding.code]
    level = rule.level(mode)
    if level is Level.NONE:
        return None
    message = rule.text(finding.values)
    severity = Severity.ERROR if level is Level.ERROR else Severity.WARNING
    if finding.at_most is Severity.WARNING:
        severity = Severity.WARNING
    elif severity is Severity.ERROR and date is not None and date < rule.since:
        severity = Severity.WARNING
        message += rule.newer
    return PackageProblem(rule.code, message, driver.path, finding.line, finding.fix or rule.fix, severity)

"""Rules: each has a name, the releases that it applies to, its source and a check function.

A rule checks a subject (a file, or one signature along one path) in an evaluation context and yields results. Each
result states its effect; `signer.policy.decide` combines the results into a verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Generic, Literal, NamedTuple, TypeVar

from signer.policy.evaluation import EvaluationContext
from signer.policy.findings import Finding, Place, Severity
from signer.policy.machine_state import DisputedOutcome
from signer.policy.targets import EVERYWHERE, Releases
from signer.records import dataclass

Subject = TypeVar("Subject")
Effect = Literal["rejects", "undecided", "waives", "allows", "warns", "notes"]
"""rejects: the subject is not accepted; undecided: no public source decides; waives: earlier rejections do not count;
allows: the reason for acceptance; warns, notes: no effect on the outcome."""

_SEVERITIES: dict[Effect, Severity] = {
    "rejects": "error",
    "undecided": "warning",
    "waives": "warning",
    "allows": "info",
    "warns": "warning",
    "notes": "info",
}


class RuleResult(NamedTuple):
    """One result of a rule and its effect. A NamedTuple for the same reason as `Finding`."""

    effect: Effect
    code: str
    message: str
    hint: str | None = None
    place: Place | None = None

    def finding(self, source: str, severity: Severity | None = None, rule: str = "", label: str = "") -> Finding:
        """Return the result as a finding; `label` names the signature that it is about."""
        level = severity or _SEVERITIES[self.effect]
        return Finding(self.code, level, self.message, source, self.hint, rule, label, self.place)


@dataclass(frozen=True, slots=True, eq=False)
class Rule(Generic[Subject]):
    """One rule of a policy. Equal only to itself."""

    name: str
    statement: str
    """The requirement, as a sentence."""
    source: str
    """The document or page that the rule is based on."""
    check: Callable[[Subject, EvaluationContext], Iterable[RuleResult]]
    releases: Releases = EVERYWHERE
    default: str = ""
    """The default of the machine settings that the rule depends on."""


def rule(
    name: str, statement: str, *, source: str, releases: Releases = EVERYWHERE, default: str = ""
) -> Callable[[Callable[[Subject, EvaluationContext], Iterable[RuleResult]]], Rule[Subject]]:
    """Decorate a check function to make it a rule."""

    def decorate(check: Callable[[Subject, EvaluationContext], Iterable[RuleResult]]) -> Rule[Subject]:
        return Rule(name, statement, source, check, releases, default)

    return decorate


def rejects(code: str, message: str, hint: str | None = None, place: Place | None = None) -> RuleResult:
    """Return a result that rejects the subject."""
    return RuleResult("rejects", code, message, hint, place)


def undecided(code: str, message: str, hint: str | None = None) -> RuleResult:
    """Return a result for a case that no public source decides."""
    return RuleResult("undecided", code, message, hint)


def waives(code: str, message: str, hint: str | None = None) -> RuleResult:
    """Return a result that waives the earlier rejections on this machine."""
    return RuleResult("waives", code, message, hint)


def allows(code: str, message: str, hint: str | None = None) -> RuleResult:
    """Return a result that explains why the subject is accepted."""
    return RuleResult("allows", code, message, hint)


def warns(code: str, message: str, hint: str | None = None, place: Place | None = None) -> RuleResult:
    """Return a warning, which does not affect the outcome."""
    return RuleResult("warns", code, message, hint, place)


def notes(code: str, message: str, hint: str | None = None) -> RuleResult:
    """Return a note, which does not affect the outcome."""
    return RuleResult("notes", code, message, hint)


def disputed(outcome: DisputedOutcome, code: str, message: str, hint: str | None = None) -> RuleResult:
    """Return the result that a machine setting selects where documentation and observation disagree."""
    make = {"loads": warns, "blocked": rejects, "unknown": undecided}[outcome]
    return make(code, message, hint)

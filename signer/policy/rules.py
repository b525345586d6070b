"""A rule: its name, the releases that it holds for, the page that it comes from, and a function.

A rule looks at a subject (a file, or one signature along one path) in a setting and makes remarks. It says what it
means by a remark; how remarks add up to a verdict is decided in one place, `signer.policy.decide`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Literal, NamedTuple, TypeVar

from signer.policy.findings import Finding, Severity
from signer.policy.machine_state import EvaluationContext, Settlement
from signer.policy.targets import Target, release

Subject = TypeVar("Subject")
Effect = Literal["rejects", "undecided", "waives", "allows", "warns", "notes"]
"""rejects: the subject is not accepted; undecided: no public source decides;
waives: a rejection that does not count here;
allows: why it is accepted; warns, notes: no influence."""

_SEVERITIES: dict[Effect, Severity] = {
    "rejects": "error",
    "undecided": "warning",
    "waives": "warning",
    "allows": "info",
    "warns": "warning",
    "notes": "info",
}


class RuleResult(NamedTuple):
    """What a rule says about a subject, and what it means by it. A tuple for the reason that `Finding` is one."""

    effect: Effect
    code: str
    message: str
    hint: str | None = None

    def finding(self, source: str, severity: Severity | None = None, rule: str = "") -> Finding:
        """The remark of a rule as a finding."""
        return Finding(self.code, severity or _SEVERITIES[self.effect], self.message, source, self.hint, rule)


@dataclass(frozen=True, slots=True)
class Releases:
    """Which targets a rule holds for."""

    since: str | None = None
    before: str | None = None
    clients: bool = True
    servers: bool = True
    architectures: tuple[str, ...] = ()
    s_mode: bool = False
    """Only targets in S mode."""

    def hold(self, target: Target) -> bool:
        """Whether the target is one of them."""
        return (
            (self.since is None or target.build >= release(self.since).build)
            and (self.before is None or target.build < release(self.before).build)
            and (self.servers if target.server else self.clients)
            and (not self.architectures or target.architecture in self.architectures)
            and (target.s_mode or not self.s_mode)
        )

    def __str__(self) -> str:
        parts = ["all releases" if not (self.since or self.before) else ""]
        if self.since:
            parts.append(f"{release(self.since).title} and later")
        if self.before:
            parts.append(f"before {release(self.before).title}")
        if not self.servers:
            parts.append("clients")
        if not self.clients:
            parts.append("servers")
        if self.architectures:
            parts.append(", ".join(self.architectures))
        if self.s_mode:
            parts.append("S mode")
        return "; ".join(part for part in parts if part)


EVERYWHERE = Releases()


@dataclass(frozen=True, slots=True)
class Rule(Generic[Subject]):
    """One rule of a policy."""

    name: str
    statement: str
    """What it demands, in a sentence."""
    source: str
    """The page that it comes from."""
    check: Callable[[Subject, EvaluationContext], Iterable[RuleResult]]
    releases: Releases = EVERYWHERE
    default: str = ""
    """Where a switch decides: what it is without the switch."""

    def remarks(self, subject: Subject, context: EvaluationContext) -> tuple[RuleResult, ...]:
        """What the rule says about the subject; nothing where it does not hold."""
        if self.releases is not EVERYWHERE and not self.releases.hold(context.target):
            return ()
        return tuple(self.check(subject, context))


def rule(
    name: str, statement: str, *, source: str, releases: Releases = EVERYWHERE, default: str = ""
) -> Callable[[Callable[[Subject, EvaluationContext], Iterable[RuleResult]]], Rule[Subject]]:
    """Make a rule of a function."""

    def made(check: Callable[[Subject, EvaluationContext], Iterable[RuleResult]]) -> Rule[Subject]:
        return Rule(name, statement, source, check, releases, default)

    return made


def rejects(code: str, message: str, hint: str | None = None) -> RuleResult:
    """A remark that says no."""
    return RuleResult("rejects", code, message, hint)


def undecided(code: str, message: str, hint: str | None = None) -> RuleResult:
    """A remark that says: nothing public decides this."""
    return RuleResult("undecided", code, message, hint)


def waives(code: str, message: str, hint: str | None = None) -> RuleResult:
    """A remark that says: what rejects it does not count on this machine."""
    return RuleResult("waives", code, message, hint)


def allows(code: str, message: str, hint: str | None = None) -> RuleResult:
    """A remark that says why it is accepted."""
    return RuleResult("allows", code, message, hint)


def warns(code: str, message: str, hint: str | None = None) -> RuleResult:
    """A remark to be read."""
    return RuleResult("warns", code, message, hint)


def notes(code: str, message: str, hint: str | None = None) -> RuleResult:
    """A remark for the record."""
    return RuleResult("notes", code, message, hint)


def settled(answer: Settlement, code: str, message: str, hint: str | None = None) -> RuleResult:
    """What a switch makes of it where documentation and field disagree."""
    make = {"loads": warns, "blocked": rejects, "unknown": undecided}[answer]
    return make(code, message, hint)

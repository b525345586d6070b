"""Findings and verdicts of a policy on a file for one target."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Any, Literal, NamedTuple, NoReturn

from signer.errors import VerificationError
from signer.records import dataclass

Severity = Literal["error", "warning", "info"]
_GRAVEST_FIRST: tuple[Severity, ...] = ("error", "warning", "info")
Outcome = Literal["accepted", "rejected", "unknown", "not-applicable"]
_SEVERITY_OF_REASON: dict[Outcome, Severity] = {
    "accepted": "info",
    "rejected": "error",
    "unknown": "warning",
    "not-applicable": "info",
}
Classification = Literal[
    "windows",
    "whql",
    "attested",
    "preproduction",
    "cross-signed",
    "commercial",
    "test",
    "self-signed",
    "unknown",
]


class Place(NamedTuple):
    """A line of an INF that a finding is about."""

    path: PurePath
    line: int
    """Counted from 1."""


class Finding(NamedTuple):
    """One result of a rule about a file: a stable code, severity, message, source and hint.

    A NamedTuple, because a matrix creates tens of thousands and a dataclass is slower to create and compare.
    """

    code: str
    severity: Severity
    message: str
    source: str
    """The document or page that the rule is based on."""
    hint: str | None = None
    rule: str = ""
    """The name of the rule; empty for a finding that is not from a rule."""
    label: str = ""
    """The name of the signature in the message; empty for a finding that is not about one signature."""
    place: Place | None = None
    """The line of the INF, for reports that point to it; None if no line is known."""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def as_json(self) -> dict[str, Any]:
        """Return the finding in the JSON form of the command line."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "source": self.source,
            "hint": self.hint,
        }


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """The outcome of one signature of a file on one target."""

    index: int
    """The signature's index in the evidence."""
    classification: Classification
    outcome: Outcome
    rule: str
    """The deciding rule."""
    codes: tuple[str, ...] = ()
    """The codes of its findings."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision of one target about one file. Use `.accepted` as a condition; `bool(verdict)` raises TypeError."""

    target: str
    outcome: Outcome
    rule: str
    """The deciding rule."""
    findings: tuple[Finding, ...]
    signatures: tuple[SignatureVerdict, ...] = ()
    """The outcome of each signature, in the order of the evidence."""

    @classmethod
    def not_applicable(cls, target: str, finding: Finding) -> Verdict:
        """Return the verdict of a target that the file is not for; the finding, of severity info, says why."""
        return cls(target, "not-applicable", finding.code, (finding,))

    @property
    def applicable(self) -> bool:
        """Whether the file is for this target; the verdicts of other targets do not count."""
        return self.outcome != "not-applicable"

    @property
    def accepted(self) -> bool:
        """Whether the target accepts the file; false for "unknown" and "not-applicable"."""
        return self.outcome == "accepted"

    @property
    def decided(self) -> bool:
        """Whether a public source decides: the outcome is not "unknown"."""
        return self.outcome != "unknown"

    @property
    def reason(self) -> Finding | None:
        """The finding that explains the outcome: one of the deciding rule if possible; None without findings."""
        wanted = _SEVERITY_OF_REASON[self.outcome]
        # A waived rejection is a warning, although it explains why the file is accepted.
        candidates = [one for one in self.findings if self.rule in (one.rule, one.code)] or self.findings
        return next((one for one in candidates if one.severity == wanted), candidates[0] if candidates else None)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all findings, without duplicates, in order."""
        return tuple(dict.fromkeys(finding.code for finding in self.findings))

    def require_accepted(self) -> None:
        """Raise VerificationError unless the file is accepted."""
        if not self.accepted:
            reason = self.reason.message if self.reason is not None else self.rule
            reasons = "; ".join(f.message for f in self.findings if f.severity == "error") or reason
            hints = [one.hint for one in self.findings if one.severity == "error" and one.hint]
            hint = hints[0] if hints else None
            raise VerificationError(f"{self.outcome} for {self.target}: {reasons}", verdict=self, hint=hint)

    def as_json(self) -> dict[str, Any]:
        """Return one row of the command line's `targets`; `signer.codeintegrity` adds the events and the status."""
        return {"target": self.target, "verdict": self.outcome, "rule": self.rule, "findings": list(self.codes)}

    def __bool__(self) -> NoReturn:
        raise TypeError("a Verdict has four outcomes and no truth value: use .accepted or .require_accepted()")


def merged(verdicts: tuple[Verdict, ...] | list[Verdict]) -> list[Finding]:
    """Merge the findings of several verdicts about one file, without duplicates, errors first (JSON: `findings`)."""
    return by_severity(finding for verdict in verdicts for finding in verdict.findings)


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings without duplicates, the gravest first."""
    return sorted(dict.fromkeys(findings), key=lambda finding: _GRAVEST_FIRST.index(finding.severity))

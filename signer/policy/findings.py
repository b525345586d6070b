"""Findings, verdicts: what a policy says about a file on one target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, NoReturn

from signer.errors import VerificationError

Severity = Literal["error", "warning", "info"]
Outcome = Literal["accepted", "rejected", "unknown"]
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


class Finding(NamedTuple):
    """One statement of a rule about a file: a stable code, how bad it is, the sentence, its source, and what to do.

    A matrix makes tens of thousands, and a tuple is made and compared in a fraction of a dataclass's time.
    """

    code: str
    severity: Severity
    message: str
    source: str
    """The document or page that the rule comes from."""
    hint: str | None = None
    rule: str = ""
    """The rule that states it; empty where no rule of a policy does."""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def as_json(self) -> dict[str, Any]:
        """The finding as the command line's JSON has it."""
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "source": self.source,
            "hint": self.hint,
        }


@dataclass(frozen=True, slots=True)
class SignatureVerdict:
    """What one Windows release makes of one signature of a file."""

    index: int
    """The signature's place in the evidence."""
    classification: Classification
    outcome: Outcome
    rule: str
    """The rule that decided about this signature."""
    codes: tuple[str, ...] = ()
    """The codes of its findings."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one Windows release decides about one file. Never use it as a condition: say `.accepted`."""

    target: str
    outcome: Outcome
    rule: str
    """The rule that decided."""
    findings: tuple[Finding, ...]
    signatures: tuple[SignatureVerdict, ...] = ()
    """What became of each signature, in the order of the evidence."""

    @property
    def accepted(self) -> bool:
        """Whether the target accepts the file. "unknown" is not accepted."""
        return self.outcome == "accepted"

    @property
    def decided(self) -> bool:
        """Whether anything public decides: the outcome is not "unknown"."""
        return self.outcome != "unknown"

    @property
    def reason(self) -> Finding | None:
        """The finding that goes with the outcome: what the rule that decided says; None where nothing was said."""
        wanted = {"accepted": "info", "rejected": "error"}.get(self.outcome, "warning")
        fitting = [one for one in self.findings if one.severity == wanted] or list(self.findings)
        # What waives a rejection is a warning, though it is why the file is accepted.
        by_rule = [one for one in (*fitting, *self.findings) if self.rule in (one.rule, one.code)]
        return next(iter(by_rule or fitting), None)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of all findings, each once, in their order."""
        return tuple(dict.fromkeys(finding.code for finding in self.findings))

    def require_accepted(self) -> None:
        """Raise VerificationError unless the file is accepted."""
        if not self.accepted:
            reasons = "; ".join(f.message for f in self.findings if f.severity == "error") or self.rule
            hints = [one.hint for one in self.findings if one.severity == "error" and one.hint]
            hint = hints[0] if hints else None
            raise VerificationError(f"{self.outcome} for {self.target}: {reasons}", verdict=self, hint=hint)

    def as_json(self) -> dict[str, Any]:
        """One row of the command line's `targets`; `signer.codeintegrity` adds the events and the status."""
        return {"target": self.target, "verdict": self.outcome, "rule": self.rule, "findings": list(self.codes)}

    def __bool__(self) -> NoReturn:
        raise TypeError("a Verdict is not a yes or no: say .accepted or .require_accepted()")


def merged(verdicts: tuple[Verdict, ...] | list[Verdict]) -> list[Finding]:
    """The findings of several verdicts about one file, each once, the worst first: what `findings` holds in JSON."""
    order = {"error": 0, "warning": 1, "info": 2}
    every = dict.fromkeys(finding for verdict in verdicts for finding in verdict.findings)
    return sorted(every, key=lambda finding: order[finding.severity])

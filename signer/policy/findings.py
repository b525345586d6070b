"""Findings, verdicts: what a policy says about a file on one target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from signer.errors import VerificationError

Severity = Literal["error", "warning", "info"]
Outcome = Literal["accepted", "rejected", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement of a rule about a file: a stable code, how bad it is, the sentence, its source, and what to do."""

    code: str
    severity: Severity
    message: str
    source: str
    """The document or page that the rule comes from."""
    hint: str | None = None

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
class Verdict:
    """What one Windows release decides about one file. Never use it as a condition: say `.accepted`."""

    target: str
    outcome: Outcome
    rule: str
    """The rule that decided."""
    findings: tuple[Finding, ...]

    @property
    def accepted(self) -> bool:
        """Whether the target accepts the file. "unknown" is not accepted."""
        return self.outcome == "accepted"

    def require_accepted(self) -> None:
        """Raise VerificationError unless the file is accepted."""
        if not self.accepted:
            reasons = "; ".join(f.message for f in self.findings if f.severity == "error") or self.rule
            raise VerificationError(f"{self.outcome} for {self.target}: {reasons}", verdict=self)

    def __bool__(self) -> NoReturn:
        raise TypeError("a Verdict is not a yes or no: say .accepted or .require_accepted()")

"""The result of a verification for one file or driver package."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal, Protocol, Self

from signer.codeintegrity.consequences import Consequences
from signer.errors import Interrupted, SignerError
from signer.policy.findings import Verdict
from signer.policy.subjects import CertificatePaths
from signer.records import dataclass
from signer.verify.evidence import Evidence


@dataclass(frozen=True)
class Assessment:
    """The evidence of one file or package and the verdict of each target, or the error that prevented them."""

    path: Path
    kind: str
    """`image`, `catalog`, `cabinet`, `file` or `package`."""
    evidence: Evidence | None = None
    """The signatures and digests; of a package, those of its catalog."""
    paths: tuple[CertificatePaths, ...] = ()
    """The certificate paths of each signature of the evidence."""
    consequences: tuple[Consequences, ...] = ()
    """One verdict for each target, with the events and the status that follow from it."""
    error: SignerError | None = None
    inf: str | None = None
    """The file name of a package's INF."""
    inf_line: int | None = None
    """The line of the INF's [Version] section, which findings without a line of their own point to."""
    policy: str = "kernel"

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdicts that count: those of the targets that it is for."""
        return tuple(one.verdict for one in self.consequences if one.verdict.applicable)

    @property
    def accepted(self) -> bool:
        """Whether every target that it is for accepts it, and there is at least one."""
        return bool(self.verdicts) and all(verdict.accepted for verdict in self.verdicts)

    @property
    def decided(self) -> bool:
        """Whether every target has a verdict other than unknown."""
        return self.error is None and all(verdict.decided for verdict in self.verdicts)

    @property
    def rejected(self) -> bool:
        """Whether any target rejects it, or it is for none of the targets."""
        unfit = bool(self.consequences) and not self.verdicts
        return unfit or any(verdict.outcome == "rejected" for verdict in self.verdicts)


class Assessed(Protocol):
    """Input of an outcome: an assessment, or its serialized form."""

    @property
    def error(self) -> SignerError | None:
        """The error that prevented verification, or None."""

    @property
    def accepted(self) -> bool:
        """Whether every target that it is for accepts it."""

    @property
    def decided(self) -> bool:
        """Whether every target has a verdict other than unknown."""

    @property
    def rejected(self) -> bool:
        """Whether any target rejects it, or it is for none of the targets."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The combined result for all files of a verification."""

    accepted: bool
    """Every target accepts every file, and there is at least one."""
    decided: bool
    """Every file could be read and has a decided verdict on every target, and there is at least one."""
    rejected: bool
    """Any target rejects any file."""
    failed: bool
    """Any file could not be verified."""
    interrupted: bool = False
    """An interrupt left files unverified."""

    @classmethod
    def of(cls, assessments: Iterable[Assessed]) -> Self:
        """Combine assessments."""
        found = tuple(assessments)
        return cls(
            accepted=bool(found) and all(one.accepted for one in found),
            decided=bool(found) and all(one.decided for one in found),
            rejected=any(one.rejected for one in found),
            failed=any(one.error is not None for one in found),
            interrupted=any(isinstance(one.error, Interrupted) for one in found),
        )

    @property
    def word(self) -> Literal["accepted", "rejected", "unknown", "failed"]:
        """The outcome in one word. A failure takes precedence over a rejection, and a rejection over unknown."""
        if self.failed:
            return "failed"
        return "accepted" if self.accepted else "rejected" if self.rejected else "unknown"

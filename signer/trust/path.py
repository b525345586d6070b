"""A certificate path and the anchor it ends in: what `chain` builds and `signer.policy` judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cryptography import x509

AnchorKind = Literal["microsoft", "code-verification", "microsoft-test", "test", "commercial"]
"""microsoft: a root that Code Integrity holds for production; code-verification: the root of cross-certificates;
microsoft-test: Microsoft's test and flight roots; test: a root that the user named; commercial: any other root."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A trust anchor. The key is what counts; the certificate may be unknown (the Code Verification Root)."""

    name: str
    kind: AnchorKind
    spki_sha256: str
    root_id: int | None = None
    """Its number among Code Integrity's known roots (MINCRYPT_KNOWN_ROOT_ID), where it has one."""
    certificate: x509.Certificate | None = None


@dataclass(frozen=True, slots=True)
class PathProblem:
    """One thing that is wrong along a path, and with which certificate (0 is the leaf)."""

    code: str
    message: str
    index: int


@dataclass(frozen=True, slots=True)
class CertificatePath:
    """Certificates from the leaf up, each issued by the next; `anchor` is None where no trusted root is reached."""

    certificates: tuple[x509.Certificate, ...]
    anchor: Anchor | None
    problems: tuple[PathProblem, ...] = ()
    """Broken rules of issuing (basic constraints, key usage, signature, name constraints). Validity periods are judged
    by the policy, because Code Integrity and TLS differ about them."""

    @property
    def leaf(self) -> x509.Certificate:
        """The end-entity certificate."""
        return self.certificates[0]

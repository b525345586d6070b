"""Certificate paths and their anchors, which `signer.trust.chain` builds and `signer.policy` evaluates."""

from __future__ import annotations

from typing import Literal

from cryptography import x509

from signer.records import dataclass

AnchorKind = Literal["microsoft", "code-verification", "microsoft-test", "test", "commercial"]
"""microsoft: a production root of Code Integrity; code-verification: the root of the cross-certificates;
microsoft-test: Microsoft's test and flight roots; test: a root that the user gave; commercial: any other root."""


@dataclass(frozen=True, slots=True)
class Anchor:
    """A trust anchor, identified by its key. Its certificate may be unknown (the Code Verification Root)."""

    name: str
    kind: AnchorKind
    spki_sha256: str
    root_id: int | None = None
    """The number of a root that Code Integrity knows (MINCRYPT_KNOWN_ROOT_ID), or None."""
    certificate: x509.Certificate | None = None


@dataclass(frozen=True, slots=True)
class PathProblem:
    """One problem of a path and the index of its certificate (0 is the leaf)."""

    code: str
    message: str
    index: int
    other_key: bool = False
    """True if a trusted root has the name of the issuer that ends the path, and another key."""


@dataclass(frozen=True, slots=True)
class CertificatePath:
    """Certificates from the leaf up, each issued by the next; `anchor` is None without a trusted root."""

    certificates: tuple[x509.Certificate, ...]
    anchor: Anchor | None
    problems: tuple[PathProblem, ...] = ()
    """Violations of RFC 5280 (basic constraints, key usage, signature, name constraints) and weak algorithms. Policies
    evaluate validity periods, because Code Integrity and TLS treat them differently."""

    @property
    def leaf(self) -> x509.Certificate:
        """The end-entity certificate."""
        return self.certificates[0]

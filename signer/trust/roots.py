"""Load the tables of Code Integrity's known roots and of the kernel-mode cross-certificates.

Like Code Integrity, the table identifies a root by its public key: the SHA-256 of its SubjectPublicKeyInfo. Every row
names its source. docs/trust.md describes how each key was verified.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Iterator
from datetime import datetime

from signer.package_data import package_text
from signer.records import dataclass
from signer.trust.path import AnchorKind


@dataclass(frozen=True, slots=True)
class KernelRoot:
    """One row of kernel_roots.tsv."""

    root_id: int
    """MINCRYPT_KNOWN_ROOT_ID, as in App Control policies and events."""
    kind: AnchorKind
    name: str
    common_name: str
    """The common name of the root's subject."""
    spki_sha256: str
    verified: bool
    """Whether a source other than the documentation page confirms the key."""
    spki: bytes | None
    """The SubjectPublicKeyInfo, if no published certificate contains it."""
    source: str


@dataclass(frozen=True, slots=True)
class CrossCertificate:
    """One row of cross_certificates.tsv: a certificate that Microsoft issued to a commercial CA for kernel drivers."""

    sha1: str
    sha256: str
    subject: str
    serial: str
    not_before: datetime
    not_after: datetime
    spki_sha256: str
    source: str


@functools.cache
def kernel_roots() -> tuple[KernelRoot, ...]:
    """Return every known root of Code Integrity whose key is public."""
    return tuple(
        KernelRoot(
            root_id=int(row["id"], 16),
            kind=_kind(row["kind"]),
            name=row["name"],
            common_name=row["common_name"],
            spki_sha256=row["spki_sha256"],
            verified=row["verified"] == "yes",
            spki=base64.b64decode(row["spki"]) if row["spki"] else None,
            source=row["source"],
        )
        for row in _rows("kernel_roots.tsv")
    )


@functools.cache
def kernel_root(spki_sha256: str) -> KernelRoot | None:
    """Return the known root with this key, trusted or not, or None."""
    return next((root for root in kernel_roots() if root.spki_sha256 == spki_sha256), None)


@functools.cache
def cross_certificates() -> dict[str, CrossCertificate]:
    """Return the cross-certificates by SHA-256 thumbprint."""
    return {
        row["sha256"]: CrossCertificate(
            **{name: row[name] for name in ("sha1", "sha256", "subject", "serial", "spki_sha256", "source")},
            not_before=datetime.fromisoformat(row["not_before"]),
            not_after=datetime.fromisoformat(row["not_after"]),
        )
        for row in _rows("cross_certificates.tsv")
    }


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = package_text("signer.trust", "data", name)
    header, *lines = text.splitlines()
    columns = header.split("\t")
    for line in lines:
        yield dict(zip(columns, line.split("\t"), strict=True))


def _kind(text: str) -> AnchorKind:
    """Convert the text to an anchor kind. Raises KeyError for a misspelled kind."""
    kinds: dict[str, AnchorKind] = {
        "microsoft": "microsoft",
        "code-verification": "code-verification",
        "microsoft-test": "microsoft-test",
        "commercial": "commercial",
    }
    return kinds[text]

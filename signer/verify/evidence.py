"""What is known about a file's signatures before anybody is trusted.

Three questions are kept apart: is a signature intact (here), does its chain reach a trusted root (`signer.trust`), and
does a Windows release accept it (`signer.policy`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.pe.digest import PageHashes
from signer.pe.protection import Fault
from signer.pkcs7.problem import Problem as Problem

Source = Literal["embedded", "nested", "catalog"]
PageHashKind = Literal["none", "sha1", "sha256"]


_UNDECIDABLE = frozenset(
    {"indirect-data-type", "signature-ber", "signer-certificate-unreadable", "signature-unverifiable"}
)


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A trusted time for a signature, as far as it is intact."""

    kind: Literal["rfc3161", "authenticode"]
    time: datetime
    """Aware, in UTC."""
    digest_algorithm: DigestAlgorithm | None
    signer: x509.Certificate | None
    certificates: tuple[x509.Certificate, ...]
    """Every certificate that came with the timestamp, the signer's among them."""
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    """What is unusual about it and breaks nothing."""

    @property
    def intact(self) -> bool:
        """Whether it covers this signature and its own signature verifies."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature over a file: embedded, nested in an embedded one, or of a catalog that lists the file's digest."""

    index: int
    source: Source
    catalog: str | None
    """The catalog's name when the source is a catalog."""
    digest_algorithm: DigestAlgorithm | None
    """What the file was hashed with; None if unknown to us."""
    digest: bytes
    """The file's digest as the signature claims it."""
    signer: x509.Certificate | None
    certificates: tuple[x509.Certificate, ...]
    """Every certificate carried in the SignedData, the signer's among them."""
    signer_digest_algorithm: DigestAlgorithm | None
    """What the signed attributes were hashed with."""
    program_name: str | None = None
    url: str | None = None
    statement: str | None = None
    """SpcStatementType: the OID of individual or commercial code signing."""
    page_hashes: PageHashKind = "none"
    page_hashes_intact: bool | None = None
    timestamp: Timestamp | None = None
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    """What is unusual about it and breaks nothing: data that no signature covers, old forms."""

    @property
    def intact(self) -> bool:
        """Whether the file's digest, the signed attributes and the signature itself all agree."""
        return not self.problems

    @property
    def undecidable(self) -> bool:
        """Whether all that speaks against it is that it can't be read or checked here, where Windows may do better."""
        return bool(self.problems) and all(problem.code in _UNDECIDABLE for problem in self.problems)

    @property
    def state(self) -> Literal["intact", "broken", "undecided"]:
        """In a word, for a person."""
        return "intact" if self.intact else "undecided" if self.undecidable else "broken"


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one file says about itself."""

    name: str
    kind: Literal["image", "catalog", "cabinet", "file"]
    digests: dict[DigestAlgorithm, bytes]
    """The file's own digest per algorithm that any signature or catalog asked for."""
    architecture: str | None = None
    """x86, x64, arm, arm64 or ia64, for images."""
    signatures: tuple[Signature, ...] = ()
    problems: tuple[Problem, ...] = ()
    """What is wrong with the file rather than with one signature."""
    protection: tuple[Fault, ...] = ()
    """What memory integrity minds about an image's layout in memory, whoever signed it."""


class CatalogLookup(Protocol):
    """A signed catalog, as far as verification needs it. `catalogs.catalog.file.Catalog` fits."""

    @property
    def name(self) -> str:
        """What to call the catalog: its file name."""
        ...

    @property
    def signed_data(self) -> bytes:
        """The catalog's DER, to be checked as SignedData over a certificate trust list."""
        ...

    def digest_algorithms(self) -> Iterable[DigestAlgorithm]:
        """Which digests its members are listed by."""
        ...

    def contains(self, digest: bytes) -> bool:
        """Whether a member with this digest is listed."""
        ...

    def page_hashes(self, digest: bytes) -> PageHashes | None:
        """The page hashes that the catalog has of the member with this digest, if it has any."""
        ...

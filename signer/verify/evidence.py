"""Evidence: a file's signatures and their integrity, before trust is evaluated.

Verification has three independent steps: is the signature intact (here), does its chain reach a trusted root
(`signer.trust`), and does a Windows release accept it (`signer.policy`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.formats.detect import named
from signer.formats.table import Traits
from signer.pe.digest import PageHashes
from signer.pe.protection import Fault
from signer.pkcs7.problem import SignatureProblem as SignatureProblem
from signer.records import dataclass

if TYPE_CHECKING:
    from signer.pe.file_facts import FileFacts

Source = Literal["embedded", "nested", "catalog"]
PageHashKind = Literal["none", "sha1", "sha256"]


_NO_TRAITS = Traits()
_UNDECIDABLE = frozenset(
    {"indirect-data-type", "signature-ber", "signer-certificate-unreadable", "signature-unverifiable"}
)


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A timestamp of a signature. Its time counts only while `intact`."""

    kind: Literal["rfc3161", "authenticode"]
    time: datetime
    """Aware, in UTC."""
    digest_algorithm: DigestAlgorithm | None
    signer: x509.Certificate | None
    certificates: tuple[x509.Certificate, ...]
    """Every certificate that the timestamp carries, the signer's included."""
    problems: tuple[SignatureProblem, ...] = ()
    notes: tuple[SignatureProblem, ...] = ()
    """Peculiarities that leave the timestamp valid."""

    @property
    def intact(self) -> bool:
        """Whether the timestamp covers this signature and its own signature verifies."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature of a file: embedded, nested in an embedded signature, or of a catalog that lists the file."""

    index: int
    source: Source
    catalog: str | None
    """The catalog's name when the source is a catalog."""
    digest_algorithm: DigestAlgorithm | None
    """The digest algorithm of the file; None for an unknown algorithm."""
    digest: bytes
    """The file digest that the signature contains."""
    signer: x509.Certificate | None
    certificates: tuple[x509.Certificate, ...]
    """Every certificate carried in the SignedData, the signer's included."""
    signer_digest_algorithm: DigestAlgorithm | None
    """The digest algorithm of the signed attributes."""
    program_name: str | None = None
    url: str | None = None
    statement: str | None = None
    """SpcStatementType: the OID of individual or commercial code signing."""
    page_hashes: PageHashKind = "none"
    page_hashes_intact: bool | None = None
    timestamp: Timestamp | None = None
    problems: tuple[SignatureProblem, ...] = ()
    notes: tuple[SignatureProblem, ...] = ()
    """Peculiarities that leave the signature valid: unsigned data, obsolete encodings."""

    @property
    def intact(self) -> bool:
        """Whether the file's digest, the signed attributes and the signature value all verify."""
        return not self.problems

    @property
    def undecidable(self) -> bool:
        """Whether every problem is one that this program can't check and Windows may be able to."""
        return bool(self.problems) and all(problem.code in _UNDECIDABLE for problem in self.problems)

    @property
    def state(self) -> Literal["intact", "broken", "undecided"]:
        """The integrity of the signature as one word."""
        return "intact" if self.intact else "undecided" if self.undecidable else "broken"


@dataclass(frozen=True, slots=True)
class Evidence:
    """The signatures of one file and the problems of its structure."""

    name: str
    kind: str
    """The name of its format; `file` for one that carries no signatures."""
    digests: dict[DigestAlgorithm, bytes]
    """The computed digest of the file for each algorithm that a signature or catalog uses."""
    architecture: str | None = None
    """x86, x64, arm, arm64 or ia64, for images."""
    subsystem: int | None = None
    """The PE subsystem of an image: 1 (native) for kernel mode, 2 and 3 for user mode."""
    signatures: tuple[Signature, ...] = ()
    problems: tuple[SignatureProblem, ...] = ()
    """Problems of the file as a whole, not of one signature."""
    protection: tuple[Fault, ...] = ()
    """Memory integrity (HVCI) faults in the section layout of an image. They don't depend on the signer."""
    facts: FileFacts | None = None
    """What App Control compares; None unless it was asked for."""

    @property
    def traits(self) -> Traits:
        """How Windows uses a file of this format."""
        row = named(self.kind)
        return row.traits if row is not None else _NO_TRAITS


class CatalogLookup(Protocol):
    """The part of a signed catalog that verification uses. `catalogs.catalog.file.Catalog` implements it."""

    @property
    def name(self) -> str:
        """The catalog's file name."""
        ...

    @property
    def signed_data(self) -> bytes:
        """The catalog in DER: SignedData over a certificate trust list."""
        ...

    @property
    def digest(self) -> bytes:
        """The SHA-256 of `signed_data`."""
        ...

    @property
    def signature(self) -> Signature | None:
        """The catalog's own signature, read once for all files that are looked up; None for an unsigned catalog."""
        ...

    def digest_algorithms(self) -> Iterable[DigestAlgorithm]:
        """Return the digest algorithms that the members are listed by."""
        ...

    def page_hash_algorithms(self) -> Iterable[DigestAlgorithm]:
        """Return the algorithms of the members' page hashes; none if no member has page hashes."""
        ...

    def contains(self, digest: bytes) -> bool:
        """Return whether the catalog lists a member with this digest."""
        ...

    def page_hashes(self, digest: bytes) -> PageHashes | None:
        """Return the page hashes of the member with this digest, or None if the catalog has none."""
        ...

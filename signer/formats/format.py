"""The protocols that the adapter of each file format implements.

The operations sign, timestamp, attach and strip use `Format` and are independent of formats. An adapter reads the bytes
of one file and never changes them. `Features` in the table of formats holds the optional capabilities. `Subject`
represents the same file for verification.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Protocol

from signer.algorithms import DigestAlgorithm
from signer.pe.digest import PageHashes
from signer.pe.protection import Fault
from signer.pkcs7.content import Content
from signer.pkcs7.indirect_data import IndirectData
from signer.pkcs7.problem import SignatureProblem
from signer.records import dataclass

if TYPE_CHECKING:
    from signer.pe.file_facts import FileFacts
    from signer.storage.patching import PatchSet

PAGE_HASH_ALGORITHMS = (DigestAlgorithm.SHA1, DigestAlgorithm.SHA256)
"""The algorithms that page hashes are defined for (SPC_PE_IMAGE_PAGE_HASHES_V1 and V2)."""


@dataclass(frozen=True, slots=True)
class FileHashes:
    """The hashes of one file that signatures contain."""

    digests: dict[DigestAlgorithm, bytes]
    pages: dict[DigestAlgorithm, PageHashes] = field(default_factory=dict)


class Format(Protocol):
    """One file for signing. The constructor takes the file's bytes and raises MalformedInput."""

    @property
    def is_signed(self) -> bool:
        """Whether the file has any signature."""

    def signatures(self) -> list[bytes]:
        """List the DER of each signature, including its nested ones. Raises MalformedInput."""

    def hash(
        self, algorithms: Iterable[DigestAlgorithm], *, paged: Iterable[DigestAlgorithm] = (), to_change: bool = False
    ) -> FileHashes:
        """Compute the hashes for new signatures in one pass; `paged` are the algorithms of page hashes.

        `to_change`: `with_signatures` follows, and the pass may also gather data for it. The result
        does not depend on signatures that the file has. Raises MalformedInput.
        """

    def content(self, hashes: FileHashes, algorithm: DigestAlgorithm) -> Content:
        """Return the content to sign with this digest algorithm, from the file's hashes. Raises MalformedInput."""

    def signed_digest(self, signature: bytes) -> tuple[DigestAlgorithm, bytes]:
        """Read the file digest in a DER signature, which may be for a different file.

        Raises SignatureFormatError, and SigningError for the signature of another format.
        """

    def with_signatures(self, signatures: Sequence[bytes]) -> PatchSet:
        """Return the changes that give the file these signatures in DER and no others. Raises MalformedInput."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The signatures in a file that Windows reads, and the problems of their container."""

    signatures: tuple[bytes, ...] = ()
    problems: tuple[SignatureProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of comparing a file with a signature's claims other than the digest."""

    problems: tuple[SignatureProblem, ...] = ()
    notes: tuple[SignatureProblem, ...] = ()
    page_hashes_intact: bool | None = None


class Subject(Protocol):
    """One file for verification. The constructor raises MalformedInput.

    Catalogs have no subject: a catalog is itself the signed content.
    """

    @property
    def architecture(self) -> str | None:
        """The architecture of the file's code; None for a file without code."""

    @property
    def subsystem(self) -> int | None:
        """The PE subsystem of an image; None for other files."""

    @property
    def protection(self) -> tuple[Fault, ...]:
        """The problems of the file's layout under memory integrity."""

    @property
    def has_page_hashes(self) -> bool:
        """Whether the page hashes of the file's layout are known."""

    def embedded(self) -> Embedded:
        """Find the signatures in the file; report a problem if they can't be located."""

    def hash(self, algorithms: Iterable[DigestAlgorithm], *, paged: Iterable[DigestAlgorithm] = ()) -> FileHashes:
        """Compute the hashes of the file for comparison with signatures and catalogs, in one pass.

        `paged` are the algorithms of page hashes. Raises MalformedInput unless `has_page_hashes`.
        """

    def member_content(self, hashes: FileHashes, algorithm: DigestAlgorithm) -> bytes:
        """Return the DER of SpcIndirectDataContent for the file as a catalog's member."""

    def compare(self, claim: IndirectData) -> Comparison:
        """Compare the hashed file with a signature's or catalog's claims other than the digest."""

    def facts(self, known: Mapping[DigestAlgorithm, bytes] | None = None) -> FileFacts:
        """Read the facts that App Control compares; empty for a file that Windows does not load as code.

        `known` are digests of the file that were computed before.
        """

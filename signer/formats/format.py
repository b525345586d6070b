"""What a file format does with signatures: the protocol that each adapter implements.

Operations sign, timestamp, attach and strip through it, and know no format. An adapter is made over the bytes of one
file; it reads them and changes nothing. What it can do beyond the protocol stands in its row (`Features`). `Subject` is
the same file as evidence: signing and verifying share the modules of the bytes, and nothing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from signer.algorithms import DigestAlgorithm
from signer.pe.digest import PageHashes
from signer.pe.protection import Fault
from signer.pkcs7.content import Content
from signer.pkcs7.indirect_data import IndirectData
from signer.pkcs7.problem import SignatureProblem
from signer.storage.patching import PatchSet

PAGE_HASH_ALGORITHMS = (DigestAlgorithm.SHA1, DigestAlgorithm.SHA256)
"""The algorithms that page hashes are defined for (SPC_PE_IMAGE_PAGE_HASHES_V1 and V2)."""


@dataclass(frozen=True, slots=True)
class FileHashes:
    """The hashes of one file that its signatures hold."""

    digests: dict[DigestAlgorithm, bytes]
    pages: dict[DigestAlgorithm, PageHashes] = field(default_factory=dict)


class Format(Protocol):
    """One file as its format sees it. The constructor takes the file's bytes, and raises MalformedInput."""

    @property
    def is_signed(self) -> bool:
        """Whether the file has any signature."""

    def signatures(self) -> list[bytes]:
        """List the DER of each signature, those nested in it inside. Raises MalformedInput."""

    def hash(
        self, algorithms: Iterable[DigestAlgorithm], *, paged: Iterable[DigestAlgorithm] = (), to_change: bool = False
    ) -> FileHashes:
        """Compute what new signatures hold of the file, in one pass; `paged` are the algorithms of page hashes.

        `to_change` says that `with_signatures` follows, so that the pass may gather what that needs as well. The result
        does not depend on signatures that the file has. Raises MalformedInput.
        """

    def content(self, hashes: FileHashes, algorithm: DigestAlgorithm) -> Content:
        """Return what a signature with this digest signs, given the hashes of the file. Raises MalformedInput."""

    def signed_digest(self, signature: bytes) -> tuple[DigestAlgorithm, bytes]:
        """Read which digest a signature in DER holds of its file, whichever file that is.

        Raises SignatureFormatError, and SigningError for the signature of another format.
        """

    def with_signatures(self, signatures: Sequence[bytes]) -> PatchSet:
        """Return the changes that give the file these signatures in DER and no others. Raises MalformedInput."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """The signatures in a file that Windows looks at, and what is wrong with the place where they lie."""

    signatures: tuple[bytes, ...] = ()
    problems: tuple[SignatureProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a file compares with what was signed about it, besides its digest."""

    problems: tuple[SignatureProblem, ...] = ()
    notes: tuple[SignatureProblem, ...] = ()
    page_hashes_intact: bool | None = None


class Subject(Protocol):
    """One file as the signatures and catalogs that cover it speak of it. The constructor raises MalformedInput.

    A catalog has none: it is not digested, but is itself what is signed.
    """

    @property
    def architecture(self) -> str | None:
        """The architecture that the file's code is for; None for a file that is not code."""

    @property
    def protection(self) -> tuple[Fault, ...]:
        """What memory integrity objects to in the file's layout."""

    @property
    def has_page_hashes(self) -> bool:
        """Whether it is known what the page hashes of the file are."""

    def embedded(self) -> Embedded:
        """Find the signatures in the file. Where they can't be found, a problem says so."""

    def hash(self, algorithms: Iterable[DigestAlgorithm], *, paged: Iterable[DigestAlgorithm] = ()) -> FileHashes:
        """Compute what signatures and catalogs hold of the file as it is, in one pass.

        `paged` are the algorithms of page hashes. Raises MalformedInput unless `has_page_hashes`.
        """

    def member_content(self, hashes: FileHashes, algorithm: DigestAlgorithm) -> bytes:
        """Return the DER of SpcIndirectDataContent for the file as a catalog's member."""

    def compare(self, claim: IndirectData) -> Comparison:
        """Compare the file with what a signature or catalog says of it besides the digest, once it was hashed."""

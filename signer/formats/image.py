"""Sign and read PE images: signatures in the certificate table, over the image digest and optional page hashes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from signer.algorithms import DigestAlgorithm
from signer.asn1 import oids
from signer.errors import ImageError
from signer.formats.certificate_table import find_signature
from signer.formats.format import Comparison, Embedded, FileHashes
from signer.formats.indirect import signed_digest
from signer.pe import certificate_table
from signer.pe.digest import ImageHashes, PageHashes, has_pages, hash_image, hash_pages, page_difference
from signer.pe.image import Image
from signer.pe.protection import Fault, protection_faults
from signer.pkcs7 import indirect_data
from signer.pkcs7.content import Content
from signer.pkcs7.indirect_data import IndirectData
from signer.pkcs7.problem import SignatureProblem

if TYPE_CHECKING:
    from signer.pe.file_facts import FileFacts
    from signer.storage.patching import PatchSet


class ImageFormat:
    """A PE image. Fits `Format`; raises ImageError for MalformedInput."""

    def __init__(self, data: memoryview | bytes) -> None:
        self._image = Image.parse(data)
        self._hashes: ImageHashes | None = None
        """Digests and checksum from the pass that hashed the image, or None."""

    @property
    def is_signed(self) -> bool:
        """Whether the image has a certificate table."""
        return self._image.is_signed

    def signatures(self) -> list[bytes]:
        """List the SignedData in the certificate table."""
        return [entry.signed_data() for entry in certificate_table.read(self._image) if entry.is_signed_data]

    def hash(
        self, algorithms: Iterable[DigestAlgorithm], *, paged: Iterable[DigestAlgorithm] = (), to_change: bool = False
    ) -> FileHashes:
        """Hash the image and its pages, and compute its checksum."""
        hashes = hash_image(self._image, algorithms, paged=paged, summed=to_change)
        self._hashes = hashes if to_change else None
        return FileHashes(hashes.digests, hashes.pages)

    def content(self, hashes: FileHashes, algorithm: DigestAlgorithm) -> Content:
        """Return SpcIndirectDataContent with SpcPeImageData."""
        pages = hashes.pages.get(algorithm)
        return Content(oids.SPC_INDIRECT_DATA, indirect_data.for_image(algorithm, hashes.digests[algorithm], pages))

    def signed_digest(self, signature: bytes) -> tuple[DigestAlgorithm, bytes]:
        """Read the image digest in a signature."""
        return signed_digest(signature)

    def with_signatures(self, signatures: Sequence[bytes]) -> PatchSet:
        """Change the certificate table, its directory entry and the checksum; lief checks the result."""
        from signer.pe.embed import embed

        return embed(self._image, signatures, self._hashes)


class ImageSubject:
    """A PE image as evidence. Fits `Subject`; raises ImageError for MalformedInput."""

    def __init__(self, data: memoryview | bytes) -> None:
        self._image = Image.parse(data)
        self._pages: dict[DigestAlgorithm, PageHashes] = {}
        """Computed together with the digest, or on demand for a catalog's page hashes."""

    @property
    def architecture(self) -> str:
        """The machine in the file header."""
        return self._image.architecture

    @property
    def subsystem(self) -> int:
        """The subsystem in the optional header."""
        return self._image.subsystem

    @property
    def protection(self) -> tuple[Fault, ...]:
        """The problems of the sections under memory integrity."""
        return protection_faults(self._image)

    @property
    def has_page_hashes(self) -> bool:
        """Whether the page hashes of this layout are known from real examples."""
        return has_pages(self._image)

    def embedded(self) -> Embedded:
        """Find the first signature of the certificate table, the only one that Windows reads."""
        return find_signature(self._image)

    def hash(self, algorithms: Iterable[DigestAlgorithm], *, paged: Iterable[DigestAlgorithm] = ()) -> FileHashes:
        """Hash the image and its pages."""
        hashes = hash_image(self._image, algorithms, paged=paged)
        self._pages.update(hashes.pages)
        return FileHashes(hashes.digests, hashes.pages)

    def member_content(self, hashes: FileHashes, algorithm: DigestAlgorithm) -> bytes:
        """Return the content with SpcPeImageData as Inf2Cat writes it."""
        digest, pages = hashes.digests[algorithm], hashes.pages.get(algorithm)
        return indirect_data.for_image(algorithm, digest, pages, flags=indirect_data.INCLUDE_RESOURCES)

    def compare(self, claim: IndirectData) -> Comparison:
        """Compare the page hashes, if the claim has any."""
        claimed = claim.page_hashes
        if claimed is None:
            return Comparison()
        try:
            difference = page_difference(self._pages_by(claimed.algorithm), claimed)
        except ImageError as error:
            return Comparison(notes=(SignatureProblem("page-hashes-unchecked", error.message),))
        if difference is None:
            return Comparison(page_hashes_intact=True)
        note = SignatureProblem(
            "page-hash-mismatch", f"the hash of the page at offset {difference:#x} differs from the one that was signed"
        )
        return Comparison(notes=(note,), page_hashes_intact=False)

    def facts(self, known: Mapping[DigestAlgorithm, bytes] | None = None) -> FileFacts:
        """Read the version resource, the digests and the hash of the first page."""
        from signer.pe.file_facts import facts_of

        return facts_of(self._image, known)

    def _pages_by(self, algorithm: DigestAlgorithm) -> PageHashes:
        """Return the page hashes. Raises ImageError for a layout without known examples."""
        if algorithm not in self._pages:
            self._pages[algorithm] = hash_pages(self._image, algorithm)
        return self._pages[algorithm]

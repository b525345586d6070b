"""Sign and read cabinets: one signature after the data, over a digest of the cabinet with its reserved header area."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from signer.algorithms import DigestAlgorithm
from signer.asn1 import oids
from signer.cab import embed
from signer.cab.cabinet import Cabinet
from signer.errors import DigestChanged, MalformedInput
from signer.formats.format import Comparison, Embedded, FileHashes
from signer.formats.indirect import signed_digest
from signer.hashing import hash_parts
from signer.numbers import counted
from signer.pe.protection import Fault
from signer.pkcs7 import indirect_data
from signer.pkcs7.content import Content
from signer.pkcs7.indirect_data import IndirectData
from signer.pkcs7.problem import SignatureProblem
from signer.storage.patching import PatchSet

if TYPE_CHECKING:
    from signer.pe.file_facts import FileFacts

_ALIGNMENT = 8


class CabinetFormat:
    """A cabinet. Fits `Format`. The first signature moves all data, so a signature rewrites the file."""

    def __init__(self, data: memoryview | bytes) -> None:
        self._cabinet = Cabinet.parse(data)
        self._digests: dict[DigestAlgorithm, bytes] = {}

    @property
    def is_signed(self) -> bool:
        """Whether the header points to a signature."""
        return self._cabinet.is_signed

    def signatures(self) -> list[bytes]:
        """List the signature, if there is one."""
        return [self._cabinet.signed_data()] if self.is_signed else []

    @cached_property
    def _prepared(self) -> Cabinet:
        """Return the cabinet with the reserved area for a signature, which the digest covers. Raises MalformedInput."""
        return Cabinet.parse(embed.prepare(self._cabinet))

    def hash(
        self, algorithms: Iterable[DigestAlgorithm], *, paged: Iterable[DigestAlgorithm] = (), to_change: bool = False
    ) -> FileHashes:
        """Hash the cabinet in its signed form; hash one that can't be signed, such as a part of a set, unchanged."""
        try:
            cabinet = self._prepared
        except MalformedInput:
            cabinet = self._cabinet
        self._digests = hash_parts(cabinet.hashed_ranges(), algorithms)
        return FileHashes(self._digests)

    def content(self, hashes: FileHashes, algorithm: DigestAlgorithm) -> Content:
        """Return SpcIndirectDataContent with the enhanced hash, which covers the size field."""
        enhanced = algorithm.hash(self._prepared.size_field)
        der = indirect_data.for_cabinet(algorithm, hashes.digests[algorithm], enhanced)
        return Content(oids.SPC_INDIRECT_DATA, der)

    def signed_digest(self, signature: bytes) -> tuple[DigestAlgorithm, bytes]:
        """Read the cabinet digest in a signature."""
        return signed_digest(signature)

    def with_signatures(self, signatures: Sequence[bytes]) -> PatchSet:
        """Rewrite the cabinet with the first signature, or without the reserved area. Raises DigestChanged."""
        if not signatures:
            result = embed.strip(self._cabinet)
        else:
            result = embed.embed(bytes(self._prepared.data), signatures[0])
            if hash_parts(Cabinet.parse(result).hashed_ranges(), self._digests) != self._digests:
                raise DigestChanged("cabinet")
        return PatchSet(((0, result),), len(result))


def _uncovered(cabinet: Cabinet) -> Iterator[SignatureProblem]:
    """Find bytes that neither the digest covers nor the format defines. Raises SignatureFormatError."""
    trailing = cabinet.trailing()
    if len(trailing) >= _ALIGNMENT or any(trailing):
        message = f"the signature is followed by {counted(len(trailing), 'byte')} other than zero padding"
        yield SignatureProblem("cabinet-trailing-data", message)
    if cabinet.has_reserved_data:
        message = "the reserved area in the cabinet's header has data beside the place of the signature"
        yield SignatureProblem("cabinet-reserved-data", message)


class CabinetSubject:
    """A cabinet as evidence. Fits `Subject`. Catalogs list a cabinet unchanged, without the reserved area."""

    architecture = None
    subsystem = None
    protection: tuple[Fault, ...] = ()
    has_page_hashes = False

    def __init__(self, data: memoryview | bytes) -> None:
        self._cabinet = Cabinet.parse(data)

    def embedded(self) -> Embedded:
        """Find the signature after the data, and data that it doesn't cover."""
        if not self._cabinet.is_signed:
            return Embedded()
        return Embedded((self._cabinet.signed_data(),), tuple(_uncovered(self._cabinet)))

    def hash(self, algorithms: Iterable[DigestAlgorithm], *, paged: Iterable[DigestAlgorithm] = ()) -> FileHashes:
        """Hash the cabinet without its signature."""
        return FileHashes(hash_parts(self._cabinet.hashed_ranges(), algorithms))

    def member_content(self, hashes: FileHashes, algorithm: DigestAlgorithm) -> bytes:
        """Return the content as Inf2Cat writes it: with SHA-256, and the enhanced hash too (in 22 of 22 seen)."""
        if algorithm is not DigestAlgorithm.SHA256:
            return indirect_data.for_link(algorithm, hashes.digests[algorithm])
        enhanced = algorithm.hash(self._cabinet.size_field)
        return indirect_data.for_cabinet(algorithm, hashes.digests[algorithm], enhanced)

    def compare(self, claim: IndirectData) -> Comparison:
        """Compare the size field with the enhanced hash, if the claim has one."""
        if claim.enhanced_hash is None or claim.algorithm is None:
            return Comparison()
        if claim.algorithm.hash(self._cabinet.size_field) == claim.enhanced_hash:
            return Comparison()
        message = "the cabinet's size field differs from the one that was signed"
        return Comparison(problems=(SignatureProblem("enhanced-hash-mismatch", message),))

    def facts(self, known: Mapping[DigestAlgorithm, bytes] | None = None) -> FileFacts:
        """Return no facts: Windows does not load a cabinet as code."""
        from signer.pe.file_facts import FileFacts

        return FileFacts()

"""All that a file says about itself: every signature with its digest recomputed. No trust is decided here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from signer.algorithms import DigestAlgorithm
from signer.cab.cabinet import Cabinet
from signer.errors import ImageError
from signer.hashing import hash_parts
from signer.pe.digest import PageHashes, has_pages, hash_image, hash_pages, page_difference
from signer.pe.image import Image
from signer.pe.protection import protection_faults
from signer.pkcs7.indirect_data import IndirectData
from signer.pkcs7.parse import parse
from signer.verify.catalogs import asked_for, catalog_signatures, signature_of
from signer.verify.certificate_table import read_table
from signer.verify.evidence import CatalogLookup, Evidence, Problem, Signature
from signer.verify.signatures import Read, read_signatures

Kind = Literal["image", "catalog", "cabinet", "file"]


def gather(data: memoryview | bytes, kind: Kind, name: str, catalogs: Iterable[CatalogLookup] = ()) -> Evidence:
    """The evidence of a file of this kind, called `name`. Raises ImageError, SignatureFormatError."""
    if kind == "image":
        return gather_image(data, name, catalogs)
    if kind == "catalog":
        return gather_catalog(data, name)
    if kind == "cabinet":
        return gather_cabinet(data, name, catalogs)
    return gather_file(data, name, catalogs)


def gather_image(data: memoryview | bytes, name: str, catalogs: Iterable[CatalogLookup] = ()) -> Evidence:
    """The embedded and nested signatures of an image, then those of the catalogs that list it.

    Raises ImageError for an image whose layout leaves open what its digest covers.
    """
    image, lookups = Image.parse(data), tuple(catalogs)
    read, problems = read_table(image)
    wanted = asked_for(lookups) | {one.indirect.algorithm for one in read if one.indirect and one.indirect.algorithm}
    claimed = {one.indirect.page_hashes.algorithm for one in read if one.indirect and one.indirect.page_hashes}
    hashes = hash_image(image, wanted, paged=claimed if has_pages(image) else ())
    pages = _Pages(image, hashes.pages)
    embedded = [_with_pages(_compared(one, hashes.digests, "image"), one.indirect, pages) for one in read]
    listed = catalog_signatures(lookups, hashes.digests, len(embedded))
    return Evidence(
        name,
        "image",
        hashes.digests,
        architecture=image.architecture,
        signatures=(*embedded, *(_with_pages(one.signature, one.indirect, pages) for one in listed)),
        problems=tuple(problems),
        protection=protection_faults(image),
    )


def gather_catalog(data: memoryview | bytes, name: str) -> Evidence:
    """The signature of a catalog over its list; none where nobody signed it. Raises SignatureFormatError."""
    parsed = parse(bytes(data))
    signature = signature_of(bytes(data)) if parsed.signers else None
    if signature is None:
        return Evidence(name, "catalog", {})
    digests = {signature.digest_algorithm: signature.digest} if signature.digest_algorithm else {}
    return Evidence(name, "catalog", digests, signatures=(signature,))


def gather_cabinet(data: memoryview | bytes, name: str, catalogs: Iterable[CatalogLookup] = ()) -> Evidence:
    """The signatures in a cabinet, then those of the catalogs that list it. Raises MalformedInput."""
    cabinet, lookups = Cabinet.parse(data), tuple(catalogs)
    read = list(read_signatures(cabinet.signed_data())) if cabinet.is_signed else []
    wanted = asked_for(lookups) | {one.indirect.algorithm for one in read if one.indirect and one.indirect.algorithm}
    digests = hash_parts(cabinet.hashed_ranges(), wanted)
    embedded = [_with_size(_compared(one, digests, "cabinet"), one.indirect, cabinet) for one in read]
    others = [one.signature for one in catalog_signatures(lookups, digests, len(embedded))]
    return Evidence(name, "cabinet", digests, signatures=(*embedded, *others))


def gather_file(data: memoryview | bytes, name: str, catalogs: Iterable[CatalogLookup] = ()) -> Evidence:
    """The signatures of the catalogs that list a file by the digest of all its bytes."""
    lookups = tuple(catalogs)
    digests = {algorithm: algorithm.hash(data) for algorithm in asked_for(lookups)}
    listed = tuple(one.signature for one in catalog_signatures(lookups, digests, 0))
    return Evidence(name, "file", digests, signatures=listed)


class _Pages:
    """The page hashes of an image: those that came with its digest, and others that a catalog's signature asks for."""

    def __init__(self, image: Image, known: dict[DigestAlgorithm, PageHashes]) -> None:
        self._image = image
        self._known = dict(known)

    def of(self, algorithm: DigestAlgorithm) -> PageHashes:
        """Raises ImageError where no real example tells what the image's page hashes would be."""
        if algorithm not in self._known:
            self._known[algorithm] = hash_pages(self._image, algorithm)
        return self._known[algorithm]


def _compared(read: Read, digests: dict[DigestAlgorithm, bytes], kind: Literal["image", "cabinet"]) -> Signature:
    """The signature with what comes of comparing it with the file."""
    signature, indirect = read.signature, read.indirect
    if indirect is None:
        return signature
    problems: list[Problem] = []
    if indirect.kind == "other":
        message = "what was hashed is said to be neither an image nor a cabinet"
        problems.append(Problem("indirect-data-type", message))
    elif indirect.kind != kind:
        problems.append(Problem("indirect-data-kind", f"what was hashed is said to be no {kind}"))
    if indirect.algorithm is not None and digests[indirect.algorithm] != indirect.digest:
        problems.append(Problem("digest-mismatch", f"the {kind}'s digest is not the one that was signed"))
    return replace(signature, problems=(*problems, *signature.problems))


def _with_size(signature: Signature, indirect: IndirectData | None, cabinet: Cabinet) -> Signature:
    """The signature with what comes of comparing its enhanced hash with a cabinet's size, if it has one."""
    if indirect is None or indirect.enhanced_hash is None or indirect.algorithm is None:
        return signature
    if indirect.algorithm.hash(cabinet.size_field) == indirect.enhanced_hash:
        return signature
    problem = Problem("enhanced-hash-mismatch", "the cabinet's size field is not the one that was signed")
    return replace(signature, problems=(problem, *signature.problems))


def _with_pages(signature: Signature, indirect: IndirectData | None, pages: _Pages) -> Signature:
    """The signature with what comes of comparing its page hashes, if it has any."""
    claimed = indirect.page_hashes if indirect else None
    if claimed is None:
        return signature
    try:
        difference = page_difference(pages.of(claimed.algorithm), claimed)
    except ImageError as error:
        return replace(signature, notes=(*signature.notes, Problem("page-hashes-unchecked", error.message)))
    if difference is None:
        return replace(signature, page_hashes_intact=True)
    note = Problem("page-hash-mismatch", f"the page at offset {difference:#x} has another hash than was signed")
    return replace(signature, page_hashes_intact=False, notes=(*signature.notes, note))

"""Gather evidence: read every signature of a file and recompute its digest. Trust is evaluated elsewhere."""

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
from signer.verify.catalogs import catalog_signatures, member_algorithms, signature_of
from signer.verify.certificate_table import read_table
from signer.verify.evidence import CatalogLookup, Evidence, Problem, Signature
from signer.verify.signatures import ReadSignature, read_signatures


def gather(data: memoryview | bytes, kind: str, name: str, catalogs: Iterable[CatalogLookup] = ()) -> Evidence:
    """Gather the evidence of a file. Raises ImageError, MalformedInput, SignatureFormatError.

    `name` labels the evidence; `catalogs` are searched for the file's digests.
    """
    if kind == "image":
        return gather_image(data, name, catalogs)
    if kind == "catalog":
        return gather_catalog(data, name)
    if kind == "cabinet":
        return gather_cabinet(data, name, catalogs)
    return gather_file(data, name, catalogs)


def gather_image(data: memoryview | bytes, name: str, catalogs: Iterable[CatalogLookup] = ()) -> Evidence:
    """Read the embedded and nested signatures of an image, then those of the catalogs that list it.

    Raises ImageError for an image whose layout makes the digest's coverage ambiguous.
    """
    image, lookups = Image.parse(data), tuple(catalogs)
    read, problems = read_table(image)
    wanted = member_algorithms(lookups) | _claimed_algorithms(read)
    claimed = {one.indirect.page_hashes.algorithm for one in read if one.indirect and one.indirect.page_hashes}
    hashes = hash_image(image, wanted, paged=claimed if has_pages(image) else ())
    pages = _Pages(image, hashes.pages)
    embedded = [_check_pages(_compare_digest(one, hashes.digests, "image"), one.indirect, pages) for one in read]
    listed = catalog_signatures(lookups, hashes.digests, len(embedded))
    return Evidence(
        name,
        "image",
        hashes.digests,
        architecture=image.architecture,
        signatures=(*embedded, *(_check_pages(one.signature, one.indirect, pages) for one in listed)),
        problems=tuple(problems),
        protection=protection_faults(image),
    )


def gather_catalog(data: memoryview | bytes, name: str) -> Evidence:
    """Read the signature of a catalog over its trust list, if it has one. Raises SignatureFormatError."""
    parsed = parse(bytes(data))
    signature = signature_of(bytes(data)) if parsed.signers else None
    if signature is None:
        return Evidence(name, "catalog", {})
    digests = {signature.digest_algorithm: signature.digest} if signature.digest_algorithm else {}
    return Evidence(name, "catalog", digests, signatures=(signature,))


def gather_cabinet(data: memoryview | bytes, name: str, catalogs: Iterable[CatalogLookup] = ()) -> Evidence:
    """Read the signatures in a cabinet, then those of the catalogs that list it. Raises MalformedInput."""
    cabinet, lookups = Cabinet.parse(data), tuple(catalogs)
    read = list(read_signatures(cabinet.signed_data())) if cabinet.is_signed else []
    wanted = member_algorithms(lookups) | _claimed_algorithms(read)
    digests = hash_parts(cabinet.hashed_ranges(), wanted)
    embedded = [_check_size(_compare_digest(one, digests, "cabinet"), one.indirect, cabinet) for one in read]
    others = [one.signature for one in catalog_signatures(lookups, digests, len(embedded))]
    return Evidence(name, "cabinet", digests, signatures=(*embedded, *others))


def gather_file(data: memoryview | bytes, name: str, catalogs: Iterable[CatalogLookup] = ()) -> Evidence:
    """Read the signatures of the catalogs that list a file by the digest of all its bytes."""
    lookups = tuple(catalogs)
    digests = {algorithm: algorithm.hash(data) for algorithm in member_algorithms(lookups)}
    listed = tuple(one.signature for one in catalog_signatures(lookups, digests, 0))
    return Evidence(name, "file", digests, signatures=listed)


class _Pages:
    """Page hashes of an image: computed together with its digest, or on demand for a catalog's page hashes."""

    def __init__(self, image: Image, known: dict[DigestAlgorithm, PageHashes]) -> None:
        self._image = image
        self._known = dict(known)

    def of(self, algorithm: DigestAlgorithm) -> PageHashes:
        """Return the page hashes. Raises ImageError for a layout whose page hashes no known example settles."""
        if algorithm not in self._known:
            self._known[algorithm] = hash_pages(self._image, algorithm)
        return self._known[algorithm]


def _claimed_algorithms(read: Iterable[ReadSignature]) -> set[DigestAlgorithm]:
    return {one.indirect.algorithm for one in read if one.indirect and one.indirect.algorithm}


def _compare_digest(
    read: ReadSignature, digests: dict[DigestAlgorithm, bytes], kind: Literal["image", "cabinet"]
) -> Signature:
    """Compare the signed digest with the file's; return the signature with the problems found."""
    signature, indirect = read.signature, read.indirect
    if indirect is None:
        return signature
    problems: list[Problem] = []
    if indirect.kind == "other":
        message = "the signature declares its digest to be of neither an image nor a cabinet"
        problems.append(Problem("indirect-data-type", message))
    elif indirect.kind != kind:
        other = {"image": "a cabinet, but this is an image", "cabinet": "an image, but this is a cabinet"}[kind]
        problems.append(Problem("indirect-data-kind", f"the signature declares its digest to be of {other}"))
    if indirect.algorithm is not None and digests[indirect.algorithm] != indirect.digest:
        problems.append(Problem("digest-mismatch", f"the {kind}'s digest differs from the one that was signed"))
    return replace(signature, problems=(*problems, *signature.problems))


def _check_size(signature: Signature, indirect: IndirectData | None, cabinet: Cabinet) -> Signature:
    """Compare the signature's enhanced hash, if it has one, with the cabinet's size field."""
    if indirect is None or indirect.enhanced_hash is None or indirect.algorithm is None:
        return signature
    if indirect.algorithm.hash(cabinet.size_field) == indirect.enhanced_hash:
        return signature
    problem = Problem("enhanced-hash-mismatch", "the cabinet's size field differs from the one that was signed")
    return replace(signature, problems=(problem, *signature.problems))


def _check_pages(signature: Signature, indirect: IndirectData | None, pages: _Pages) -> Signature:
    """Compare the signature's page hashes, if it has any, with the image's pages."""
    claimed = indirect.page_hashes if indirect else None
    if claimed is None:
        return signature
    try:
        difference = page_difference(pages.of(claimed.algorithm), claimed)
    except ImageError as error:
        return replace(signature, notes=(*signature.notes, Problem("page-hashes-unchecked", error.message)))
    if difference is None:
        return replace(signature, page_hashes_intact=True)
    note = Problem(
        "page-hash-mismatch", f"the hash of the page at offset {difference:#x} differs from the one that was signed"
    )
    return replace(signature, page_hashes_intact=False, notes=(*signature.notes, note))

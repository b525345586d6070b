"""Read catalog signatures: a signed catalog that lists the file's digest signs the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from signer.algorithms import DigestAlgorithm
from signer.errors import SignatureFormatError
from signer.hashing import cached_by_digest
from signer.pkcs7.indirect_data import IndirectData
from signer.pkcs7.parse import parse
from signer.verify.evidence import CatalogLookup, Signature
from signer.verify.signatures import ReadSignature, page_hash_kind, read_catalog_signature, unreadable_problem

_CACHED = 256
"""Number of cached signatures: several packages may have the same catalog."""


def member_algorithms(catalogs: Iterable[CatalogLookup]) -> set[DigestAlgorithm]:
    """Return the digest algorithms that `catalogs` list their members by."""
    return {algorithm for catalog in catalogs for algorithm in catalog.digest_algorithms()}


def catalog_signatures(
    catalogs: Iterable[CatalogLookup], digests: Mapping[DigestAlgorithm, bytes], index: int
) -> Iterator[ReadSignature]:
    """Yield the signature of each signed catalog that lists one of `digests`, numbered from `index`."""
    for catalog in catalogs:
        found = [algorithm for algorithm, digest in digests.items() if catalog.contains(digest)]
        signature = catalog.signature if found else None
        if signature is None:
            continue
        strongest = max(found, key=lambda algorithm: algorithm.size)
        indirect = IndirectData("", strongest.oid, digests[strongest], catalog.page_hashes(digests[strongest]))
        listed = replace(
            signature,
            index=index,
            source="catalog",
            catalog=catalog.name,
            digest_algorithm=strongest,
            digest=indirect.digest,
            page_hashes=page_hash_kind(indirect),
        )
        yield ReadSignature(listed, indirect)
        index += 1


def signature_of(data: bytes) -> Signature | None:
    """Read and check the signature of a catalog (DER); return None for an unsigned catalog."""
    try:
        return content_signature(data)
    except SignatureFormatError as error:
        problem = unreadable_problem("the catalog's signature", error)
        return Signature(0, "embedded", None, None, b"", None, (), None, problems=(problem,))


@cached_by_digest(_CACHED)
def content_signature(data: bytes) -> Signature | None:
    """Read and check the signature as `signature_of`. Raises SignatureFormatError if it can't be read."""
    parsed = parse(data)
    return read_catalog_signature(parsed) if parsed.signers else None

"""Catalogs as evidence: a signed list that has the file's digest in it signs the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from signer.algorithms import DigestAlgorithm
from signer.errors import SignatureFormatError
from signer.pkcs7.indirect_data import IndirectData
from signer.pkcs7.parse import parse
from signer.verify.evidence import CatalogLookup, Signature
from signer.verify.signatures import Read, page_hash_kind, read_catalog_signature, why_unreadable

_KEPT = 32
"""How many catalogs are remembered: a package's files are looked up in the same one."""


def asked_for(catalogs: Iterable[CatalogLookup]) -> set[DigestAlgorithm]:
    """The digests that files must be hashed with to be found in the catalogs."""
    return {algorithm for catalog in catalogs for algorithm in catalog.digest_algorithms()}


def catalog_signatures(
    catalogs: Iterable[CatalogLookup], digests: Mapping[DigestAlgorithm, bytes], index: int
) -> Iterator[Read]:
    """The signatures of the catalogs that list one of the digests, numbered from `index`; an unsigned one has none."""
    for catalog in catalogs:
        found = [algorithm for algorithm, digest in digests.items() if catalog.contains(digest)]
        signature = signature_of(catalog.signed_data) if found else None
        if signature is None:
            continue
        strongest = max(found, key=lambda algorithm: algorithm.size)
        said = IndirectData("other", strongest.oid, digests[strongest], catalog.page_hashes(digests[strongest]))
        about = replace(
            signature,
            index=index,
            source="catalog",
            catalog=catalog.name,
            digest_algorithm=strongest,
            digest=said.digest,
            page_hashes=page_hash_kind(said),
        )
        yield Read(about, said)
        index += 1


@lru_cache(_KEPT)
def signature_of(data: bytes) -> Signature | None:
    """The signature over a catalog, checked; None where nobody signed it."""
    try:
        parsed = parse(data)
    except SignatureFormatError as error:
        problem = why_unreadable("the catalog's signature", error)
        return Signature(0, "embedded", None, None, b"", None, (), None, problems=(problem,))
    return read_catalog_signature(parsed) if parsed.signers else None

"""Compute what new signatures of a file hold of it. Loads nothing that signing alone needs."""

from __future__ import annotations

from collections.abc import Iterable

from signer.algorithms import DigestAlgorithm
from signer.formats.detect import detect
from signer.formats.format import PAGE_HASH_ALGORITHMS, FileHashes
from signer.hashing import hash_parts


def hashes(data: memoryview | bytes, algorithms: Iterable[DigestAlgorithm], *, page_hashes: bool = False) -> FileHashes:
    """Compute what new signatures hold of a file; of one that carries none, the hash of all bytes.

    Page hashes come with SHA-1 and SHA-256, for formats that have them. Raises MalformedInput.
    """
    wanted, row = list(algorithms), detect(data)
    if row is None:
        return FileHashes(hash_parts([memoryview(data)], wanted))
    paged = [one for one in wanted if one in PAGE_HASH_ALGORITHMS] if page_hashes and row.features.page_hashes else []
    return row.load()(data).hash(wanted, paged=paged)

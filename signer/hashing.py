"""Hash parts of a file with several algorithms at once: every byte is read once.

Each piece goes to all hashers while it is in the processor's cache; hashlib releases the interpreter's lock, so
that two algorithms run on two processors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from signer.algorithms import DigestAlgorithm

_CHUNK = 1 << 20
_WORTH_A_THREAD = 4 << 20


def hash_parts(parts: Iterable[memoryview], algorithms: Iterable[DigestAlgorithm]) -> dict[DigestAlgorithm, bytes]:
    """The digest of the concatenated parts with each algorithm."""
    hashers = {algorithm: algorithm.new() for algorithm in algorithms}
    views = list(parts)
    if len(hashers) < 2 or sum(map(len, views)) < _WORTH_A_THREAD:
        for piece in _pieces(views):
            for hasher in hashers.values():
                hasher.update(piece)
    else:
        with ThreadPoolExecutor(len(hashers)) as pool:
            for piece in _pieces(views):
                list(pool.map(lambda hasher, piece=piece: hasher.update(piece), hashers.values()))
    return {algorithm: hasher.digest() for algorithm, hasher in hashers.items()}


def _pieces(views: Iterable[memoryview]) -> Iterator[memoryview]:
    for view in views:
        for offset in range(0, len(view), _CHUNK):
            yield view[offset : offset + _CHUNK]

"""Hash parts of a file with several algorithms at once: every byte is read once.

Each piece goes to all hashers while it is in the processor's cache; hashlib releases the interpreter's lock, so
that two algorithms run on two processors.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from signer.algorithms import DigestAlgorithm

_CHUNK = 1 << 20
_FORGET_AFTER = 32 << 20
_WORTH_A_THREAD = 4 << 20


def hash_parts(parts: Iterable[memoryview], algorithms: Iterable[DigestAlgorithm]) -> dict[DigestAlgorithm, bytes]:
    """The digest of the concatenated parts with each algorithm."""
    hashers = {algorithm: algorithm.new() for algorithm in algorithms}
    views = list(parts)
    if len(hashers) < 2 or sum(map(len, views)) < _WORTH_A_THREAD:
        for piece in pieces(views):
            for hasher in hashers.values():
                hasher.update(piece)
    else:
        with ThreadPoolExecutor(len(hashers)) as pool:
            for piece in pieces(views):
                list(pool.map(lambda hasher, piece=piece: hasher.update(piece), hashers.values()))
    return {algorithm: hasher.digest() for algorithm, hasher in hashers.items()}


def pieces(views: Iterable[memoryview], size: int = _CHUNK) -> Iterator[memoryview]:
    """The parts of a file in pieces of at most `size` bytes, with memory that does not grow with the file."""
    since = 0
    for view in views:
        for offset in range(0, len(view), size):
            piece = view[offset : offset + size]
            yield piece
            since += len(piece)
            if since >= _FORGET_AFTER:
                _forget(view)
                since = 0


def _forget(view: memoryview) -> None:
    """Have the system take back the pages of a mapped file that have been read: they would count as ours."""
    source = view.obj
    if isinstance(source, mmap.mmap) and hasattr(source, "madvise") and hasattr(mmap, "MADV_DONTNEED"):
        source.madvise(mmap.MADV_DONTNEED)

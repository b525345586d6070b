"""Hash parts of a file with several algorithms at once: every byte is read once.

hashlib releases the interpreter's lock, so that several hashers and whatever else looks at the bytes run side by side.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from signer.algorithms import DigestAlgorithm

if TYPE_CHECKING:
    from hashlib import _Hash

_CHUNK = 1 << 20
_STRIDE = 32 << 20
"""How much of a mapped file is in memory at a time; threads meet that often."""
_WORTH_A_THREAD = 4 << 20


def hash_parts(parts: Iterable[memoryview], algorithms: Iterable[DigestAlgorithm]) -> dict[DigestAlgorithm, bytes]:
    """The digest of the concatenated parts with each algorithm."""
    hashers = {algorithm: algorithm.new() for algorithm in algorithms}
    one_pass(parts, hashers.values())
    return {algorithm: hasher.digest() for algorithm, hasher in hashers.items()}


def one_pass(
    parts: Iterable[memoryview], hashers: Collection[_Hash], others: Collection[Callable[[memoryview], object]] = ()
) -> None:
    """Give all parts, in pieces and in order, to the hashers and to the others.

    Where it is worth it, each hasher has a thread; the others, which hold the interpreter's lock, run in this one.
    """
    views = list(parts)
    if len(hashers) + len(others) < 2 or sum(map(len, views)) < _WORTH_A_THREAD:
        for piece in pieces(views):
            for take in (*(hasher.update for hasher in hashers), *others):
                take(piece)
        return
    with ThreadPoolExecutor(max(1, len(hashers))) as pool:
        for piece in pieces(views, _STRIDE):
            running = [pool.submit(hasher.update, piece) for hasher in hashers]
            for take in others:
                take(piece)
            for future in running:
                future.result()


def pieces(views: Iterable[memoryview], size: int = _CHUNK) -> Iterator[memoryview]:
    """The parts of a file in pieces of at most `size` bytes, with memory that does not grow with the file."""
    since = 0
    for view in views:
        for offset in range(0, len(view), size):
            piece = view[offset : offset + size]
            yield piece
            since += len(piece)
            if since >= _STRIDE:
                _forget(view)
                since = 0


def _forget(view: memoryview) -> None:
    """Have the system take back the pages of a mapped file that have been read: they would count as ours."""
    source = view.obj
    if isinstance(source, mmap.mmap) and hasattr(source, "madvise") and hasattr(mmap, "MADV_DONTNEED"):
        source.madvise(mmap.MADV_DONTNEED)

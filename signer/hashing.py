"""Hash a file with several algorithms in one pass over its bytes.

hashlib releases the GIL while it hashes, so several hashers and other consumers of the bytes run in parallel.
"""

from __future__ import annotations

import hashlib
import mmap
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, TypeVar

from signer.algorithms import DigestAlgorithm

if TYPE_CHECKING:
    from concurrent.futures import Future
    from hashlib import _Hash

Result = TypeVar("Result")
_CHUNK = 1 << 20
_STRIDE = 16 << 20
"""Half of the bytes of a mapped file that are in memory at a time; no thread is ahead of another by more."""
_THREADING_THRESHOLD = 4 << 20


def hash_parts(parts: Iterable[memoryview], algorithms: Iterable[DigestAlgorithm]) -> dict[DigestAlgorithm, bytes]:
    """Return the digest of the concatenated parts for each algorithm."""
    hashers = {algorithm: algorithm.new() for algorithm in algorithms}
    one_pass(parts, hashers.values())
    return {algorithm: hasher.digest() for algorithm, hasher in hashers.items()}


def one_pass(
    parts: Iterable[memoryview], hashers: Collection[_Hash], consumers: Collection[Callable[[memoryview], object]] = ()
) -> None:
    """Pass all parts, in pieces and in order, to every hasher and every consumer.

    For large inputs each hasher runs in its own thread, up to one piece behind the consumers. These hold the GIL and
    run in the calling thread.
    """
    views = list(parts)
    size = sum(map(len, views))
    if len(hashers) + len(consumers) < 2 or size < _THREADING_THRESHOLD:
        every = [*(hasher.update for hasher in hashers), *consumers]
        for piece in views if size <= _CHUNK else pieces(views):
            for consume in every:
                consume(piece)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ExitStack() as ends:
        threads = [(ends.enter_context(ThreadPoolExecutor(1)), hasher) for hasher in hashers]
        running: list[Future[None]] = []
        for piece in pieces(views, _STRIDE):
            before, running = running, [thread.submit(hasher.update, piece) for thread, hasher in threads]
            for consume in consumers:
                consume(piece)
            for future in before:
                future.result()
        for future in running:
            future.result()


def pieces(views: Iterable[memoryview], size: int = _CHUNK) -> Iterator[memoryview]:
    """Yield the parts of a file in pieces of at most `size` bytes, in constant memory."""
    resident = 0
    for view in views:
        for offset in range(0, len(view), size):
            piece = view[offset : offset + size]
            yield piece
            resident += len(piece)
            if resident >= _STRIDE:
                _drop_pages(view)
                resident = 0


def _drop_pages(view: memoryview) -> None:
    """Drop the pages of a mapped file that were read, so that they do not add to the process's resident memory."""
    source = view.obj
    if isinstance(source, mmap.mmap) and hasattr(source, "madvise") and hasattr(mmap, "MADV_DONTNEED"):
        source.madvise(mmap.MADV_DONTNEED)


class _Input(bytes):
    """The digest of an input, which identifies it in a cache, and the input itself while it is needed."""

    data = b""


def cached_by_digest(size: int) -> Callable[[Callable[[bytes], Result]], Callable[[bytes], Result]]:
    """Cache the results of a function for the last `size` different inputs, without keeping the inputs."""

    def cached(function: Callable[[bytes], Result]) -> Callable[[bytes], Result]:
        @lru_cache(size)
        def result_of(one: _Input) -> Result:
            return function(one.data)

        @wraps(function)
        def call(data: bytes) -> Result:
            one = _Input(hashlib.sha256(data).digest())
            one.data = data
            try:
                return result_of(one)
            finally:
                del one.data

        return call

    return cached

"""Compute the digest and the page hashes of an image, in one pass over its bytes for all algorithms.

Source: "Windows Authenticode Portable Executable Signature Format", section "Calculating the PE Image Hash". The layout
of page hashes is not documented and was derived from drivers in the field.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import pairwise

from signer.algorithms import DigestAlgorithm
from signer.errors import ImageError
from signer.hashing import one_pass
from signer.pe.checksum import WordSum
from signer.pe.image import Image
from signer.records import dataclass

_UNHASHED = 4 + 8
"""Bytes of the header fields that no digest covers: the checksum and the certificate table's directory entry."""


@dataclass(frozen=True, slots=True)
class PageHashes:
    """The hashes of an image's pages, as SpcPeImageData contains them."""

    algorithm: DigestAlgorithm
    table: bytes
    """Rows of a file offset (32 bits, little endian) and a digest; the last has the end offset and a zero digest."""

    @property
    def first_page(self) -> bytes:
        """The digest of the first page, which App Control's "Hash Page" rules compare."""
        return self.table[4 : 4 + self.algorithm.size]


def padding(size: int) -> bytes:
    """Return the zero bytes that pad `size` to a multiple of 8, where a certificate table can begin."""
    return bytes(-size % 8)


def hashed_ranges(image: Image) -> list[memoryview]:
    """Return the parts of the image that its digest covers, in order, and padding to a multiple of 8 bytes.

    The digest omits the checksum, the certificate table's directory entry and the certificate table.
    """
    cuts = (0, image.checksum_offset, image.checksum_offset + 4, image.directory_offset, image.directory_offset + 8)
    view = image.data
    ranges = [view[cuts[0] : cuts[1]], view[cuts[2] : cuts[3]], view[cuts[4] : image.content_end]]
    return [*ranges, memoryview(padding(image.content_end))]


@dataclass(frozen=True, slots=True)
class ImageHashes:
    """The results of one pass over an image."""

    digests: dict[DigestAlgorithm, bytes]
    pages: dict[DigestAlgorithm, PageHashes]
    word_sum: int | None
    """The 16-bit sum of the bytes that the digest covers, part of the checksum; None if not requested."""


def hash_image(
    image: Image, algorithms: Iterable[DigestAlgorithm], *, paged: Iterable[DigestAlgorithm] = (), summed: bool = False
) -> ImageHashes:
    """Compute digests, page hashes (for `paged`) and the word sum (if `summed`) of an image in one pass.

    An unsigned image is hashed as if padded with zeros to a multiple of 8 bytes. Raises ImageError if page hashes are
    requested for a layout whose page hashes are unknown.
    """
    hashers = {algorithm: algorithm.new() for algorithm in algorithms}
    tables: dict[DigestAlgorithm, _PageTable] = {}
    # Not a comprehension: before Python 3.12, the traceback of an error would keep the image alive in its closure.
    for algorithm in paged:
        tables[algorithm] = _PageTable(image, algorithm)
    words = WordSum()
    consumers = [*(table.add for table in tables.values()), *([words.add] if summed else [])]
    one_pass(hashed_ranges(image), hashers.values(), consumers)
    return ImageHashes(
        {algorithm: hasher.digest() for algorithm, hasher in hashers.items()},
        {algorithm: table.finish() for algorithm, table in tables.items()},
        words.value if summed else None,
    )


def digest_image(image: Image, algorithms: Iterable[DigestAlgorithm]) -> dict[DigestAlgorithm, bytes]:
    """Return the digest of an image for each algorithm."""
    return hash_image(image, algorithms).digests


def hash_pages(image: Image, algorithm: DigestAlgorithm) -> PageHashes:
    """Return the page hashes of an image. Raises ImageError if they are unknown for its layout."""
    return hash_image(image, (), paged=[algorithm]).pages[algorithm]


def first_page(image: Image, algorithm: DigestAlgorithm) -> bytes:
    """Return the hash of an image's headers, which is its first page hash. Raises ImageError if it is unknown.

    Unlike `hash_pages`, does not depend on the order of the sections.
    """
    _require_pages(image)
    return _hash_headers(image, algorithm)


class _PageTable:
    """Compute page hashes during a pass over the image.

    The first row covers the headers without the checksum and the certificate table's directory entry. Each further row
    covers one page of a section. Short pages are padded with zeros.
    """

    def __init__(self, image: Image, algorithm: DigestAlgorithm) -> None:
        _require_table(image)
        self._image, self._algorithm = image, algorithm
        self._rows = [_row(0, _hash_headers(image, algorithm))]
        self._left = deque((section.offset, section.end) for section in image.sections)
        """Start and end of what is left of each section."""
        self._position = _UNHASHED

    def add(self, piece: memoryview) -> None:
        """Hash the pages that begin in `piece`, the next piece of the bytes that the digest covers."""
        self._position += len(piece)
        size = self._image.page_size
        while self._left and self._left[0][0] < self._position:
            start, end = self._left.popleft()
            stop = min(end, start - (start - self._position) // size * size)
            self._hash(start, stop)
            if stop < end:
                self._left.appendleft((stop, end))

    def _hash(self, start: int, end: int) -> None:
        """Add the rows of the pages in a range of a section; the last can be short."""
        data, new, size = self._image.data, self._algorithm.new, self._image.page_size
        whole = end - (end - start) % size
        self._rows += [_row(at, new(data[at : at + size]).digest()) for at in range(start, whole, size)]
        if whole < end:
            self._rows.append(_row(whole, new(bytes(data[whole:end]).ljust(size, b"\0")).digest()))

    def finish(self) -> PageHashes:
        """Return the table with its final row."""
        end = self._image.sections[-1].end if self._image.sections else self._image.headers_size
        return PageHashes(self._algorithm, b"".join((*self._rows, _row(end, bytes(self._algorithm.size)))))


def page_difference(expected: PageHashes, found: PageHashes) -> int | None:
    """Return the file offset of the first page whose hash differs between two tables, or None if they are equal."""
    if expected.table == found.table:
        return None
    width = 4 + expected.algorithm.size
    for offset in range(0, max(len(expected.table), len(found.table)), width):
        row = expected.table[offset : offset + width]
        if row != found.table[offset : offset + width]:
            return int.from_bytes((row or found.table[offset : offset + width])[:4], "little")
    return None


def has_pages(image: Image) -> bool:
    """Return whether page hashes are known for the layout of an image."""
    try:
        _require_table(image)
    except ImageError:
        return False
    return True


def _require_table(image: Image) -> None:
    """Raise ImageError unless drivers in the field show all page hashes of such a layout, and their order."""
    _require_pages(image)
    if not image.in_order:
        raise ImageError(
            "the order of the sections in the file differs from the section table: the order of page hashes is unknown",
            hint="Sign the image without page hashes.",
        )


def _require_pages(image: Image) -> None:
    """Raise ImageError unless sections begin at page boundaries, and the headers fit in one page before them."""
    if image.section_alignment % image.page_size or not image.section_alignment:
        raise ImageError(
            f"the section alignment is {image.section_alignment} bytes: page hashes are known only for multiples of "
            f"{image.page_size}",
            hint="Sign the image without page hashes, or link it with the default section alignment.",
        )
    if image.sections and image.sections[0].offset < image.headers_size:
        raise ImageError(
            f"the section {image.sections[0].name!r} begins within SizeOfHeaders: page hashes are unknown for that",
            hint="Sign the image without page hashes.",
            offset=image.sections[0].offset,
        )
    if image.headers_size > image.page_size:
        raise ImageError(
            f"the headers have {image.headers_size} bytes: page hashes are known only for headers of at most one page",
            hint="Sign the image without page hashes.",
        )


def _hash_headers(image: Image, algorithm: DigestAlgorithm) -> bytes:
    cuts = [0, image.checksum_offset, image.checksum_offset + 4, image.directory_offset, image.directory_offset + 8]
    hasher = algorithm.new()
    for start, end in list(pairwise([*cuts, image.headers_size]))[::2]:
        hasher.update(image.data[start:end])
    hasher.update(bytes(image.page_size - image.headers_size))
    return hasher.digest()


def _row(offset: int, digest: bytes) -> bytes:
    return offset.to_bytes(4, "little") + digest

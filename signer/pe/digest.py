"""The digest of an image, and the hashes of its pages: one pass over the bytes for all algorithms.

Source: "Windows Authenticode Portable Executable Signature Format", section "Calculating the PE Image Hash"; the layout
of page hashes was read from page-hashed drivers in the field.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from signer.algorithms import DigestAlgorithm
from signer.errors import ImageError
from signer.hashing import one_pass
from signer.pe.checksum import WordSum
from signer.pe.image import Image

_UNHASHED = 4 + 8
"""Bytes of the headers that no digest covers: checksum and directory entry."""


@dataclass(frozen=True, slots=True)
class PageHashes:
    """The hashes of an image's pages, as SpcPeImageData carries them."""

    algorithm: DigestAlgorithm
    table: bytes
    """Rows of a file offset (32 bits, little endian) and a digest; the last has the end's offset and a zero digest."""

    @property
    def first_page(self) -> bytes:
        """The digest of the first page, which App Control's "Hash Page" rules compare with."""
        return self.table[4 : 4 + self.algorithm.size]


def padding(size: int) -> bytes:
    """The zero bytes that bring `size` to a multiple of 8, where a certificate table can begin."""
    return bytes(-size % 8)


def hashed_ranges(image: Image) -> list[memoryview]:
    """The parts of the image that its digest covers, in order: all but checksum, directory entry and signature."""
    cuts = (0, image.checksum_offset, image.checksum_offset + 4, image.directory_offset, image.directory_offset + 8)
    view = image.data
    ranges = [view[cuts[0] : cuts[1]], view[cuts[2] : cuts[3]], view[cuts[4] : image.content_end]]
    return [*ranges, memoryview(padding(image.content_end))]


@dataclass(frozen=True, slots=True)
class ImageHashes:
    """What one pass over an image gives."""

    digests: dict[DigestAlgorithm, bytes]
    pages: dict[DigestAlgorithm, PageHashes]
    word_sum: int | None
    """The 16-bit sum of what the digest covers, where it was asked for: most of the checksum."""


def hash_image(
    image: Image, algorithms: Iterable[DigestAlgorithm], *, paged: Iterable[DigestAlgorithm] = (), summed: bool = False
) -> ImageHashes:
    """Digests, page hashes and the sum of an image, from one pass over its bytes.

    An unsigned image counts as padded to a multiple of 8 with zeros. Raises ImageError where no real example tells what
    its page hashes would be.
    """
    hashers = {algorithm: algorithm.new() for algorithm in algorithms}
    tables: dict[DigestAlgorithm, _PageTable] = {}
    for (
        algorithm
    ) in paged:  # no comprehension: until Python 3.12 an error's traceback would keep the image in its closure
        tables[algorithm] = _PageTable(image, algorithm)
    words = WordSum()
    others = [*(table.reach for table in tables.values()), *([words.add] if summed else [])]
    one_pass(hashed_ranges(image), hashers.values(), others)
    return ImageHashes(
        {algorithm: hasher.digest() for algorithm, hasher in hashers.items()},
        {algorithm: table.finish() for algorithm, table in tables.items()},
        words.value if summed else None,
    )


def digest_image(image: Image, algorithms: Iterable[DigestAlgorithm]) -> dict[DigestAlgorithm, bytes]:
    """The image's digest with each algorithm."""
    return hash_image(image, algorithms).digests


def hash_pages(image: Image, algorithm: DigestAlgorithm) -> PageHashes:
    """The page hashes of an image. Raises ImageError where no real example tells what they would be."""
    return hash_image(image, (), paged=[algorithm]).pages[algorithm]


def first_page(image: Image, algorithm: DigestAlgorithm) -> bytes:
    """The hash of an image's headers, which is the first of its page hashes. Raises ImageError as `hash_pages` does."""
    _require_pages(image)
    return _hash_headers(image, algorithm)


class _PageTable:
    """Page hashes, made as a pass over the image comes to their pages.

    The first row covers the headers without checksum and directory entry, the others a page of a section each; what a
    page lacks counts as zeros.
    """

    def __init__(self, image: Image, algorithm: DigestAlgorithm) -> None:
        _require_table(image)
        self._image, self._algorithm = image, algorithm
        self._rows = [_row(0, _hash_headers(image, algorithm))]
        self._pages = self._ranges()
        self._next = next(self._pages, None)
        self._reached = _UNHASHED

    def _ranges(self) -> Iterator[tuple[int, int]]:
        size = self._image.page_size
        for section in self._image.sections:
            for offset in range(section.offset, section.end, size):
                yield offset, min(offset + size, section.end)

    def reach(self, piece: memoryview) -> None:
        """Hash the pages that begin in the next piece of what the digest covers."""
        self._reached += len(piece)
        while self._next is not None and self._next[0] < self._reached:
            offset, end = self._next
            hasher = self._algorithm.new(self._image.data[offset:end])
            hasher.update(bytes(self._image.page_size - (end - offset)))
            self._rows.append(_row(offset, hasher.digest()))
            self._next = next(self._pages, None)

    def finish(self) -> PageHashes:
        """The table, with the row that ends it."""
        end = self._image.sections[-1].end if self._image.sections else self._image.headers_size
        return PageHashes(self._algorithm, b"".join((*self._rows, _row(end, bytes(self._algorithm.size)))))


def page_difference(expected: PageHashes, found: PageHashes) -> int | None:
    """The file offset of the first page whose hash differs between two tables, or None when they are equal."""
    if expected.table == found.table:
        return None
    width = 4 + expected.algorithm.size
    for offset in range(0, max(len(expected.table), len(found.table)), width):
        row = expected.table[offset : offset + width]
        if row != found.table[offset : offset + width]:
            return int.from_bytes((row or found.table[offset : offset + width])[:4], "little")
    return None


def has_pages(image: Image) -> bool:
    """Whether it is known what the image's page hashes would be."""
    try:
        _require_table(image)
    except ImageError:
        return False
    return True


def _require_table(image: Image) -> None:
    """Raise ImageError unless real examples tell what all page hashes would be, and their order."""
    _require_pages(image)
    if not image.in_order:
        raise ImageError(
            "the sections lie in another order than the section table's, where that of page hashes is not known",
            hint="Sign it without page hashes.",
        )


def _require_pages(image: Image) -> None:
    """Raise ImageError unless sections begin at pages in memory, and the headers fit into one and end before them."""
    if image.section_alignment % image.page_size or not image.section_alignment:
        raise ImageError(
            f"sections are aligned to {image.section_alignment} bytes, and page hashes are only known for multiples of "
            f"{image.page_size}",
            hint="Sign it without page hashes, or link it with the usual alignment.",
        )
    if image.sections and image.sections[0].offset < image.headers_size:
        raise ImageError(
            f"the section {image.sections[0].name!r} begins within SizeOfHeaders, where page hashes are not known",
            hint="Sign it without page hashes.",
            offset=image.sections[0].offset,
        )
    if image.headers_size > image.page_size:
        raise ImageError(
            f"the headers take {image.headers_size} bytes, more than the one page that page hashes allow them",
            hint="Sign it without page hashes.",
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

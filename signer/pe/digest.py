"""The digest of an image, and the hashes of its pages: one pass over the bytes for all algorithms.

Source: "Windows Authenticode Portable Executable Signature Format", section "Calculating the PE Image Hash"; the layout
of page hashes was read from page-hashed drivers in the field.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from signer.algorithms import DigestAlgorithm
from signer.errors import ImageError
from signer.hashing import hash_parts, pieces
from signer.pe.image import Image


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


def digest_image(image: Image, algorithms: Iterable[DigestAlgorithm]) -> dict[DigestAlgorithm, bytes]:
    """The image's digest with each algorithm. An unsigned image counts as padded to a multiple of 8 with zeros."""
    return hash_parts(hashed_ranges(image), algorithms)


def hash_pages(image: Image, algorithm: DigestAlgorithm) -> PageHashes:
    """The page hashes of an image. Raises ImageError where no real example tells what its page hashes would be.

    The first row covers the headers without checksum and directory entry, the others a page of a section each; what a
    page lacks counts as zeros.
    """
    _require_pages(image)
    size = image.page_size
    rows = [_row(0, _hash_headers(image, algorithm))]
    end = image.headers_size
    for section in image.sections:
        pages = pieces([image.data[section.offset : section.end]], size)
        rows += (
            _row(offset, _hash_page(page, size, algorithm))
            for offset, page in zip(range(section.offset, section.end, size), pages, strict=True)
        )
        end = section.end
    return PageHashes(algorithm, b"".join((*rows, _row(end, bytes(algorithm.size)))))


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


def _require_pages(image: Image) -> None:
    """Raise ImageError unless sections begin at pages in memory, and the headers fit into one."""
    if image.section_alignment != image.page_size:
        raise ImageError(
            f"sections are aligned to {image.section_alignment} bytes, and page hashes are only known for "
            f"{image.page_size}",
            hint="Sign it without page hashes, or link it with the usual alignment.",
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


def _hash_page(page: memoryview, size: int, algorithm: DigestAlgorithm) -> bytes:
    hasher = algorithm.new()
    hasher.update(page)
    if len(page) < size:
        hasher.update(bytes(size - len(page)))
    return hasher.digest()


def _row(offset: int, digest: bytes) -> bytes:
    return offset.to_bytes(4, "little") + digest

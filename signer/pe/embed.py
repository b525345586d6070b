"""A signature as a patch set: the few bytes of an image that signing changes.

Source: "PE Format" (Microsoft), "The Attribute Certificate Table".
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from signer.errors import ImageError
from signer.pe import certificate_table
from signer.pe.checksum import checksum, sum16
from signer.pe.digest import hash_image, padding
from signer.pe.image import Image
from signer.pe.second_opinion import require_agreement


@dataclass(frozen=True, slots=True)
class PatchSet:
    """What makes one image into another: changed bytes, and the size that the file has afterwards."""

    patches: tuple[tuple[int, bytes], ...]
    """Offsets and the bytes that stand there afterwards, some beyond the old end."""
    size: int
    """In bytes; what the old file has beyond it is cut off."""


def embed(image: Image, signatures: Sequence[bytes], word_sum: int | None = None) -> PatchSet:
    """The changes that make `signatures` (DER) the image's certificate table, in the place of one that it has.

    Without signatures the table goes. `word_sum` is that of the image's hashes where it is known. Raises ImageError
    where lief reads the image differently.
    """
    require_agreement(image)
    if image.checksum_offset % 4:
        raise ImageError(
            "the PE header does not begin at a multiple of 4, and Windows loads no such image",
            hint="Link it again.",
            offset=image.checksum_offset,
        )
    end = image.content_end
    start = end + len(padding(end)) if signatures else end
    table = certificate_table.build(signatures)
    entry = struct.pack("<II", start, len(table)) if table else bytes(8)
    tail = padding(end) + table if table else b""
    if word_sum is None:
        word_sum = hash_image(image, (), summed=True).word_sum or 0
    total = checksum((word_sum, sum16(entry), sum16(table)), end + len(tail))
    patches = [(image.checksum_offset, total.to_bytes(4, "little")), (image.directory_offset, entry)]
    return PatchSet((*patches, (end, tail)) if tail else tuple(patches), end + len(tail))

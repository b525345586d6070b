"""Embed signatures in an image as a patch set: the few bytes of the image that signing changes.

Source: "PE Format" (Microsoft), "The Attribute Certificate Table".
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from signer.algorithms import DigestAlgorithm
from signer.errors import DigestChanged, ImageError
from signer.pe import certificate_table
from signer.pe.checksum import checksum, sum16
from signer.pe.digest import ImageHashes, hash_image, padding
from signer.pe.image import Image
from signer.pe.layout_check import MAX_HASHED, Expected, LayoutCheck
from signer.storage.patching import PatchSet


def embed(image: Image, signatures: Sequence[bytes], hashes: ImageHashes | None = None) -> PatchSet:
    """Return the changes that make `signatures` (DER) the certificate table of the image, replacing the current one.

    Without signatures, removes the table. `hashes` are those of the image with a digest and the word sum, if the caller
    has them. lief reads the result before it replaces the file (`PatchSet.check`). Raises ImageError and DigestChanged.
    """
    if image.checksum_offset % 4:
        raise ImageError(
            "the PE header does not begin at a multiple of 4: Windows does not load such an image",
            hint="Link the image again.",
            offset=image.checksum_offset,
        )
    if hashes is None:
        hashes = hash_image(image, [DigestAlgorithm.SHA256] if image.content_end <= MAX_HASHED else (), summed=True)
    end = image.content_end
    start = end + len(padding(end)) if signatures else end
    table = certificate_table.build(signatures)
    location = (start, len(table)) if table else (0, 0)
    entry = struct.pack("<II", *location)
    tail = padding(end) + table if table else b""
    total = checksum((hashes.word_sum or 0, sum16(entry), sum16(table)), end + len(tail))
    patches = [(image.checksum_offset, total.to_bytes(4, "little")), (image.directory_offset, entry)]
    # lief hashes an unsigned image without the padding that its digest counts with.
    digest = next(iter(hashes.digests.items()), None) if table or not padding(end) else None
    check = LayoutCheck(image, Expected(total, location, len(signatures), table, digest))
    changes = PatchSet((*patches, (end, tail)) if tail else tuple(patches), end + len(tail), check)
    require_same_digest(image, changes)
    return changes


def require_same_digest(image: Image, changes: PatchSet) -> None:
    """Raise DigestChanged unless the changed image has the same digest as the original.

    The digest covers everything before the certificate table except two header fields, and the padding. So the changes
    may touch only these two fields and the end of the file, and the directory entry must point behind the padding.
    """
    end, pad = image.content_end, padding(image.content_end)
    fields = [(offset, new) for offset, new in sorted(changes.patches) if offset < end]
    behind = [(offset, new) for offset, new in changes.patches if offset >= end]
    tail = behind[0][1] if behind else b""
    entry = struct.pack("<II", end + len(pad), len(tail) - len(pad)) if len(tail) > len(pad) else bytes(8)
    if (
        [(offset, len(new)) for offset, new in fields] != [(image.checksum_offset, 4), (image.directory_offset, 8)]
        or fields[1][1] != entry
        or [offset for offset, _ in behind] != [end][: len(behind)]
        or (bool(behind) and (entry == bytes(8) or not tail.startswith(pad)))
        or changes.size != end + len(tail)
    ):
        raise DigestChanged("image")

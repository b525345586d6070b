"""Build certificate tables on a small unsigned image."""

from __future__ import annotations

import struct

from signer.pe.image import Image
from tests.support.images import PeSpec

UNSIGNED = PeSpec().build()


def entry(body: bytes, kind: int = 2, revision: int = 0x0200, length: int | None = None) -> bytes:
    """Build a WIN_CERTIFICATE with these fields."""
    return struct.pack("<IHH", 8 + len(body) if length is None else length, revision, kind) + body


def padded(data: bytes) -> bytes:
    """Pad the data with zeros to a multiple of 8."""
    return data + bytes(-len(data) % 8)


def image_with(table: bytes) -> bytes:
    """Return the unsigned image with these bytes as its certificate table."""
    offset = Image.parse(UNSIGNED).directory_offset
    image = bytearray(UNSIGNED)
    image[offset : offset + 8] = struct.pack("<II", len(UNSIGNED), len(table))
    return bytes(image) + table

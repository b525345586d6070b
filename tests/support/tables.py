"""Certificate tables made to order, on one small unsigned image."""

from __future__ import annotations

import struct

from signer.pe.image import Image
from tests.support.images import PeSpec

UNSIGNED = PeSpec().build()


def entry(body: bytes, kind: int = 2, revision: int = 0x0200, length: int | None = None) -> bytes:
    """A WIN_CERTIFICATE, as it is told to be."""
    return struct.pack("<IHH", 8 + len(body) if length is None else length, revision, kind) + body


def padded(data: bytes) -> bytes:
    """The data with zeros up to a multiple of 8."""
    return data + bytes(-len(data) % 8)


def image_with(table: bytes) -> bytes:
    """The unsigned image with these bytes for its certificate table."""
    offset = Image.parse(UNSIGNED).directory_offset
    image = bytearray(UNSIGNED)
    image[offset : offset + 8] = struct.pack("<II", len(UNSIGNED), len(table))
    return bytes(image) + table

"""Compress and decompress the data blocks of a cabinet with MSZIP, and compute their checksums.

Sources: "Microsoft Cabinet Format" (CFDATA) and "Microsoft MSZIP Compression Format": the bytes of a folder are split
into pieces of 32 KiB. Each piece is `CK` and a deflate stream (RFC 1951) whose dictionary is the previous piece.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from signer.errors import MalformedInput
from signer.numbers import counted

PIECE = 0x8000
"""Uncompressed size of a block in bytes; the last block of a folder can be shorter."""
MAX_BLOCKS = 0xFFFF
"""CFFOLDER.cCFData is 16 bits wide."""
HEADER = struct.Struct("<IHH")
"""CFDATA: csum, cbData, cbUncomp."""
STORED, MSZIP = 0, 1
"""The supported values of CFFOLDER.typeCompress."""

_SIGNATURE = b"CK"
_MAX_BLOCK_SIZE = PIECE + 12
_RAW = -15


def pack(data: bytes) -> Iterator[bytes]:
    """Yield the compressed blocks of a folder that contains `data`, each with its CFDATA header."""
    dictionary = b""
    for start in range(0, len(data), PIECE):
        piece = data[start : start + PIECE]
        packed = _SIGNATURE + _deflate(piece, dictionary)
        sizes = struct.pack("<HH", len(packed), len(piece))
        yield struct.pack("<I", checksum(sizes, checksum(packed))) + sizes + packed
        dictionary = piece


def unpack(block: memoryview, size: int, method: int, dictionary: bytes, offset: int) -> bytes:
    """Decompress a block to `size` bytes. `offset` is its place in the file, for errors. Raises MalformedInput."""
    if method == STORED:
        piece = bytes(block)
    else:
        if bytes(block[:2]) != _SIGNATURE:
            raise MalformedInput("a data block of the cabinet does not begin with CK, as MSZIP requires", offset=offset)
        piece = _inflate(block[2:], dictionary, offset)
    if len(piece) != size:
        message = f"a data block of the cabinet decompresses to a size other than the expected {counted(size, 'byte')}"
        raise MalformedInput(message, offset=offset)
    return piece


def checksum(data: bytes | memoryview, seed: int = 0) -> int:
    """Compute CFDATA.csum: the XOR of `seed` and the 32-bit words; an incomplete last word is big-endian."""
    whole = len(data) & ~3
    seed ^= int.from_bytes(data[whole:], "big")
    value, bits = int.from_bytes(data[:whole], "little"), 32
    while bits < whole * 8:
        bits *= 2
    while bits > 32:
        bits //= 2
        value = (value >> bits) ^ (value & ((1 << bits) - 1))
    return seed ^ value


def _deflate(piece: bytes, dictionary: bytes) -> bytes:
    compressor = (
        zlib.compressobj(9, zlib.DEFLATED, _RAW, zdict=dictionary)
        if dictionary
        else zlib.compressobj(9, zlib.DEFLATED, _RAW)
    )
    packed = compressor.compress(piece) + compressor.flush()
    if len(_SIGNATURE) + len(packed) <= _MAX_BLOCK_SIZE:
        return packed
    return b"\x01" + struct.pack("<HH", len(piece), len(piece) ^ 0xFFFF) + piece  # one stored block, RFC 1951 3.2.4


def _inflate(packed: memoryview, dictionary: bytes, offset: int) -> bytes:
    decompressor = zlib.decompressobj(_RAW, zdict=dictionary) if dictionary else zlib.decompressobj(_RAW)
    try:
        piece = decompressor.decompress(packed, PIECE + 1)
    except zlib.error as error:
        raise MalformedInput("a data block of the cabinet can't be decompressed", offset=offset) from error
    if not decompressor.eof and len(piece) <= PIECE:
        raise MalformedInput("a data block of the cabinet is truncated", offset=offset)
    return piece

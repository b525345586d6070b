"""The data blocks of a cabinet: MSZIP, and the checksum of each.

Sources: "Microsoft Cabinet Format" (CFDATA) and "Microsoft MSZIP Compression Format": a folder's bytes are cut into
pieces of 32 KiB; each is a deflate stream (RFC 1951) of its own behind `CK`, with the piece before it as dictionary.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from signer.errors import MalformedInput

PIECE = 0x8000
"""How many bytes a block holds when it is unpacked; the last of a folder may hold fewer."""
MAX_BLOCKS = 0xFFFF
"""CFFOLDER.cCFData is 16 bits wide."""
HEADER = struct.Struct("<IHH")
"""CFDATA: csum, cbData, cbUncomp."""
STORED, MSZIP = 0, 1
"""The values of CFFOLDER.typeCompress that are read here."""

_SIGNATURE = b"CK"
_LONGEST = PIECE + 12
_RAW = -15


def pack(data: bytes) -> Iterator[bytes]:
    """The blocks of a folder that holds `data`, each with its header."""
    dictionary = b""
    for start in range(0, len(data), PIECE):
        piece = data[start : start + PIECE]
        packed = _SIGNATURE + _deflated(piece, dictionary)
        sizes = struct.pack("<HH", len(packed), len(piece))
        yield struct.pack("<I", checksum(sizes, checksum(packed))) + sizes + packed
        dictionary = piece


def unpack(block: memoryview, size: int, method: int, dictionary: bytes, offset: int) -> bytes:
    """What a block holds: `size` bytes. `offset` is where it stands. Raises MalformedInput."""
    if method == STORED:
        piece = bytes(block)
    else:
        if bytes(block[:2]) != _SIGNATURE:
            raise MalformedInput("a block of the cabinet does not begin with CK, as MSZIP has it", offset=offset)
        piece = _inflated(block[2:], dictionary, offset)
    if len(piece) != size:
        raise MalformedInput(f"a block of the cabinet is to hold {size} bytes, and holds others", offset=offset)
    return piece


def checksum(data: bytes | memoryview, seed: int = 0) -> int:
    """CFDATA.csum: the XOR of 32-bit words; the bytes of an incomplete last one count from the top."""
    whole = len(data) & ~3
    seed ^= int.from_bytes(data[whole:], "big")
    value, bits = int.from_bytes(data[:whole], "little"), 32
    while bits < whole * 8:
        bits *= 2
    while bits > 32:
        bits //= 2
        value = (value >> bits) ^ (value & ((1 << bits) - 1))
    return seed ^ value


def _deflated(piece: bytes, dictionary: bytes) -> bytes:
    compressor = (
        zlib.compressobj(9, zlib.DEFLATED, _RAW, zdict=dictionary)
        if dictionary
        else zlib.compressobj(9, zlib.DEFLATED, _RAW)
    )
    packed = compressor.compress(piece) + compressor.flush()
    if len(_SIGNATURE) + len(packed) <= _LONGEST:
        return packed
    return b"\x01" + struct.pack("<HH", len(piece), len(piece) ^ 0xFFFF) + piece  # one stored block, RFC 1951 3.2.4


def _inflated(packed: memoryview, dictionary: bytes, offset: int) -> bytes:
    decompressor = zlib.decompressobj(_RAW, zdict=dictionary) if dictionary else zlib.decompressobj(_RAW)
    try:
        piece = decompressor.decompress(packed, PIECE + 1)
    except zlib.error as error:
        raise MalformedInput("a block of the cabinet can't be unpacked", offset=offset) from error
    if not decompressor.eof and len(piece) <= PIECE:
        raise MalformedInput("a block of the cabinet ends in the middle", offset=offset)
    return piece

"""Expand SZDD files, which COMPRESS.EXE creates (driver.sy_) and Windows expands when it installs a driver.

Source: the behavior of LZOpenFile (lzexpand.h) and of several free programs, and the digests of 159 such files in a
real catalog. A header of 14 bytes precedes LZSS data: eight flag bits tell which of the next eight items are literal
bytes and which are copies of 3 to 18 bytes from a window of 4096 bytes. The window is initially filled with spaces.
"""

from __future__ import annotations

import struct

from signer.errors import MalformedInput
from signer.limits import LIMITS, raising
from signer.numbers import counted

_MAGIC = b"SZDD\x88\xf0\x27\x33"
_HEADER = struct.Struct("<8scBI")
_METHOD = b"A"
_WINDOW = 4096
_AHEAD = 16
_MIN_COPY = 3
_BITS = (1, 2, 4, 8, 16, 32, 64, 128)


def is_szdd(data: memoryview | bytes) -> bool:
    """Return whether the data begins with the SZDD signature."""
    return bytes(data[: len(_MAGIC)]) == _MAGIC


def expand(data: memoryview | bytes) -> bytes:
    """Return the expanded contents of an SZDD file. Raises MalformedInput."""
    if len(data) < _HEADER.size or not is_szdd(data):
        raise MalformedInput("not an SZDD file (COMPRESS.EXE): the header is missing", offset=0)
    _, method, _, size = _HEADER.unpack_from(data)
    if method != _METHOD:
        raise MalformedInput(f"the SZDD compression method {method!r} is not supported", offset=8)
    if size > LIMITS["szdd-size"]:
        raise MalformedInput(
            f"the SZDD header gives {size:,} bytes as the expanded size; the limit is {LIMITS['szdd-size']:,}",
            offset=10,
            hint=raising("szdd-size"),
        )
    expanded = _expand_lzss(bytes(data[_HEADER.size :]), size)
    if len(expanded) != size:
        raise MalformedInput(
            f"the SZDD header gives {counted(size, 'byte')} as the expanded size, but the data expands to "
            f"{len(expanded)}{' or more' if len(expanded) > size else ''}",
            offset=10,
        )
    return expanded


def _expand_lzss(packed: bytes, expected: int) -> bytes:
    """Expand LZSS data up to `expected` bytes and at most a group of eight items more.

    Ignores an incomplete last item, because the data can end anywhere in a group.
    """
    out = bytearray(b" " * _WINDOW)
    place, last = 0, len(packed) - 1
    while place < last and len(out) <= expected + _WINDOW:
        flags = packed[place]
        place += 1
        if flags == 0xFF:
            out += packed[place : place + 8]
            place += 8
            continue
        for bit in _BITS:
            if flags & bit:
                out += packed[place : place + 1]
                place += 1
            elif place < last:
                high = packed[place + 1]
                length = (high & 0x0F) + _MIN_COPY
                # The window is a ring buffer of 4096 bytes; the first byte of the file has position 4080.
                size = len(out)
                start = size - ((size - _AHEAD - packed[place] - ((high & 0xF0) << 4)) % _WINDOW or _WINDOW)
                place += 2
                # A copy can be longer than the bytes from its start to the end of the output: then it repeats them.
                out += out[start : start + length] if start + length <= size else _repeated(out[start:], length)
    return bytes(memoryview(out)[_WINDOW:])


def _repeated(piece: bytearray, length: int) -> bytearray:
    """Repeat a piece up to `length` bytes."""
    return (piece * (length // len(piece) + 1))[:length]

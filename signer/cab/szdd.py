"""Files as COMPRESS.EXE packs them, such as driver.sy_: SZDD, which Windows still unpacks on installation.

Source: the format as lzexpand.h's LZOpenFile and several free programs read it, and the digests that a real catalog has
for 159 such files. A header of 14 bytes, then LZSS: eight bits say which of the next eight items are bytes, and which
are copies of 3 to 18 bytes from the last 4096, which begin as spaces.
"""

from __future__ import annotations

import struct

from signer.errors import MalformedInput

_MAGIC = b"SZDD\x88\xf0\x27\x33"
_HEADER = struct.Struct("<8scBI")
_METHOD = b"A"
_WINDOW = 4096
_AHEAD = 16
_SHORTEST = 3
_BITS = (1, 2, 4, 8, 16, 32, 64, 128)


def is_szdd(data: memoryview | bytes) -> bool:
    """Whether this begins as such a file does."""
    return bytes(data[: len(_MAGIC)]) == _MAGIC


def expand(data: memoryview | bytes) -> bytes:
    """What is packed in such a file. Raises MalformedInput."""
    if len(data) < _HEADER.size or not is_szdd(data):
        raise MalformedInput("no file that COMPRESS has packed", offset=0)
    _, method, _, size = _HEADER.unpack_from(data)
    if method != _METHOD:
        raise MalformedInput(f"it is packed by the method {method!r}, which is not known", offset=8)
    found = _expanded(bytes(data[_HEADER.size :]))
    if len(found) != size:
        raise MalformedInput(f"the packed file is to hold {size} bytes, and holds {len(found)}", offset=10)
    return found


def _expanded(packed: bytes) -> bytes:
    """LZSS. An item of which a part is missing is none: the packer may stop anywhere in a group of eight."""
    out = bytearray(b" " * _WINDOW)
    place, last = 0, len(packed) - 1
    while place < last:
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
                length = (high & 0x0F) + _SHORTEST
                # The window is a ring of 4096 bytes, and the first byte of the file is at 4080.
                size = len(out)
                start = size - ((size - _AHEAD - packed[place] - ((high & 0xF0) << 4)) % _WINDOW or _WINDOW)
                place += 2
                # A copy may go on beyond the end of what there is: then it repeats.
                out += out[start : start + length] if start + length <= size else _repeated(out[start:], length)
    return bytes(memoryview(out)[_WINDOW:])


def _repeated(piece: bytearray, length: int) -> bytearray:
    """A piece over and over, until it is `length` bytes long."""
    return (piece * (length // len(piece) + 1))[:length]

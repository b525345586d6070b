"""The layout of a cabinet file, as far as its signature needs it.

Source: "Microsoft Cabinet Format" (CFHEADER). A signature lies behind the cabinet's data; 20 reserved bytes in the
header say where, and are left out of the digest together with reserved1 and the number within a set.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from signer.errors import MalformedInput

_HEADER = struct.Struct("<4sIIIIIBBHHHHH")
_RESERVE = struct.Struct("<HBB")
_SIGNATURE_RESERVE = 20
_RESERVE_PRESENT = 0x0004


@dataclass(frozen=True, slots=True)
class Cabinet:
    """A cabinet over the buffer that it was parsed from."""

    data: memoryview
    size: int
    """cbCabinet: where the cabinet's own data ends."""
    signature_offset: int
    """Where the signature begins, or 0."""
    signature_size: int

    @property
    def is_signed(self) -> bool:
        """Whether the header points to a signature."""
        return self.signature_size > 0

    @classmethod
    def parse(cls, data: memoryview | bytes) -> Cabinet:
        """The layout of a cabinet. Raises MalformedInput."""
        view = memoryview(data)
        if len(view) < _HEADER.size or bytes(view[:4]) != b"MSCF":
            raise MalformedInput("not a cabinet: it does not begin with MSCF and a header", offset=0)
        fields = _HEADER.unpack_from(view)
        size, flags = fields[2], fields[10]
        offset, length = _signature(view) if flags & _RESERVE_PRESENT else (0, 0)
        if length and (offset < _HEADER.size or offset + length > len(view)):
            raise MalformedInput("the cabinet's signature lies outside the file", offset=44)
        return cls(view, size, offset, length)

    def hashed_ranges(self) -> list[memoryview]:
        """The parts that its digest covers, in order."""
        if not self.is_signed:
            return [self.data[:4], self.data[8:]]
        return [self.data[:4], self.data[8:34], self.data[56 : self.signature_offset]]


def is_cabinet(data: memoryview | bytes) -> bool:
    """Whether these bytes begin as a cabinet does."""
    return bytes(data[:4]) == b"MSCF" and len(data) >= _HEADER.size


def _signature(view: memoryview) -> tuple[int, int]:
    """Offset and size of the signature; zeros when the reserved bytes are somebody else's."""
    if len(view) < _HEADER.size + _RESERVE.size + _SIGNATURE_RESERVE:
        return 0, 0
    size, _, _ = _RESERVE.unpack_from(view, _HEADER.size)
    if size != _SIGNATURE_RESERVE:
        return 0, 0
    offset, length = struct.unpack_from("<II", view, _HEADER.size + _RESERVE.size + 4)
    return offset, length

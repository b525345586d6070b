"""The layout of a cabinet file, as far as its signature needs it.

Source: "Microsoft Cabinet Format" (CFHEADER). A signature lies behind the cabinet's data; 20 reserved bytes in the
header say where, and are left out of the digest together with reserved1 and the number within a set.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from signer.asn1.der import total_length
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
    has_signature_reserve: bool = False
    """Whether the header has the 20 reserved bytes that say where a signature is."""

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
        place = _signature_place(view) if flags & _RESERVE_PRESENT else None
        offset, length = place or (0, 0)
        if length and (offset < _HEADER.size or offset + length > len(view)):
            raise MalformedInput("the cabinet's signature lies outside the file", offset=44)
        if length and offset + length != len(view):
            raise MalformedInput("bytes follow the cabinet's signature", offset=offset + length)
        return cls(view, size, offset, length, place is not None)

    @property
    def size_field(self) -> bytes:
        """cbCabinet as it stands in the header: what the enhanced hash of a signature covers."""
        return bytes(self.data[8:12])

    def hashed_ranges(self) -> list[memoryview]:
        """The parts that its digest covers, in order."""
        if not self.has_signature_reserve:
            return [self.data[:4], self.data[8:]]
        return [self.data[:4], self.data[8:34], self.data[56 : self.signature_offset or len(self.data)]]

    def signed_data(self) -> bytes:
        """The DER of its signature, without the padding behind it. Raises SignatureFormatError."""
        signature = self.data[self.signature_offset : self.signature_offset + self.signature_size]
        return bytes(signature[: total_length(signature)])


def is_cabinet(data: memoryview | bytes) -> bool:
    """Whether these bytes begin as a cabinet does."""
    return bytes(data[:4]) == b"MSCF" and len(data) >= _HEADER.size


def _signature_place(view: memoryview) -> tuple[int, int] | None:
    """Offset and size of the signature; None when the reserved bytes are somebody else's."""
    if len(view) < _HEADER.size + _RESERVE.size + _SIGNATURE_RESERVE:
        return None
    size, folder, data = _RESERVE.unpack_from(view, _HEADER.size)
    if (size, folder, data) != (_SIGNATURE_RESERVE, 0, 0):
        return None
    offset, length = struct.unpack_from("<II", view, _HEADER.size + _RESERVE.size + 4)
    return offset, length

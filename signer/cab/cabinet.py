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
    reserve_size: int = 0
    """How many reserved bytes the header has that say where a signature is: 20, or more where room was made before."""

    @property
    def has_signature_reserve(self) -> bool:
        """Whether the header has reserved bytes that say where a signature is."""
        return self.reserve_size > 0

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
        if size > len(view):
            message = f"the cabinet says it has {size} bytes, and has {len(view)}"
            raise MalformedInput(message, offset=8, hint="Get an undamaged copy of it.")
        offset, length, reserve = _signature_place(view) if flags & _RESERVE_PRESENT else (0, 0, 0)
        if length and (offset < _HEADER.size or offset + length > len(view)):
            raise MalformedInput("the cabinet's signature lies outside the file", offset=44)
        if length and offset + length != len(view):
            raise MalformedInput("bytes follow the cabinet's signature", offset=offset + length)
        return cls(view, size, offset, length, reserve)

    @property
    def size_field(self) -> bytes:
        """cbCabinet as it stands in the header: what the enhanced hash of a signature covers."""
        return bytes(self.data[8:12])

    def hashed_ranges(self) -> list[memoryview]:
        """The parts that its digest covers, in order."""
        if not self.has_signature_reserve:
            return [self.data[:4], self.data[8:]]
        end = self.signature_offset or len(self.data)
        if self.reserve_size > _SIGNATURE_RESERVE:
            return [self.data[:4], self.data[8:36], self.data[40:42], self.data[40 + self.reserve_size : end]]
        return [self.data[:4], self.data[8:34], self.data[56:end]]

    def signed_data(self) -> bytes:
        """The DER of its signature, without the padding behind it. Raises SignatureFormatError."""
        signature = self.data[self.signature_offset : self.signature_offset + self.signature_size]
        return bytes(signature[: total_length(signature)])


def _signature_place(view: memoryview) -> tuple[int, int, int]:
    """Offset and size of the signature, and how many bytes are reserved; zeros when they are somebody else's.

    The reserved bytes begin with the sizes of two structures, of which the second, 16 bytes, is the signature's place.
    `makecab` reserves any number (ReservePerCabinetSize), of which SignTool uses the first 20.
    """
    if len(view) < _HEADER.size + _RESERVE.size + _SIGNATURE_RESERVE:
        return 0, 0, 0
    size, folder, data = _RESERVE.unpack_from(view, _HEADER.size)
    first, second, offset, length = struct.unpack_from("<HHII", view, _HEADER.size + _RESERVE.size)
    if folder or data or size < _SIGNATURE_RESERVE or len(view) < _HEADER.size + _RESERVE.size + size:
        return 0, 0, 0
    if size > _SIGNATURE_RESERVE and (first, second) != (0, 16):
        return 0, 0, 0
    return offset, length, size

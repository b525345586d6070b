"""Parse the parts of a cabinet's layout that signatures need.

Source: "Microsoft Cabinet Format" (CFHEADER). The signature follows the cabinet's data; 20 reserved bytes in the header
hold its offset and size. The digest omits these bytes, reserved1 and iCabinet (the number within a set).
"""

from __future__ import annotations

import struct

from signer.asn1.der import total_length
from signer.errors import MalformedInput
from signer.numbers import counted
from signer.records import dataclass

_HEADER = struct.Struct("<4sIIIIIBBHHHHH")
_RESERVE = struct.Struct("<HBB")
_SIGNATURE_RESERVE = 20
_RESERVE_PRESENT = 0x0004
_STRUCTURE_SIZES = struct.pack("<HH", 0, 16)


@dataclass(frozen=True, slots=True)
class Cabinet:
    """A cabinet over the buffer that it was parsed from."""

    data: memoryview
    size: int
    """cbCabinet: size in bytes of the cabinet without its signature."""
    signature_offset: int
    """Offset of the signature, or 0."""
    signature_size: int
    """Size of the signature in bytes, with padding, or 0."""
    reserve_size: int = 0
    """Size in bytes of the reserved area for a signature in the header: 0, 20, or more if makecab reserved more."""

    @property
    def has_signature_reserve(self) -> bool:
        """Whether the header has a reserved area for a signature."""
        return self.reserve_size > 0

    @property
    def is_signed(self) -> bool:
        """Whether the header points to a signature."""
        return self.signature_size > 0

    @classmethod
    def parse(cls, data: memoryview | bytes) -> Cabinet:
        """Parse the header of a cabinet. Raises MalformedInput."""
        view = memoryview(data)
        if len(view) < _HEADER.size or bytes(view[:4]) != b"MSCF":
            raise MalformedInput("not a cabinet: the file does not begin with an MSCF header", offset=0)
        fields = _HEADER.unpack_from(view)
        size, flags = fields[2], fields[10]
        if size > len(view):
            message = (
                f"the header gives {counted(size, 'byte')} as the size of the cabinet, but the file has {len(view)}"
            )
            raise MalformedInput(message, offset=8, hint="Get an undamaged copy of the cabinet.")
        offset, length, reserve = _signature_place(view) if flags & _RESERVE_PRESENT else (0, 0, 0)
        if length and (offset < _HEADER.size or offset + length > len(view)):
            raise MalformedInput("the signature of the cabinet is outside of the file", offset=44)
        if length and offset + length != len(view):
            raise MalformedInput("extra bytes follow the signature of the cabinet", offset=offset + length)
        return cls(view, size, offset, length, reserve)

    @property
    def size_field(self) -> bytes:
        """The cbCabinet field of the header, which the enhanced hash of a signature covers."""
        return bytes(self.data[8:12])

    def hashed_ranges(self) -> list[memoryview]:
        """Return the parts of the cabinet that its digest covers, in order."""
        if not self.has_signature_reserve:
            return [self.data[:4], self.data[8:]]
        end = self.signature_offset or len(self.data)
        if self.reserve_size > _SIGNATURE_RESERVE:
            return [self.data[:4], self.data[8:36], self.data[40:42], self.data[40 + self.reserve_size : end]]
        return [self.data[:4], self.data[8:34], self.data[56:end]]

    def signed_data(self) -> bytes:
        """Return the DER of the signature without its padding. Raises SignatureFormatError."""
        signature = self.data[self.signature_offset : self.signature_offset + self.signature_size]
        return bytes(signature[: total_length(signature)])

    def trailing(self) -> bytes:
        """Return the bytes between the DER of the signature and the end of the file. Raises SignatureFormatError."""
        signature = self.data[self.signature_offset :]
        return bytes(signature[total_length(signature) :])

    @property
    def has_reserved_data(self) -> bool:
        """Whether bytes of the reserved area that the digest omits hold something besides the signature's place.

        Windows writes the sizes of the two structures and zeros.
        """
        if not self.has_signature_reserve:
            return False
        end = 40 + self.reserve_size if self.reserve_size > _SIGNATURE_RESERVE else 56
        return bytes(self.data[40:44]) != _STRUCTURE_SIZES or any(self.data[52:end])


def _signature_place(view: memoryview) -> tuple[int, int, int]:
    """Return offset and size of the signature, and the size of the reserved area; zeros if it has another purpose.

    The area begins with the sizes of two structures; the second (16 bytes) holds the offset and size of the signature.
    `makecab` reserves any number of bytes (ReservePerCabinetSize), and SignTool uses the first 20.
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

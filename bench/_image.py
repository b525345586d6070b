"""Small driver images for x64, so that programs can be measured on files of any size."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_HEADERS_SIZE, _ALIGNMENT, _PAGE = 0x400, 0x200, 0x1000


@dataclass(frozen=True)
class PeSpec:
    """An image with one section after its headers."""

    sections: list[tuple[str, int, int]]
    """Name, PointerToRawData, SizeOfRawData; there is one."""
    fill: int = 0xCC

    def build(self) -> bytes:
        """Return the image."""
        ((name, start, size),) = self.sections
        file_header = struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 112 + 16 * 8, 0x22)
        section = struct.pack("<8sIIIIIIHHI", name.encode(), size, _PAGE, size, start, 0, 0, 0, 0, 0x60000020)
        dos = b"MZ" + bytes(58) + struct.pack("<I", 0x80) + bytes(0x40)
        headers = dos + b"PE\0\0" + file_header + _optional_header(size) + section
        return headers.ljust(start, b"\0") + bytes([self.fill]) * size


def _optional_header(section_size: int) -> bytes:
    head = struct.pack("<HBBIIIII", 0x20B, 14, 0, section_size, 0, 0, _PAGE, _PAGE)
    head += struct.pack("<QII", 0x140000000, _PAGE, _ALIGNMENT)
    head += struct.pack("<HHHHHHI", 10, 0, 10, 0, 10, 0, 0)
    image_size = _PAGE + (section_size + _PAGE - 1) // _PAGE * _PAGE
    head += struct.pack("<IIIHH", image_size, _HEADERS_SIZE, 0, 1, 0)
    return head + struct.pack("<QQQQII", 0x100000, 0x1000, 0x100000, 0x1000, 0, 16) + bytes(16 * 8)

"""Build small PE images for tests of layouts, without third-party files."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

MACHINES = {"x86": 0x014C, "x64": 0x8664, "arm64": 0xAA64, "arm": 0x01C4, "ia64": 0x0200}


@dataclass
class PeSpec:
    """Description of an image. The defaults give a valid x64 driver with one section."""

    machine: str = "x64"
    sections: list[tuple[str, int, int]] = field(default_factory=lambda: [(".text", 0x400, 0x200)])
    """Name, PointerToRawData, SizeOfRawData."""
    directories: int = 16
    headers_size: int = 0x400
    file_alignment: int = 0x200
    section_alignment: int = 0x1000
    overlay: bytes = b""
    table: tuple[int, int] = (0, 0)
    """Directory entry of the certificate table."""
    fill: int = 0xCC
    subsystem: int = 1
    """1 (native) for kernel mode, 2 and 3 for user mode."""

    def build(self) -> bytes:
        """Build the image."""
        wide = self.machine not in ("x86", "arm")
        optional = self._optional_header(wide)
        table = b"".join(self._section(i, *section) for i, section in enumerate(self.sections))
        file_header = struct.pack(
            "<HHIIIHH", MACHINES[self.machine], len(self.sections), 0, 0, 0, len(optional), 0x22 if wide else 0x102
        )
        head = b"MZ" + bytes(58) + struct.pack("<I", 0x80) + bytes(0x40) + b"PE\0\0" + file_header + optional + table
        size = max([self.headers_size, len(head), *(start + length for _, start, length in self.sections)])
        image = bytearray(head.ljust(size, b"\0"))
        for index, (_, start, length) in enumerate(self.sections):
            image[start : start + length] = bytes((self.fill + index + i) & 0xFF for i in range(length))
        return bytes(image) + self.overlay

    def _optional_header(self, wide: bool) -> bytes:
        magic, base = (0x20B, struct.pack("<Q", 0x140000000)) if wide else (0x10B, struct.pack("<II", 0, 0x400000))
        image_size = self.section_alignment * (1 + len(self.sections))
        head = struct.pack("<HBBIIIII", magic, 14, 0, 0x200, 0, 0, self.section_alignment, self.section_alignment)
        head += base + struct.pack("<II", self.section_alignment, self.file_alignment)
        head += struct.pack("<HHHHHHI", 10, 0, 10, 0, 10, 0, 0)
        head += struct.pack("<IIIHH", image_size, self.headers_size, 0, self.subsystem, 0)
        head += struct.pack("<QQQQ" if wide else "<IIII", 0x100000, 0x1000, 0x100000, 0x1000)
        head += struct.pack("<II", 0, self.directories)
        entries = [(0, 0)] * self.directories
        if self.directories > 4:
            entries[4] = self.table
        return head + b"".join(struct.pack("<II", *entry) for entry in entries)

    def _section(self, index: int, name: str, start: int, length: int) -> bytes:
        address = self.section_alignment * (index + 1)
        return struct.pack("<8sIIIIIIHHI", name.encode(), length, address, length, start, 0, 0, 0, 0, 0x60000020)

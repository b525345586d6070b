"""Read the headers of images that are laid out as linkers write them.

Source: "PE Format" (Microsoft), sections "COFF File Header", "Optional Header" and "Section Table". `signer.pe.image`
leaves all other images to pefile, which takes ten times as long for an image, and 10 ms for its import
(bench/PROFILE.md). Tests compare both readers.
"""

from __future__ import annotations

from struct import Struct, error
from typing import NamedTuple

from signer.records import dataclass

DIRECTORIES_AT = {0x10B: 96, 0x20B: 112}
"""Offset of the data directories in the optional header, by its magic number: PE32 and PE32+."""
CHECKSUM_AT = 64
"""Offset of CheckSum in the optional header."""
SECURITY_DIRECTORY = 4
"""Index of the data directory of the certificate table."""
SECTION_ROW = 40
"""Size in bytes of a row of the section table."""

_DOS = Struct("<2s58xI")
"""e_magic and e_lfanew."""
_FILE = Struct("<4s2H12xH2x")
"""Signature, Machine, NumberOfSections and SizeOfOptionalHeader."""
_OPTIONAL = Struct("<32xI20x2I4xH")
"""SectionAlignment, SizeOfImage, SizeOfHeaders and Subsystem, at the same offsets in PE32 and PE32+."""
_DIRECTORIES = Struct("<33I")
"""NumberOfRvaAndSizes, and address and size of each directory."""
_SECTION = Struct("<8s4I12xI")
"""Name, VirtualSize, VirtualAddress, SizeOfRawData, PointerToRawData and Characteristics."""
_USUAL_DIRECTORIES = 16
_MAX_SECTIONS = 96
"""Maximum number of sections ("PE Format", NumberOfSections)."""
_MAX_VIRTUAL_SIZE = 1 << 28
"""pefile takes a larger one for a sign of a malformed table."""


@dataclass(frozen=True, slots=True)
class Section:
    """A row of the section table."""

    name: str
    offset: int
    """PointerToRawData, in bytes."""
    size: int
    """SizeOfRawData, in bytes."""
    address: int
    """VirtualAddress: where it begins in memory."""
    memory_size: int
    """The larger of VirtualSize and SizeOfRawData."""
    flags: int
    """Characteristics."""

    @property
    def end(self) -> int:
        """Offset of the end of its bytes in the file."""
        return self.offset + self.size

    @classmethod
    def of(cls, name: bytes, virtual_size: int, address: int, size: int, offset: int, flags: int) -> Section:
        """Return a section from the fields of its row, in their order."""
        label = name.rstrip(b"\0").decode("latin-1")
        return cls(label, offset, size, address, max(virtual_size, size), flags)


class Headers(NamedTuple):
    """The fields of an image's headers that are used here."""

    machine: int
    optional_header: int
    """Offset of the optional header."""
    directory_offset: int
    """Offset of the data directory entry of the certificate table."""
    section_alignment: int
    image_size: int
    headers_size: int
    subsystem: int
    directories: tuple[tuple[int, int], ...]
    """Address and size of each data directory."""
    section_table: tuple[Section, ...]
    """The sections in the order of the table."""
    end: int
    """Offset of the end of the section table; 0 without sections."""


def usual_headers(data: memoryview) -> Headers | None:
    """Read the headers of an image; None if they or the sections are not where linkers put them."""
    try:
        magic, start = _DOS.unpack_from(data)
        signature, machine, count, size = _FILE.unpack_from(data, start)
        optional = start + _FILE.size
        table = DIRECTORIES_AT.get(int.from_bytes(data[optional : optional + 2], "little"), 0)
        number, *directories = _DIRECTORIES.unpack_from(data, optional + table - 4)
        alignment, image_size, headers_size, subsystem = _OPTIONAL.unpack_from(data, optional)
    except error:  # truncated
        return None
    expected = (b"MZ", b"PE\0\0", _USUAL_DIRECTORIES, table + 8 * _USUAL_DIRECTORIES)
    if not table or (magic, signature, number, size) != expected or not 0 < count <= _MAX_SECTIONS:
        return None
    sections = _usual_sections(data, optional + size, count)
    if sections is None:
        return None
    return Headers(
        machine,
        optional,
        optional + table + 8 * SECURITY_DIRECTORY,
        alignment,
        image_size,
        headers_size,
        subsystem,
        tuple(zip(directories[::2], directories[1::2], strict=True)),
        sections,
        optional + size + SECTION_ROW * count,
    )


def _usual_sections(data: memoryview, offset: int, count: int) -> tuple[Section, ...] | None:
    """Read the section table; None if it is truncated, has an empty row, or a section is not within the file."""
    if offset + SECTION_ROW * count > len(data):
        return None
    rows = [_SECTION.unpack_from(data, offset + SECTION_ROW * row) for row in range(count)]
    for row in rows:
        if not any(row[1:]) or row[1] > _MAX_VIRTUAL_SIZE or row[3] + row[4] > len(data):
            return None
    return tuple([Section.of(*row) for row in rows])

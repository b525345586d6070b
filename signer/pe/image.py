"""The layout of a PE image: what its digest covers, and where its certificate table belongs. The home of pefile.

Source: "PE Format" (Microsoft), and "Windows Authenticode Portable Executable Signature Format", section "Calculating
the PE Image Hash". Images whose layout leaves a choice of what to hash are refused with the offset.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from signer.errors import ImageError

_CHECKSUM_IN_OPTIONAL_HEADER = 64
_SECURITY_DIRECTORY, _IMPORT_ADDRESSES = 4, 12
_SECTION_ROW = 40
_DIRECTORIES_AT = {0x10B: 96, 0x20B: 112}
_MACHINES = {0x014C: "x86", 0x8664: "x64", 0x01C0: "arm", 0x01C2: "arm", 0x01C4: "arm", 0xAA64: "arm64", 0x0200: "ia64"}


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
        """Where its bytes end."""
        return self.offset + self.size


@dataclass(frozen=True, slots=True)
class Image:
    """A PE image over the buffer that it was parsed from."""

    data: memoryview
    machine: int
    """IMAGE_FILE_HEADER.Machine."""
    checksum_offset: int
    """Where IMAGE_OPTIONAL_HEADER.CheckSum is."""
    directory_offset: int
    """Where the data directory entry of the certificate table is; 8 bytes."""
    headers_size: int
    """SizeOfHeaders."""
    section_alignment: int
    subsystem: int
    """IMAGE_OPTIONAL_HEADER.Subsystem."""
    sections: tuple[Section, ...]
    """Those with bytes in the file, in the order of the file."""
    in_order: bool
    """Whether the section table has them in that order, as all linkers write it."""
    section_count: int
    """IMAGE_FILE_HEADER.NumberOfSections."""
    section_table: tuple[Section, ...]
    """All sections, in the order of the section table."""
    import_addresses: tuple[int, int]
    """Address and size of the import address table; zeros for none."""
    table_offset: int
    """Where the certificate table begins, or 0."""
    table_size: int
    """Its size as the directory has it, or 0."""

    @property
    def architecture(self) -> str:
        """x86, x64, arm, arm64 or ia64; for other machines their number, such as 0x01f0."""
        return _MACHINES.get(self.machine, f"{self.machine:#06x}")

    @property
    def page_size(self) -> int:
        """The size in bytes of the pages that Code Integrity checks one at a time: 8192 on ia64, else 4096."""
        return 8192 if self.architecture == "ia64" else 4096

    @property
    def is_native(self) -> bool:
        """Whether it was linked to run without a subsystem, as what the kernel loads is (IMAGE_SUBSYSTEM_NATIVE)."""
        return self.subsystem == 1

    @property
    def is_signed(self) -> bool:
        """Whether there is a certificate table."""
        return self.table_size > 0

    @property
    def content_end(self) -> int:
        """Where the bytes end that a digest covers: at the certificate table, or at the end of the file."""
        return self.table_offset if self.is_signed else len(self.data)

    @classmethod
    def parse(cls, data: memoryview | bytes) -> Image:
        """The layout of an image. Raises ImageError naming what makes it none, or one that can't be hashed safely."""
        view = memoryview(data)
        pe = _parse_with_pefile(view)
        directory = _directory_offset(pe)
        table = _section_table(pe)
        sections = [section for section in table if section.size and section.offset]
        table_offset, table_size = _u32(view, directory), _u32(view, directory + 4)
        if table_offset == 0 or table_size == 0:
            table_offset = table_size = 0
        image = cls(
            data=view,
            machine=pe.FILE_HEADER.Machine,
            checksum_offset=pe.OPTIONAL_HEADER.get_file_offset() + _CHECKSUM_IN_OPTIONAL_HEADER,
            directory_offset=directory,
            headers_size=pe.OPTIONAL_HEADER.SizeOfHeaders,
            section_alignment=pe.OPTIONAL_HEADER.SectionAlignment,
            subsystem=pe.OPTIONAL_HEADER.Subsystem,
            sections=tuple(sorted(sections, key=lambda section: section.offset)),
            in_order=all(first.offset < second.offset for first, second in pairwise(sections)),
            section_count=pe.FILE_HEADER.NumberOfSections,
            section_table=table,
            import_addresses=_import_addresses(pe),
            table_offset=table_offset,
            table_size=table_size,
        )
        _require_sound(image, pe.sections[-1].get_file_offset() + _SECTION_ROW if pe.sections else 0)
        return image


def _parse_with_pefile(view: memoryview) -> Any:
    import pefile

    if bytes(view[:2]) != b"MZ":
        raise ImageError("not a PE image: it does not begin with MZ", offset=0)
    data = _Slices(view)
    try:
        pe = pefile.PE(data=data, fast_load=True)
    except (pefile.PEFormatError, ValueError, IndexError) as error:
        raise ImageError(f"not a PE image: {str(error).strip(chr(39)).rstrip('.')}") from error
    finally:
        data.let_go()
    if len(pe.sections) != pe.FILE_HEADER.NumberOfSections:
        raise ImageError("the section table can't be read to its end", offset=pe.FILE_HEADER.get_file_offset())
    return pe


class _Slices:
    """A buffer whose slices are bytes, as pefile wants them, without a copy of the whole."""

    def __init__(self, view: memoryview) -> None:
        self._view = view

    def __len__(self) -> int:
        return len(self._view)

    def __getitem__(self, part: slice) -> bytes:
        return bytes(self._view[part])

    def let_go(self) -> None:
        """Refer to the buffer no longer. pefile's objects refer to each other, and would keep a file mapped."""
        self._view = memoryview(b"")


def _directory_offset(pe: Any) -> int:
    """Where the certificate table's directory entry is. Raises ImageError where there is no room for it."""
    optional = pe.OPTIONAL_HEADER
    if optional.Magic not in _DIRECTORIES_AT:
        raise ImageError(
            f"the optional header's magic is {optional.Magic:#x}, so that it is neither PE32 nor PE32+",
            offset=optional.get_file_offset(),
        )
    if optional.NumberOfRvaAndSizes <= _SECURITY_DIRECTORY:
        raise ImageError(
            f"the image has {optional.NumberOfRvaAndSizes} data directories, and the fifth would hold the signature",
            hint="Link it with a linker that writes all 16 data directories.",
            offset=optional.get_file_offset(),
        )
    start = optional.get_file_offset() + _DIRECTORIES_AT[optional.Magic] + 8 * _SECURITY_DIRECTORY
    end = optional.get_file_offset() + pe.FILE_HEADER.SizeOfOptionalHeader
    if start + 8 > end:
        raise ImageError("the optional header ends before the certificate table's directory entry", offset=start)
    return int(start)


def _section_table(pe: Any) -> tuple[Section, ...]:
    return tuple(
        Section(
            name=row.Name.rstrip(b"\0").decode("latin-1"),
            offset=row.PointerToRawData,
            size=row.SizeOfRawData,
            address=row.VirtualAddress,
            memory_size=max(row.Misc_VirtualSize, row.SizeOfRawData),
            flags=row.Characteristics,
        )
        for row in pe.sections
    )


def _import_addresses(pe: Any) -> tuple[int, int]:
    directories = pe.OPTIONAL_HEADER.DATA_DIRECTORY
    if len(directories) <= _IMPORT_ADDRESSES:
        return (0, 0)
    return directories[_IMPORT_ADDRESSES].VirtualAddress, directories[_IMPORT_ADDRESSES].Size


def _require_sound(image: Image, headers_end: int) -> None:
    """Raise ImageError unless every byte of the file is hashed once, in one order.

    SizeOfHeaders may reach into sections, as packers write it: Windows hashes the file from front to back.
    `headers_end` is where the section table ends.
    """
    size = len(image.data)
    if image.directory_offset + 8 > image.headers_size or image.headers_size > size:
        raise ImageError(f"SizeOfHeaders is {image.headers_size:#x}, which can't be", offset=image.directory_offset)
    end, before = min(image.headers_size, max(headers_end, image.directory_offset + 8)), "the headers"
    for section in image.sections:
        if section.offset < end:
            raise ImageError(f"the section {section.name!r} overlaps {before}", offset=section.offset)
        if section.end > size:
            raise ImageError(f"the section {section.name!r} runs beyond the end of the file", offset=section.offset)
        end, before = section.end, f"the section {section.name!r}"
    if image.is_signed:
        _require_table_last(image, max(end, image.headers_size))


def _require_table_last(image: Image, sections_end: int) -> None:
    """The certificate table begins after all sections, aligned, and is the last thing in the file (MS12-024)."""
    start, end, size = image.table_offset, image.table_offset + image.table_size, len(image.data)
    if start < sections_end:
        raise ImageError("the certificate table overlaps the headers or a section", offset=start)
    if start % 8:
        raise ImageError("the certificate table does not begin at a multiple of 8", offset=start)
    if end > size:
        raise ImageError("the certificate table runs beyond the end of the file", offset=start)
    if end < size:
        raise ImageError(
            f"{size - end} bytes follow the certificate table, which must be the last thing in the file",
            hint="Windows takes such a file for unsigned: cut the file off at this offset, then sign it again.",
            offset=end,
        )


def _u32(view: memoryview, offset: int) -> int:
    return int.from_bytes(view[offset : offset + 4], "little")

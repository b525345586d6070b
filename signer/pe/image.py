"""Parse the layout of a PE image: sections, header fields and certificate table.

Source: "PE Format" (Microsoft), and "Windows Authenticode Portable Executable Signature Format", section "Calculating
the PE Image Hash". Images whose layout is ambiguous are refused with the offset. Only this module imports pefile, for
images that no linker writes so.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec, module_from_spec
from itertools import pairwise
from typing import Any

from signer.errors import ImageError
from signer.numbers import counted
from signer.pe.headers import CHECKSUM_AT, DIRECTORIES_AT, SECTION_ROW, SECURITY_DIRECTORY, Headers, usual_headers
from signer.pe.headers import Section as Section
from signer.pe.machines import MACHINES
from signer.records import dataclass

_IMPORTS, _RELOCATIONS, _IMPORT_ADDRESSES = 1, 5, 12


@dataclass(frozen=True, slots=True)
class Image:
    """A PE image over the buffer that it was parsed from."""

    data: memoryview
    machine: int
    """IMAGE_FILE_HEADER.Machine."""
    checksum_offset: int
    """Offset of IMAGE_OPTIONAL_HEADER.CheckSum."""
    directory_offset: int
    """Offset of the certificate table's data directory entry (8 bytes)."""
    headers_size: int
    """SizeOfHeaders, in bytes."""
    section_alignment: int
    """SectionAlignment, in bytes."""
    subsystem: int
    """IMAGE_OPTIONAL_HEADER.Subsystem."""
    sections: tuple[Section, ...]
    """The sections with bytes in the file, in the order of the file."""
    in_order: bool
    """Whether the section table has the sections in the order of the file, as all linkers write it."""
    section_count: int
    """IMAGE_FILE_HEADER.NumberOfSections."""
    section_table: tuple[Section, ...]
    """All sections, in the order of the section table."""
    import_addresses: tuple[int, int]
    """Address and size of the import address table; zeros if there is none."""
    has_imports: bool
    """Whether the import directory has a size."""
    relocations: tuple[int, int]
    """Address and size of the base relocation table; zeros if there is none."""
    image_size: int
    """SizeOfImage, in bytes."""
    table_offset: int
    """Offset of the certificate table, or 0."""
    table_size: int
    """Size of the certificate table in bytes, or 0."""

    @property
    def architecture(self) -> str:
        """The machine: x86, x64, arm, arm64, ia64, another name, or the number without one, such as 0x1234."""
        return MACHINES.get(self.machine, f"{self.machine:#06x}")

    @property
    def page_size(self) -> int:
        """The size in bytes of the pages that Code Integrity checks: 8192 on ia64, else 4096."""
        return 8192 if self.architecture == "ia64" else 4096

    @property
    def is_native(self) -> bool:
        """Whether the subsystem is IMAGE_SUBSYSTEM_NATIVE, as in images that the kernel loads."""
        return self.subsystem == 1

    @property
    def is_signed(self) -> bool:
        """Whether the image has a certificate table."""
        return self.table_size > 0

    @property
    def content_end(self) -> int:
        """Offset of the end of the bytes that a digest covers: the certificate table, or the end of the file."""
        return self.table_offset if self.is_signed else len(self.data)

    def loaded(self, address: int, size: int) -> memoryview:
        """Return up to `size` bytes of the file that are loaded at an address, within one section."""
        for section in self.sections:
            if section.address <= address < section.address + section.size:
                start = section.offset + address - section.address
                return self.data[start : min(start + size, section.end)]
        return self.data[:0]

    @classmethod
    def parse(cls, data: memoryview | bytes) -> Image:
        """Parse the layout of an image. Raises ImageError if it is not an image or can't be hashed safely."""
        view = memoryview(data)
        headers = usual_headers(view) or _unusual_headers(view)
        sections = [section for section in headers.section_table if section.size and section.offset]
        table_offset, table_size = _u32(view, headers.directory_offset), _u32(view, headers.directory_offset + 4)
        if table_offset == 0 or table_size == 0:
            table_offset = table_size = 0
        image = cls(
            data=view,
            machine=headers.machine,
            checksum_offset=headers.optional_header + CHECKSUM_AT,
            directory_offset=headers.directory_offset,
            headers_size=headers.headers_size,
            section_alignment=headers.section_alignment,
            subsystem=headers.subsystem,
            sections=tuple(sorted(sections, key=lambda section: section.offset)),
            in_order=all(first.offset < second.offset for first, second in pairwise(sections)),
            section_count=len(headers.section_table),
            section_table=headers.section_table,
            import_addresses=_directory(headers, _IMPORT_ADDRESSES),
            has_imports=_directory(headers, _IMPORTS)[1] > 0,
            relocations=_directory(headers, _RELOCATIONS),
            image_size=headers.image_size,
            table_offset=table_offset,
            table_size=table_size,
        )
        _require_sound(image, headers.end)
        return image


def _unusual_headers(view: memoryview) -> Headers:
    """Read the headers with pefile, which fills up truncated ones. Raises ImageError."""
    pe = _parse_with_pefile(view)
    optional = pe.OPTIONAL_HEADER
    rows = sorted(pe.sections, key=lambda row: row.get_file_offset())  # pefile sorts them by address
    return Headers(
        pe.FILE_HEADER.Machine,
        optional.get_file_offset(),
        _directory_offset(pe),
        optional.SectionAlignment,
        optional.SizeOfImage,
        optional.SizeOfHeaders,
        optional.Subsystem,
        tuple((one.VirtualAddress, one.Size) for one in optional.DATA_DIRECTORY),
        tuple(
            Section.of(
                row.Name,
                row.Misc_VirtualSize,
                row.VirtualAddress,
                row.SizeOfRawData,
                row.PointerToRawData,
                row.Characteristics,
            )
            for row in rows
        ),
        rows[-1].get_file_offset() + SECTION_ROW if rows else 0,
    )


def _parse_with_pefile(view: memoryview) -> Any:
    reader = _reader()
    if bytes(view[:2]) != b"MZ":
        raise ImageError("not a PE image: the file does not begin with MZ", offset=0)
    data = _SliceableView(view)
    try:
        pe = reader(data=data, fast_load=True)
    except (reader.Malformed, ValueError, IndexError) as error:
        raise ImageError(f"not a PE image: {str(error).strip(chr(39)).rstrip('.')}") from error
    finally:
        data.release()
    if len(pe.sections) != pe.FILE_HEADER.NumberOfSections:
        raise ImageError("the section table is truncated or malformed", offset=pe.FILE_HEADER.get_file_offset())
    return pe


def _pefile() -> Any:
    """Load pefile for this module alone, without the attributes for flags such as IMAGE_SCN_CNT_CODE.

    Setting them takes half of the time of parsing, and nothing here reads them; with them, pefile raises AttributeError
    for a writable and executable section named PAGE. A program that imports pefile has its own, with them.
    """
    found = find_spec("pefile")
    if found is None or found.loader is None:
        raise ModuleNotFoundError("No module named 'pefile'", name="pefile")
    module = module_from_spec(found)
    found.loader.exec_module(module)
    module.__dict__["retrieve_flags"] = lambda flags, prefix: ()
    return module


@cache
def _reader() -> Any:
    """Return pefile's class without its full collection of garbage after each malformed image, which takes 50 ms.

    It has the exception for such images, because two threads that begin at once load two modules.
    """
    pefile = _pefile()
    return type("Reader", (pefile.PE,), {"close": lambda self: None, "Malformed": pefile.PEFormatError})


class _SliceableView:
    """A view whose slices are bytes objects, as pefile requires, without a copy of the whole image."""

    def __init__(self, view: memoryview) -> None:
        self._view = view

    def __len__(self) -> int:
        return len(self._view)

    def __getitem__(self, part: slice) -> bytes:
        return bytes(self._view[part])

    def release(self) -> None:
        """Drop the reference to the buffer: pefile's objects form reference cycles and would keep the file mapped."""
        self._view = memoryview(b"")


def _directory_offset(pe: Any) -> int:
    """Return the offset of the certificate table's directory entry. Raises ImageError if the image lacks it."""
    optional = pe.OPTIONAL_HEADER
    if optional.Magic not in DIRECTORIES_AT:
        raise ImageError(
            f"the magic number {optional.Magic:#x} of the optional header is neither PE32 nor PE32+",
            offset=optional.get_file_offset(),
        )
    if optional.NumberOfRvaAndSizes <= SECURITY_DIRECTORY:
        raise ImageError(
            f"the image has {optional.NumberOfRvaAndSizes} data directories, but a signature needs the fifth one",
            hint="Link the image with a linker that writes all 16 data directories.",
            offset=optional.get_file_offset(),
        )
    start = optional.get_file_offset() + DIRECTORIES_AT[optional.Magic] + 8 * SECURITY_DIRECTORY
    end = optional.get_file_offset() + pe.FILE_HEADER.SizeOfOptionalHeader
    if start + 8 > end:
        raise ImageError("the optional header ends before the directory entry of the certificate table", offset=start)
    return int(start)


def _directory(headers: Headers, index: int) -> tuple[int, int]:
    """Return address and size of a data directory; zeros if the image does not have it."""
    return headers.directories[index] if index < len(headers.directories) else (0, 0)


def _require_sound(image: Image, headers_end: int) -> None:
    """Raise ImageError unless the layout determines the order in which every byte of the file is hashed.

    Windows hashes the file from front to back, so SizeOfHeaders can extend into sections, as packers write it.
    `headers_end` is the offset of the end of the section table.
    """
    size = len(image.data)
    if image.directory_offset + 8 > image.headers_size or image.headers_size > size:
        raise ImageError(f"SizeOfHeaders {image.headers_size:#x} is out of range", offset=image.directory_offset)
    end, previous = min(image.headers_size, max(headers_end, image.directory_offset + 8)), "the headers"
    for section in image.sections:
        if section.offset < end:
            raise ImageError(f"the section {section.name!r} overlaps {previous}", offset=section.offset)
        if section.end > size:
            raise ImageError(f"the section {section.name!r} extends beyond the end of the file", offset=section.offset)
        end, previous = section.end, f"the section {section.name!r}"
    if image.is_signed:
        _require_table_last(image, max(end, image.headers_size))


def _require_table_last(image: Image, sections_end: int) -> None:
    """Raise ImageError unless the certificate table is aligned, follows all sections and ends the file (MS12-024)."""
    start, end, size = image.table_offset, image.table_offset + image.table_size, len(image.data)
    if start < sections_end:
        raise ImageError("the certificate table overlaps the headers or a section", offset=start)
    if start % 8:
        raise ImageError("the certificate table does not begin at a multiple of 8", offset=start)
    if end > size:
        raise ImageError("the certificate table extends beyond the end of the file", offset=start)
    if end < size:
        raise ImageError(
            f"the certificate table is followed by {counted(size - end, 'byte')}, but it must end the file",
            hint="Truncate the file at this offset, then sign it again. Windows treats the file as unsigned.",
            offset=end,
        )


def _u32(view: memoryview, offset: int) -> int:
    return int.from_bytes(view[offset : offset + 4], "little")

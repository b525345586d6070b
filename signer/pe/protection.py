"""Detect layouts that are incompatible with memory integrity (HVCI).

Sources: Code Integrity's own list of reasons (the map HvciAuditFailures of its event manifest, Windows 10 2004 and
later), whose order the faults have; windows-driver-docs driversecurity/implement-hvci-compatible-code.md and
devtest/code-integrity-checking.md (Driver Verifier 0x2003 to 0x2005). Its reason "non-conformant Authenticode entry"
is missing here: `Image.parse` refuses such an image. Relocations across a page boundary are from the former page; the
list, which is younger than the releases that do not support them, has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from struct import Struct

from signer.pe.image import Image, Section
from signer.records import dataclass

_PAGE = 0x1000
_EXECUTE, _WRITE, _SHARED, _DISCARDABLE = 0x20000000, 0x80000000, 0x10000000, 0x02000000
_INIT = "INIT"
_BLOCK = Struct("<LL")
"""IMAGE_BASE_RELOCATION: the address of the page and the size of the block."""
_DIR64 = 10
"""IMAGE_REL_BASED_DIR64, in the upper four bits of an entry; the others are the offset in the page."""
_LAST_IN_PAGE = _DIR64 << 12 | _PAGE - 8


@dataclass(frozen=True, slots=True)
class Fault:
    """An incompatibility with memory integrity: its code and a message."""

    code: str
    message: str


def protection_faults(image: Image) -> tuple[Fault, ...]:
    """Return the incompatibilities in the order of Code Integrity's list."""
    checks = (_not_native, _unaligned, _writable_code, _import_addresses, _gaps, _order, _sizes, _relocations)
    return tuple(fault for check in checks for fault in check(image))


def _not_native(image: Image) -> Iterator[Fault]:
    if not image.is_native:
        yield Fault("hvci-not-native", f"its subsystem is {image.subsystem}, not 1 (native)")


def _unaligned(image: Image) -> Iterator[Fault]:
    if image.section_alignment % _PAGE:
        message = f"the section alignment is {image.section_alignment:#x}, not a multiple of 0x1000"
        yield Fault("hvci-unaligned", message)
    for section in image.section_table:
        if section.address % _PAGE:
            message = f"the section {section.name!r} does not begin at a page boundary"
            yield Fault("hvci-section-unaligned", message)


def _writable_code(image: Image) -> Iterator[Fault]:
    """Exempt sections that are discarded after initialization, unless other processes share them."""
    for section in image.section_table:
        if not (section.flags & _WRITE and section.flags & _EXECUTE):
            continue
        if section.flags & _SHARED:
            message = f"the shared section {section.name!r} is both writable and executable"
            yield Fault("hvci-shared-writable-code", message)
        elif not (section.flags & _DISCARDABLE or section.name == _INIT):
            yield Fault("hvci-writable-code", f"the section {section.name!r} is both writable and executable")


def _import_addresses(image: Image) -> Iterator[Fault]:
    start, size = image.import_addresses
    if not size:
        if image.has_imports:
            yield Fault("hvci-no-import-addresses", "it has imports but no import address table")
        return
    section = next((one for one in image.section_table if _contains(one, start, size)), None)
    if section is None:
        yield Fault("hvci-import-addresses", "the import address table is in no section")
    elif section.flags & _EXECUTE:
        message = f"the import address table is in the executable section {section.name!r}"
        yield Fault("hvci-imports-in-code", message)


def _contains(section: Section, start: int, size: int) -> bool:
    return section.address <= start and start + size <= section.address + section.memory_size


def _gaps(image: Image) -> Iterator[Fault]:
    for first, second in pairwise(image.sections):
        if first.end != second.offset:
            message = f"the sections {first.name!r} and {second.name!r} are not contiguous in the file"
            yield Fault("hvci-not-contiguous", message)


def _order(image: Image) -> Iterator[Fault]:
    for first, second in pairwise(image.section_table):
        if second.address <= first.address:
            message = f"the section {second.name!r} is before {first.name!r} in memory, but after it in the table"
            yield Fault("hvci-section-order", message)


def _sizes(image: Image) -> Iterator[Fault]:
    """Report sections that overlap the next one in memory, or that extend beyond the image."""
    by_address = sorted(image.section_table, key=lambda section: section.address)
    ends = [*(section.address for section in by_address[1:]), image.image_size]
    for section, end in zip(by_address, ends, strict=False):
        if section.address + section.memory_size > _rounded(end):
            size = f"{section.memory_size:#x} bytes"
            message = f"the section {section.name!r} ({size}) extends into the next one, or beyond the image"
            yield Fault("hvci-section-size", message)


def _relocations(image: Image) -> Iterator[Fault]:
    """Report the first relocation of a 64-bit address that lies in two pages."""
    table, start = image.loaded(*image.relocations), 0
    while start + _BLOCK.size <= len(table):
        page, size = _BLOCK.unpack_from(table, start)
        if size < _BLOCK.size or size % 2 or start + size > len(table):
            return
        entries = memoryview(table[start + _BLOCK.size : start + size]).cast("H")
        crossing = next((entry for entry in entries if entry > _LAST_IN_PAGE and entry >> 12 == _DIR64), None)
        if crossing is not None:
            message = f"the relocation at {page + (crossing & 0xFFF):#x} crosses the boundary of a page"
            yield Fault("hvci-relocation", message)
            return
        start += size


def _rounded(address: int) -> int:
    return (address + _PAGE - 1) // _PAGE * _PAGE

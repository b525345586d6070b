"""What memory integrity (HVCI) minds about how an image is laid out in memory, as far as the file shows it.

Sources: windows-driver-docs driversecurity/implement-hvci-compatible-code.md and devtest/code-integrity-checking.md
(Driver Verifier 0x2003 to 0x2005). The sections named INIT are let off: Windows takes their write permission away.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from signer.pe.image import Image

_PAGE = 0x1000
_EXECUTE, _WRITE = 0x20000000, 0x80000000
_SECTION = struct.Struct("<8sIIIIIIHHI")
_IMPORT_ADDRESSES, _CERTIFICATES = 12, 4
_INIT = "INIT"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that memory integrity minds: its code, and the sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class _Mapped:
    """A section as it lies in memory."""

    name: str
    start: int
    size: int
    flags: int

    @property
    def executable(self) -> bool:
        return bool(self.flags & _EXECUTE)

    @property
    def writable(self) -> bool:
        return bool(self.flags & _WRITE) and self.name != _INIT


def protection_faults(image: Image) -> tuple[Fault, ...]:
    """What memory integrity minds, the gravest first: alignment, writable code, import addresses among code."""
    sections = tuple(_sections(image))
    return (*_unaligned(image, sections), *_writable_code(sections), *_imports_in_code(image, sections))


def _sections(image: Image) -> Iterator[_Mapped]:
    """Every section, also those without bytes in the file."""
    data = image.data
    header = int.from_bytes(data[0x3C:0x40], "little")
    count, optional = struct.unpack_from("<2xH12xH", data, header + 4)
    table = header + 24 + optional
    for number in range(count):
        place = table + number * _SECTION.size
        if place + _SECTION.size > len(data):
            return
        name, size, start, raw, *_, flags = _SECTION.unpack_from(data, place)
        yield _Mapped(name.rstrip(b"\0").decode("latin-1"), start, max(size, raw), flags)


def _unaligned(image: Image, sections: tuple[_Mapped, ...]) -> Iterator[Fault]:
    if image.section_alignment % _PAGE:
        yield Fault("hvci-unaligned", f"its sections are aligned to {image.section_alignment:#x}, not to pages")
        return
    for section in sections:
        if section.start % _PAGE:
            yield Fault("hvci-unaligned", f"its section {section.name!r} does not begin on a page")


def _writable_code(sections: tuple[_Mapped, ...]) -> Iterator[Fault]:
    for section in sections:
        if section.executable and section.writable:
            yield Fault("hvci-writable-code", f"its section {section.name!r} is writable and executable")


def _imports_in_code(image: Image, sections: tuple[_Mapped, ...]) -> Iterator[Fault]:
    entry = image.directory_offset + (_IMPORT_ADDRESSES - _CERTIFICATES) * 8
    entries = image.directory_offset - _CERTIFICATES * 8 - 4
    if int.from_bytes(image.data[entries : entries + 4], "little") <= _IMPORT_ADDRESSES:
        return
    start, size = (int.from_bytes(image.data[entry + at : entry + at + 4], "little") for at in (0, 4))
    for section in sections if size else ():
        if section.executable and section.start <= start < section.start + section.size:
            yield Fault("hvci-imports-in-code", f"its import addresses lie in the executable section {section.name!r}")

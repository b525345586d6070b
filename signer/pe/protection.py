"""Detect section layouts that are incompatible with memory integrity (HVCI).

Sources: windows-driver-docs driversecurity/implement-hvci-compatible-code.md and devtest/code-integrity-checking.md
(Driver Verifier 0x2003 to 0x2005). Sections named INIT are exempt: Windows removes their write permission.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from signer.pe.image import Image, Section

_PAGE = 0x1000
_EXECUTE, _WRITE = 0x20000000, 0x80000000
_INIT = "INIT"


@dataclass(frozen=True, slots=True)
class Fault:
    """An incompatibility with memory integrity: its code and a message."""

    code: str
    message: str


def protection_faults(image: Image) -> tuple[Fault, ...]:
    """Return the incompatibilities, the most severe first: alignment, writable code, imports in executable sections."""
    return (*_unaligned(image), *_writable_code(image), *_imports_in_code(image))


def _executable(section: Section) -> bool:
    return bool(section.flags & _EXECUTE)


def _writable(section: Section) -> bool:
    return bool(section.flags & _WRITE) and section.name != _INIT


def _unaligned(image: Image) -> Iterator[Fault]:
    if image.section_alignment % _PAGE:
        yield Fault(
            "hvci-unaligned", f"the section alignment is {image.section_alignment:#x}, not a multiple of 0x1000"
        )
        return
    for section in image.section_table:
        if section.address % _PAGE:
            yield Fault("hvci-unaligned", f"the section {section.name!r} does not begin at a page boundary")


def _writable_code(image: Image) -> Iterator[Fault]:
    for section in image.section_table:
        if _executable(section) and _writable(section):
            yield Fault("hvci-writable-code", f"the section {section.name!r} is both writable and executable")


def _imports_in_code(image: Image) -> Iterator[Fault]:
    start, size = image.import_addresses
    for section in image.section_table if size else ():
        if _executable(section) and section.address <= start < section.address + section.memory_size:
            yield Fault(
                "hvci-imports-in-code", f"the import address table is in the executable section {section.name!r}"
            )

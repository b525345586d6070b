"""Incompatibilities with memory integrity, each with a case just inside and just outside of the rule."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from signer.pe.image import Image
from signer.pe.protection import protection_faults
from signer.verify.gather import gather
from tests.support.files import corpus_files
from tests.support.images import PeSpec

CODE, DATA, BOTH = 0x60000020, 0xC0000040, 0xE0000020


def image(
    *flags: int,
    names: tuple[bytes, ...] = (b".text",),
    start: int | None = None,
    imports: tuple[int, int] = (0, 0),
    patches: tuple[tuple[int, int], ...] = (),
    **spec: Any,
) -> bytes:
    """Build an image whose sections have these flags; `start` is the address of the first, `imports` the IAT,
    `patches` (offset from the PE signature, 32-bit value)."""
    sections = [(f".s{number}", 0x400 + number * 0x200, 0x200) for number in range(len(flags))]
    data = bytearray(PeSpec(sections=sections, **spec).build())
    header = int.from_bytes(data[0x3C:0x40], "little")
    optional = int.from_bytes(data[header + 20 : header + 22], "little")
    for number, wanted in enumerate(flags):
        place = header + 24 + optional + number * 40
        data[place : place + 8] = names[min(number, len(names) - 1)].ljust(8, b"\0")
        struct.pack_into("<I", data, place + 36, wanted)
        if start is not None and number == 0:
            struct.pack_into("<I", data, place + 12, start)
    directories = header + 24 + (112 if data[header + 24 : header + 26] == b"\x0b\x02" else 96)
    struct.pack_into("<II", data, directories + 12 * 8, *imports)
    for offset, value in patches:
        struct.pack_into("<I", data, header + offset, value)
    return bytes(data)


def codes(data: bytes) -> list[str]:
    return [fault.code for fault in protection_faults(Image.parse(data))]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (image(CODE), []),
        (image(CODE, DATA), []),
        (image(CODE, machine="arm64"), []),
        (image(BOTH), ["hvci-writable-code"]),
        (image(CODE, BOTH), ["hvci-writable-code"]),
        (image(BOTH, names=(b"INIT",)), []),
        (image(BOTH, names=(b"INITKDBG",)), ["hvci-writable-code"]),
        (image(BOTH, names=(b"init",)), ["hvci-writable-code"]),
        (image(CODE, start=0x1200), ["hvci-section-unaligned"]),
        (image(CODE, start=0x2000, patches=((0x50, 0x3000),)), []),
        (image(CODE, section_alignment=0x1000), []),
        (image(CODE, section_alignment=0x2000, start=0x2000), []),
        (image(CODE, section_alignment=0x200), ["hvci-unaligned", "hvci-section-unaligned"]),
        (image(CODE, imports=(0x1010, 0x40)), ["hvci-imports-in-code"]),
        (image(DATA, imports=(0x1010, 0x40)), []),
        (image(CODE, imports=(0x9000, 0x40)), ["hvci-import-addresses"]),
        (image(DATA, imports=(0x1FF0, 0x40)), ["hvci-import-addresses"]),
        (image(CODE, imports=(0x1010, 0)), []),
    ],
    ids=range(18),
)
def test_faults(data: bytes, expected: list[str]) -> None:
    assert codes(data) == expected


SUBSYSTEM, IMPORT_SIZE, IMAGE_SIZE, FIRST_ROW = 0x5C, 24 + 112 + 12, 0x50, 24 + 240
WRITABLE_INIT, SHARED = 0xE2000020, 0xF2000020


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(image(CODE, patches=((SUBSYSTEM, 1),)), [], id="native"),
        pytest.param(image(CODE, patches=((SUBSYSTEM, 3),)), ["hvci-not-native"], id="console"),
        pytest.param(image(CODE, WRITABLE_INIT), [], id="discardable"),
        pytest.param(image(CODE, SHARED), ["hvci-shared-writable-code"], id="discardable and shared"),
        pytest.param(image(CODE, patches=((IMPORT_SIZE, 40),)), ["hvci-no-import-addresses"], id="imports, no IAT"),
        pytest.param(
            image(CODE, DATA, imports=(0x2000, 8), patches=((IMPORT_SIZE, 40),)), [], id="imports with an IAT"
        ),
        pytest.param(image(CODE, DATA, patches=((IMAGE_SIZE, 0x3000),)), [], id="sections fit"),
        pytest.param(image(CODE, DATA, patches=((IMAGE_SIZE, 0x2000),)), ["hvci-section-size"], id="image too small"),
        pytest.param(image(CODE, DATA, patches=((FIRST_ROW + 8, 0x1000),)), [], id="a section up to the next one"),
        pytest.param(
            image(CODE, DATA, patches=((FIRST_ROW + 8, 0x1001),)), ["hvci-section-size"], id="a section over the next"
        ),
        pytest.param(
            image(CODE, DATA, patches=((FIRST_ROW + 12, 0x2000), (FIRST_ROW + 40 + 12, 0x1000))),
            ["hvci-section-order"],
            id="not in ascending order",
        ),
        pytest.param(
            PeSpec(sections=[(".text", 0x400, 0x200), (".data", 0x800, 0x200)]).build(),
            ["hvci-not-contiguous"],
            id="a gap in the file",
        ),
    ],
)
def test_each_reason_of_the_list(data: bytes, expected: list[str]) -> None:
    assert codes(data) == expected


def test_the_evidence_of_an_image_contains_the_faults() -> None:
    assert [problem.code for problem in gather(image(BOTH), "image", "x.sys").protection] == ["hvci-writable-code"]


def test_few_real_drivers_have_faults() -> None:
    found = corpus_files("drivers/*.sys")
    if not found:
        pytest.skip("the corpus is not here")
    faulty = [path.name for path in found if gather(path.read_bytes(), "image", path.name).protection]
    assert 0 < len(faulty) < len(found) / 4


def relocated(*entries: int, size: int | None = None, machine: str = "x64") -> bytes:
    """Build an image whose second section begins with one block of relocations, for the page 0x1000."""
    data = bytearray(image(CODE, DATA, machine=machine))
    block = struct.pack("<II", 0x1000, size if size is not None else 8 + 2 * len(entries))
    block += struct.pack(f"<{len(entries)}H", *entries)
    data[0x600 : 0x600 + len(block)] = block
    header = int.from_bytes(data[0x3C:0x40], "little")
    struct.pack_into("<II", data, header + 24 + 112 + 5 * 8, 0x2000, len(block))
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(relocated(0xAFF8), [], id="the last address in the page"),
        pytest.param(relocated(0xAFF9), ["hvci-relocation"], id="the first across the boundary"),
        pytest.param(relocated(0xA000, 0xA008, 0xAFFF, 0xAFFC), ["hvci-relocation"], id="named once"),
        pytest.param(relocated(0xBFFF), [], id="another kind"),
        pytest.param(relocated(0x0000, 0x3FFF), [], id="padding and 32-bit addresses"),
        pytest.param(relocated(0xAFFF, size=0), [], id="a block without a size"),
        pytest.param(relocated(0xAFFF, size=0x7FFFFFFF), [], id="a block beyond the table"),
        pytest.param(relocated(0xAFFF, size=9), [], id="an odd size"),
        pytest.param(relocated(0xAFF9, machine="arm64"), ["hvci-relocation"], id="arm64"),
    ],
)
def test_relocations_across_a_page_boundary(data: bytes, expected: list[str]) -> None:
    """Source: windows-driver-docs driversecurity/implement-hvci-compatible-code.md."""
    assert codes(data) == expected

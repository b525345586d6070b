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
    **spec: Any,
) -> bytes:
    """Build an image whose sections have these flags; `start` is the address of the first, `imports` the IAT."""
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
        (image(CODE, start=0x1200), ["hvci-unaligned"]),
        (image(CODE, start=0x2000), []),
        (image(CODE, section_alignment=0x1000), []),
        (image(CODE, section_alignment=0x2000, start=0x2000), []),
        (image(CODE, section_alignment=0x200), ["hvci-unaligned"]),
        (image(CODE, imports=(0x1010, 0x40)), ["hvci-imports-in-code"]),
        (image(DATA, imports=(0x1010, 0x40)), []),
        (image(CODE, imports=(0x9000, 0x40)), []),
        (image(CODE, imports=(0x1010, 0)), []),
    ],
    ids=range(17),
)
def test_faults(data: bytes, expected: list[str]) -> None:
    assert codes(data) == expected


def test_the_evidence_of_an_image_contains_the_faults() -> None:
    assert [problem.code for problem in gather(image(BOTH), "image", "x.sys").protection] == ["hvci-writable-code"]


def test_few_real_drivers_have_faults() -> None:
    found = corpus_files("drivers/*.sys")
    if not found:
        pytest.skip("the corpus is not here")
    faulty = [path.name for path in found if gather(path.read_bytes(), "image", path.name).protection]
    assert 0 < len(faulty) < len(found) / 4

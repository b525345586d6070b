"""The quick reader of headers finds what pefile finds, and leaves images with another layout to it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signer.errors import ImageError
from signer.pe import image
from signer.pe.headers import usual_headers
from signer.pe.image import Image
from tests.support.files import corpus_files, corpus_id
from tests.support.images import MACHINES, PeSpec

_HEADERS = 0x80
"""Offset of the headers in images of `PeSpec`."""
SPECS = [
    PeSpec(machine, sections)
    for machine in MACHINES
    for sections in ([(".text", 0x400, 0x200)], [(".b", 0x600, 0x200), (".a", 0x400, 0x200), (".bss", 0, 0)])
]


def by_pefile(data: bytes) -> Image | str:
    """Return what pefile makes of an image: its layout or the error."""
    with mock.patch.object(image, "usual_headers", lambda _: None):
        return parsed(data)


def parsed(data: bytes) -> Image | str:
    try:
        return Image.parse(data)
    except ImageError as error:
        return f"{error}, {error.offset}"


@pytest.mark.parametrize("path", corpus_files("drivers/*.sys"), ids=corpus_id)
def test_real_drivers_are_read_as_by_pefile(path: Path) -> None:
    data = path.read_bytes()
    assert usual_headers(memoryview(data)) is not None
    assert Image.parse(data) == by_pefile(data)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.machine}-{len(spec.sections)}")
def test_usual_images_are_read_without_pefile(spec: PeSpec) -> None:
    data = spec.build()
    with mock.patch.object(image, "_reader", side_effect=AssertionError):
        found = Image.parse(data)
    assert found == by_pefile(data)


def changes(*values: tuple[int, bytes]) -> list[tuple[int, bytes]]:
    """Return changes of bytes of the headers: offsets from their beginning, and what is there then."""
    return list(values)


@given(
    st.sampled_from(SPECS),
    st.lists(st.tuples(st.integers(0, 0x17F), st.binary(min_size=1, max_size=4)), max_size=4),
    st.integers(0, 0x800),
)
@example(SPECS[0], changes((6, b"\0\0")), 0x800)  # no sections
@example(SPECS[0], changes((6, b"\x61\0")), 0x800)
@example(SPECS[0], changes((0x74, b"\x11")), 0x800)  # 17 directories
@example(SPECS[0], changes((20, b"\xe8\0")), 0x800)  # a longer optional header
@example(SPECS[0], changes((0xF8, bytes(40))), 0x800)  # an empty row
@example(SPECS[0], changes((0x101, b"\0\0\x01\x10")), 0x800)  # VirtualSize
@example(SPECS[0], changes((0xF8 + 20, b"\0\0\0\x7f")), 0x800)
def test_changed_headers_are_read_as_by_pefile(spec: PeSpec, changed: list[tuple[int, bytes]], length: int) -> None:
    data = bytearray(spec.build())
    for offset, octets in changed:
        data[_HEADERS + offset : _HEADERS + offset + len(octets)] = octets
    assert parsed(bytes(data[:length])) == by_pefile(bytes(data[:length]))


def deviations() -> Iterator[tuple[str, bytes]]:
    usual = PeSpec().build()
    for name, offset, octets in (
        ("another signature", 0, b"NE"),
        ("no sections", 6, b"\0"),
        ("too many sections", 6, b"\x61"),
        ("a longer optional header", 20, b"\xf8"),
        ("a ROM image", 24, b"\x07\x01"),
        ("17 directories", 24 + 108, b"\x11"),
        ("an empty row", 24 + 240, bytes(40)),
        ("a section of 1 GB", 24 + 240 + 8, struct.pack("<I", 1 << 30)),
        ("a section beyond the end", 24 + 240 + 20, struct.pack("<I", 0x401)),
    ):
        at = _HEADERS + offset
        yield name, usual[:at] + octets + usual[at + len(octets) :]
    yield "truncated", usual[: _HEADERS + 24 + 240 + 39]


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in deviations()])
def test_other_layouts_are_left_to_pefile(data: bytes) -> None:
    assert usual_headers(memoryview(data)) is None

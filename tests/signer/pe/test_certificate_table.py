"""Certificate tables have the bytes that SignTool writes, and malformed ones are refused with the offset."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.errors import ImageError
from signer.pe import certificate_table
from signer.pe.image import Image
from tests.support.images import PeSpec


def with_table(table: bytes) -> Image:
    return Image.parse(PeSpec(overlay=table, table=(0x600, len(table))).build())


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=3))
def test_a_built_table_is_read_back(bodies: list[bytes]) -> None:
    ders = [b"\x30\x82" + struct.pack(">H", 300) + body.ljust(300, b"x") for body in bodies]
    entries = certificate_table.read(with_table(certificate_table.build(ders)))
    assert [entry.signed_data() for entry in entries] == ders
    assert all(entry.is_signed_data and not any(entry.trailing()) for entry in entries)


def test_the_length_includes_the_padding() -> None:
    table = certificate_table.build([b"\x30\x03abc"])
    assert table == struct.pack("<IHH", 16, 0x0200, 2) + b"\x30\x03abc\0\0\0"


@pytest.mark.parametrize("length", [0, 7, 17, 0xFFFFFFFF])
def test_an_entry_length_out_of_range_is_refused_with_its_offset(length: int) -> None:
    with pytest.raises(ImageError, match="entry is out of range") as raised:
        certificate_table.read(with_table(struct.pack("<IHH", length, 0x0200, 2) + bytes(8)))
    assert raised.value.offset == 0x600


def test_bytes_behind_the_der_are_returned() -> None:
    (entry,) = certificate_table.read(
        with_table(struct.pack("<IHH", 24, 0x0200, 2) + b"\x30\x03abc" + b"hidden bytes"[:11])
    )
    assert entry.trailing() == b"hidden byte"


def test_a_flood_of_entries_is_refused() -> None:
    table = struct.pack("<IHH", 8, 0x200, 2) * 100_000
    image = Image.parse(PeSpec(overlay=table, table=(0x600, len(table))).build())
    with pytest.raises(ImageError, match="more than 1000 entries"):
        certificate_table.read(image)

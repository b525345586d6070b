"""The checksum of images, against the rule in its simplest words and against pefile."""

from __future__ import annotations

import struct

import pefile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.pe import checksum as module
from signer.pe.checksum import WordSum, checksum, sum16
from signer.pe.embed import embed
from signer.pe.image import Image
from tests.images import PeSpec
from tests.support import patched


def plain_sum(data: bytes) -> int:
    """Word by word, the carry added back each time."""
    total = 0
    for (word,) in struct.iter_unpack("<H", data + bytes(len(data) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total


@given(pieces=st.lists(st.binary(max_size=40), max_size=5), last=st.binary(max_size=9))
def test_the_sum_is_that_of_all_words(pieces: list[bytes], last: bytes) -> None:
    even = [piece[: len(piece) // 2 * 2] for piece in pieces]
    words = WordSum()
    for piece in (*even, last):
        words.add(piece)
    assert words.value == plain_sum(b"".join((*even, last)))


@pytest.mark.parametrize("data", [b"", bytes(6), b"\xff\xff", b"\xff\xff\xff\xff\x01", b"\xfe\xff\x01\x00"])
def test_zero_only_comes_from_zeros(data: bytes) -> None:
    assert sum16(data) == plain_sum(data)
    assert (sum16(data) == 0) == (not any(data))


def test_a_long_piece_is_summed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(range(256)) * 3
    expected = plain_sum(data)
    monkeypatch.setattr(module, "_CHUNK", 10)
    assert sum16(data) == expected


def test_the_length_is_added_without_a_carry() -> None:
    assert checksum([0xFFFF, 0], 0x12345) == 0xFFFF + 0x12345


@given(overlay=st.binary(max_size=20))
def test_an_embedded_signature_leaves_the_checksum_that_pefile_computes(overlay: bytes) -> None:
    data = PeSpec(overlay=overlay).build()
    result = patched(data, embed(Image.parse(data), [b"\x30\x03\x02\x01\x05"]))
    assert pefile.PE(data=result).verify_checksum()

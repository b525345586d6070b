"""The checksum of images agrees with a simple implementation of the rule and with pefile."""

from __future__ import annotations

import struct
from unittest import mock

import pefile
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.pe import checksum as module
from signer.pe.checksum import WordSum, checksum, sum16
from signer.pe.embed import embed
from signer.pe.image import Image
from tests.support.files import patched
from tests.support.images import PeSpec


def plain_sum(data: bytes) -> int:
    """Add word by word, with each carry added back."""
    total = 0
    for (word,) in struct.iter_unpack("<H", data + bytes(len(data) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return total


@given(pieces=st.lists(st.binary(max_size=40), max_size=5), last=st.binary(max_size=9))
def test_pieces_give_the_sum_of_all_words(pieces: list[bytes], last: bytes) -> None:
    even = [piece[: len(piece) // 2 * 2] for piece in pieces]
    words = WordSum()
    for piece in (*even, last):
        words.add(piece)
    assert words.value == plain_sum(b"".join((*even, last)))


@pytest.mark.parametrize("data", [b"", bytes(6), b"\xff\xff", b"\xff\xff\xff\xff\x01", b"\xfe\xff\x01\x00"])
def test_only_zero_bytes_sum_up_to_zero(data: bytes) -> None:
    assert sum16(data) == plain_sum(data)
    assert (sum16(data) == 0) == (not any(data))


def test_a_long_piece_is_summed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytes(range(256)) * 3
    expected = plain_sum(data)
    monkeypatch.setattr(module, "_CHUNK", 10)
    assert sum16(data) == expected


blocks = st.sampled_from(
    [bytes(16), b"\xff" * 16, b"\xff" * 8 + bytes(8), bytes(8) + b"\xff" * 8, b"\xfe" + b"\xff" * 15]
)


@given(parts=st.lists(st.tuples(blocks | st.binary(min_size=16, max_size=16), st.integers(1, 40)), max_size=12))
def test_poly1305_gives_the_remainder_of_the_sum(parts: list[tuple[bytes, int]]) -> None:
    """Sums of a few full blocks are slightly above multiples of its prime, where the tag loses its highest bits."""
    data = b"".join(block * count for block, count in parts)
    assert module._sum_by_poly1305(memoryview(data)) == plain_sum(data) % 0xFFFF


@pytest.mark.parametrize("tail", [b"", b"\x01", b"12345678901"])
@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"\x5a\xa5"])
def test_large_pieces_are_summed_with_and_without_poly1305(
    monkeypatch: pytest.MonkeyPatch, fill: bytes, tail: bytes
) -> None:
    data = fill * (0x12340 // len(fill)) + tail
    assert sum16(data) == plain_sum(data)
    monkeypatch.setattr(module, "_sum_by_poly1305", lambda view: None)
    assert sum16(data) == plain_sum(data)


def test_the_file_size_is_added_without_carry() -> None:
    assert checksum([0xFFFF, 0], 0x12345) == 0xFFFF + 0x12345


@given(overlay=st.binary(max_size=20))
def test_a_signed_image_has_the_checksum_that_pefile_computes(overlay: bytes) -> None:
    data = PeSpec(overlay=overlay).build()
    result = patched(data, embed(Image.parse(data), [b"\x30\x03\x02\x01\x05"]))
    with mock.patch("gc.collect"):  # pefile collects the garbage of all tests for each image, which takes 0.2 s
        assert pefile.PE(data=result).verify_checksum()

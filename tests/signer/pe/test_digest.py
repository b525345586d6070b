"""Digests and page hashes, against a plain reading of the rule and against real drivers."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.algorithms import DigestAlgorithm
from signer.errors import ImageError
from signer.pe.digest import digest_image, hash_pages, page_difference
from signer.pe.image import Image
from tests.images import PeSpec
from tests.support import corpus_files, corpus_id

SHA1, SHA256 = DigestAlgorithm.SHA1, DigestAlgorithm.SHA256


def plain_digest(data: bytes, image: Image) -> bytes:
    """The rule in its simplest words: cut out checksum and directory entry, pad to 8, hash."""
    body = data[: image.content_end]
    kept = (
        body[: image.checksum_offset]
        + body[image.checksum_offset + 4 : image.directory_offset]
        + body[image.directory_offset + 8 :]
    )
    return hashlib.sha256(kept + bytes(-len(body) % 8)).digest()


@given(overlay=st.binary(max_size=40), machine=st.sampled_from(["x86", "x64", "arm64"]))
def test_the_digest_is_the_plain_rule_s(overlay: bytes, machine: str) -> None:
    data = PeSpec(machine=machine, overlay=overlay).build()
    image = Image.parse(data)
    assert digest_image(image, [SHA256])[SHA256] == plain_digest(data, image)


def test_checksum_and_directory_do_not_count_and_everything_else_does() -> None:
    data = bytearray(PeSpec().build())
    image = Image.parse(bytes(data))
    digest = digest_image(image, [SHA256])
    for offset in range(image.checksum_offset, image.checksum_offset + 4):
        data[offset] ^= 0xFF
    assert digest_image(Image.parse(bytes(data)), [SHA256]) == digest
    data[0x480] ^= 1
    assert digest_image(Image.parse(bytes(data)), [SHA256]) != digest


def test_several_algorithms_in_one_pass_are_those_of_single_passes() -> None:
    data = PeSpec(sections=[(".big", 0x400, 3 << 20)]).build()
    image = Image.parse(data)
    together = digest_image(image, DigestAlgorithm)
    assert together == {a: digest_image(image, [a])[a] for a in DigestAlgorithm}


def test_page_hashes_have_a_row_for_each_page_and_one_for_the_end() -> None:
    image = Image.parse(PeSpec(sections=[(".a", 0x400, 0x1200), (".b", 0x1600, 0x200)]).build())
    table = hash_pages(image, SHA1).table
    rows = [int.from_bytes(table[i : i + 4], "little") for i in range(0, len(table), 24)]
    assert rows == [0, 0x400, 0x1400, 0x1600, 0x1800]
    assert table[-20:] == bytes(20)
    assert table[4 * 24 - 20 : 4 * 24] == hashlib.sha1(bytes(image.data[0x1600:0x1800]).ljust(4096, b"\0")).digest()


def test_a_changed_page_is_found_by_its_offset() -> None:
    data = bytearray(PeSpec(sections=[(".a", 0x400, 0x2200)]).build())
    before = hash_pages(Image.parse(bytes(data)), SHA256)
    data[0x1410] ^= 1
    after = hash_pages(Image.parse(bytes(data)), SHA256)
    assert page_difference(before, after) == 0x1400
    assert page_difference(before, before) is None


def test_sections_that_do_not_begin_at_pages_get_no_page_hashes() -> None:
    with pytest.raises(ImageError, match="aligned to 128 bytes"):
        hash_pages(Image.parse(PeSpec(section_alignment=128).build()), SHA256)


def test_headers_of_more_than_a_page_get_no_page_hashes() -> None:
    spec = PeSpec(headers_size=0x1200, sections=[(".a", 0x1200, 0x200)])
    with pytest.raises(ImageError, match="more than the one page"):
        hash_pages(Image.parse(spec.build()), SHA256)


@pytest.mark.skipif(not shutil.which("osslsigncode"), reason="osslsigncode is not installed")
@pytest.mark.parametrize("path", corpus_files("drivers/*.sys")[::5], ids=corpus_id)
def test_osslsigncode_computes_the_same_digest(path: Path) -> None:
    image = Image.parse(path.read_bytes())
    said = subprocess.run(["osslsigncode", "verify", "-in", path], capture_output=True, text=True).stdout
    lines = [line.split(":")[1].strip().lower() for line in said.splitlines() if "alculated message digest" in line]
    ours = {digest.hex() for digest in digest_image(image, DigestAlgorithm).values()}
    assert set(lines) <= ours
    assert lines or not image.is_signed

"""Digests and page hashes agree with a simple implementation of the rules and with real drivers."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer import hashing
from signer.algorithms import DigestAlgorithm
from signer.errors import ImageError
from signer.pe.checksum import sum16
from signer.pe.digest import (
    digest_image,
    first_page,
    has_pages,
    hash_image,
    hash_pages,
    hashed_ranges,
    page_difference,
)
from signer.pe.image import Image
from tests.support.files import corpus_files, corpus_id
from tests.support.images import PeSpec

SHA1, SHA256 = DigestAlgorithm.SHA1, DigestAlgorithm.SHA256


def plain_hash(image: Image, algorithm: DigestAlgorithm) -> bytes:
    """Hash the image without checksum and directory entry, padded to a multiple of 8."""
    body = bytes(image.data[: image.content_end])
    return algorithm.hash(without_fields(image, body) + bytes(-len(body) % 8))


def plain_pages(image: Image, algorithm: DigestAlgorithm) -> bytes:
    """Hash the headers, then every section page by page, each padded with zeros."""
    pages = [(0, without_fields(image, bytes(image.data[: image.headers_size])).ljust(0x1000 - 12, b"\0"))]
    for section in image.sections:
        for offset in range(section.offset, section.end, 0x1000):
            pages.append((offset, bytes(image.data[offset : min(offset + 0x1000, section.end)]).ljust(0x1000, b"\0")))
    rows = [offset.to_bytes(4, "little") + algorithm.hash(page) for offset, page in pages]
    return b"".join(rows) + image.sections[-1].end.to_bytes(4, "little") + bytes(algorithm.size)


def without_fields(image: Image, body: bytes) -> bytes:
    return (
        body[: image.checksum_offset]
        + body[image.checksum_offset + 4 : image.directory_offset]
        + body[image.directory_offset + 8 :]
    )


@given(overlay=st.binary(max_size=40), machine=st.sampled_from(["x86", "x64", "arm64"]))
def test_the_digest_agrees_with_a_simple_implementation(overlay: bytes, machine: str) -> None:
    data = PeSpec(machine=machine, overlay=overlay).build()
    image = Image.parse(data)
    assert digest_image(image, [SHA256])[SHA256] == plain_hash(image, SHA256)


def test_the_digest_covers_everything_except_checksum_and_directory_entry() -> None:
    data = bytearray(PeSpec().build())
    image = Image.parse(bytes(data))
    digest = digest_image(image, [SHA256])
    for offset in range(image.checksum_offset, image.checksum_offset + 4):
        data[offset] ^= 0xFF
    assert digest_image(Image.parse(bytes(data)), [SHA256]) == digest
    data[0x480] ^= 1
    assert digest_image(Image.parse(bytes(data)), [SHA256]) != digest


def test_one_pass_with_several_algorithms_gives_the_same_digests_as_single_passes() -> None:
    data = PeSpec(sections=[(".big", 0x400, 3 << 20)]).build()
    image = Image.parse(data)
    together = digest_image(image, DigestAlgorithm)
    assert together == {a: digest_image(image, [a])[a] for a in DigestAlgorithm}


@pytest.mark.parametrize("stride", [0x1000, 0x1400, 0x3000])
def test_a_pass_with_threads_gives_the_same_results(stride: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Covers pages across two strides, gaps between sections, and an overlay."""
    sections = [(".text", 0x400, 0x5200), (".data", 0x6000, 0x2600), (".rsrc", 0x8800, 0x200)]
    image = Image.parse(PeSpec(sections=sections, overlay=b"behind" * 700).build())
    expected = ({a: plain_hash(image, a) for a in (SHA1, SHA256)}, {a: plain_pages(image, a) for a in (SHA1, SHA256)})
    monkeypatch.setattr(hashing, "_STRIDE", stride)
    monkeypatch.setattr(hashing, "_THREADING_THRESHOLD", 0)
    found = hash_image(image, (SHA1, SHA256), paged=(SHA1, SHA256), summed=True)
    assert (found.digests, {a: pages.table for a, pages in found.pages.items()}) == expected
    assert found.word_sum == sum16(b"".join(hashed_ranges(image)))


def test_page_hashes_have_a_row_for_each_page_and_one_for_the_end() -> None:
    image = Image.parse(PeSpec(sections=[(".a", 0x400, 0x1200), (".b", 0x1600, 0x200)]).build())
    table = hash_pages(image, SHA1).table
    rows = [int.from_bytes(table[i : i + 4], "little") for i in range(0, len(table), 24)]
    assert rows == [0, 0x400, 0x1400, 0x1600, 0x1800]
    assert table[-20:] == bytes(20)
    assert table[4 * 24 - 20 : 4 * 24] == SHA1.hash(bytes(image.data[0x1600:0x1800]).ljust(4096, b"\0"))


def test_the_offset_of_a_changed_page_is_returned() -> None:
    data = bytearray(PeSpec(sections=[(".a", 0x400, 0x2200)]).build())
    before = hash_pages(Image.parse(bytes(data)), SHA256)
    data[0x1410] ^= 1
    after = hash_pages(Image.parse(bytes(data)), SHA256)
    assert page_difference(before, after) == 0x1400
    assert page_difference(before, before) is None


def test_page_hashes_are_refused_for_sections_that_are_not_aligned_to_pages() -> None:
    with pytest.raises(ImageError, match="alignment is 128 bytes"):
        hash_pages(Image.parse(PeSpec(section_alignment=128).build()), SHA256)


def test_a_section_alignment_above_the_page_size_does_not_change_page_hashes() -> None:
    spec = PeSpec(sections=[(".a", 0x400, 0x2200)])
    near, far = spec.build(), replace(spec, section_alignment=0x10000).build()
    tables = [hash_pages(Image.parse(data), SHA256).table for data in (near, far)]
    assert tables[0][36:] == tables[1][36:]
    assert len(tables[1]) == 36 * 5


def test_sections_in_another_order_than_the_section_table_have_only_the_first_page_hash() -> None:
    image = Image.parse(PeSpec(sections=[(".text", 0x800, 0x200), (".petite", 0x400, 0x400)]).build())
    assert not has_pages(image)
    assert len(first_page(image, DigestAlgorithm.SHA256)) == 32
    with pytest.raises(ImageError, match="order of page hashes is unknown"):
        hash_pages(image, DigestAlgorithm.SHA256)


def test_page_hashes_are_refused_for_headers_of_more_than_a_page() -> None:
    spec = PeSpec(headers_size=0x1200, sections=[(".a", 0x1200, 0x200)])
    with pytest.raises(ImageError, match="at most one page"):
        hash_pages(Image.parse(spec.build()), SHA256)


@pytest.mark.skipif(not shutil.which("osslsigncode"), reason="osslsigncode is not installed")
@pytest.mark.parametrize("path", corpus_files("drivers/*.sys")[::5], ids=corpus_id)
def test_osslsigncode_computes_the_same_digest(path: Path) -> None:
    image = Image.parse(path.read_bytes())
    output = subprocess.run(["osslsigncode", "verify", "-in", path], capture_output=True, text=True).stdout
    lines = [line.split(":")[1].strip().lower() for line in output.splitlines() if "alculated message digest" in line]
    ours = {digest.hex() for digest in digest_image(image, DigestAlgorithm).values()}
    assert set(lines) <= ours
    assert lines or not image.is_signed

"""Version resource and first page of generated and real images."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from signer.algorithms import DigestAlgorithm
from signer.pe.digest import digest_image, hash_pages
from signer.pe.file_facts import FileFacts, facts_of
from signer.pe.image import Image
from tests.support.files import corpus_files, corpus_id
from tests.support.version_resources import resource


def image(content: bytes) -> Image:
    """Build a PE32+ image with one section that contains `content`."""
    size = len(content) + (-len(content) % 512)
    header = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    coff = struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, 1, 0, 0, 0, 240, 0x22)
    optional = struct.pack("<HBBIIIII", 0x20B, 14, 0, 0, size, 0, 0x1000, 0x1000)
    optional += struct.pack("<QII", 0x140000000, 0x1000, 512) + struct.pack("<HHHHHH", 6, 0, 0, 0, 6, 0)
    optional += struct.pack("<IIIIHH", 0, 0x1000 + (size + 0xFFF & ~0xFFF), 512, 0, 1, 0)
    optional += struct.pack("<QQQQII", 0x100000, 0x1000, 0x100000, 0x1000, 0, 16) + bytes(128)
    section = struct.pack("<8sIIIIIIHHI", b".rsrc", len(content), 0x1000, size, 512, 0, 0, 0, 0, 0x40000040)
    data = (header + coff + optional + section).ljust(512, b"\0") + content.ljust(size, b"\0")
    return Image.parse(data)


def test_names_version_first_page_and_digests() -> None:
    found = image(b"before" * 3 + b"\0\0" + resource((10, 0, 22621, 65535), OriginalFilename="ä.sys", ProductName=""))
    facts = facts_of(found)
    assert facts.strings == {"OriginalFilename": "ä.sys", "ProductName": ""}
    assert facts.version == (10, 0, 22621, 65535)
    assert facts.first_page[DigestAlgorithm.SHA1] == hash_pages(found, DigestAlgorithm.SHA1).table[4:24]
    assert facts.digests == digest_image(found, (DigestAlgorithm.SHA1, DigestAlgorithm.SHA256))


def test_an_image_without_a_version_resource() -> None:
    facts = facts_of(image(b"nothing here"))
    assert (facts.strings, facts.version) == ({}, None)


def test_two_version_resources_are_ambiguous() -> None:
    facts = facts_of(image(resource((1, 0, 0, 0), InternalName="a") + resource((2, 0, 0, 0), InternalName="b")))
    assert (facts.strings, facts.version) == (None, None)
    assert len(facts.digests) == 2


@pytest.mark.parametrize("cut", range(0, 400, 7))
def test_reading_stops_at_damage_in_a_resource(cut: int) -> None:
    whole = resource((1, 2, 3, 4), OriginalFilename="sample.sys", InternalName="sample", ProductName="Sample")
    for damaged in (whole[: max(cut, 40)], whole[:cut] + b"\xff\xff\xff\xff" + whole[cut + 4 :]):
        assert isinstance(facts_of(image(damaged)), FileFacts)


@pytest.mark.parametrize("path", corpus_files("drivers/*.sys")[::5], ids=corpus_id)
def test_real_drivers(path: Path) -> None:
    facts = facts_of(Image.parse(path.read_bytes()))
    assert set(facts.digests) == {DigestAlgorithm.SHA1, DigestAlgorithm.SHA256}
    if facts.strings:
        assert facts.version is not None
        assert all(name.isprintable() and name for name in facts.strings)

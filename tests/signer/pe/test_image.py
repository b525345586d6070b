"""Valid images are parsed; ambiguous and malformed ones are refused with a message that names the problem."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import pefile
import pytest

from signer.algorithms import DigestAlgorithm
from signer.errors import ImageError
from signer.pe import image
from signer.pe.digest import hash_pages, hashed_ranges
from signer.pe.image import Image
from tests.support.files import corpus_files, corpus_id
from tests.support.images import MACHINES, PeSpec
from tests.support.patience import PATIENCE


@dataclass(frozen=True)
class Refused:
    """An image that is refused."""

    id: str
    spec: PeSpec
    message: str


CASES = [
    Refused("sections-overlap", PeSpec(sections=[(".a", 0x400, 0x400), (".b", 0x600, 0x200)]), "overlaps"),
    Refused("section-in-section-table", PeSpec(sections=[(".a", 0x1A8, 0x200)]), "overlaps the headers"),
    Refused("table-in-headers", PeSpec(headers_size=0x400, sections=[], table=(0x200, 0x200)), "overlaps the headers"),
    Refused("no-security-directory", PeSpec(directories=4), "4 data directories"),
    Refused("no-directories", PeSpec(directories=0), "0 data directories"),
    Refused("table-in-section", PeSpec(table=(0x500, 0x100)), "overlaps the headers or a section"),
    Refused("table-unaligned", PeSpec(overlay=bytes(64), table=(0x604, 0x3C)), "multiple of 8"),
    Refused("table-beyond-end", PeSpec(overlay=bytes(64), table=(0x600, 0x80)), "beyond the end"),
    Refused("bytes-after-table", PeSpec(overlay=bytes(64), table=(0x600, 0x20)), "is followed by 32 bytes"),
    Refused("headers-beyond-end", PeSpec(sections=[]), "SizeOfHeaders"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_malformed_images_are_refused(case: Refused) -> None:
    data = case.spec.build()
    if case.id == "headers-beyond-end":
        data = data[:0x300]
    with pytest.raises(ImageError, match=case.message):
        Image.parse(data)


@pytest.mark.parametrize("machine", MACHINES)
def test_images_of_every_machine_are_parsed(machine: str) -> None:
    image = Image.parse(PeSpec(machine=machine).build())
    assert image.architecture == machine
    assert [(s.name, s.offset, s.size) for s in image.sections] == [(".text", 0x400, 0x200)]
    assert not image.is_signed


@pytest.mark.parametrize("magic", [0, 0x107, 0xFFFF], ids=["zero", "ROM image", "garbage"])
def test_an_unknown_optional_header_magic_is_refused(magic: int) -> None:
    data = bytearray(PeSpec().build())
    data[0x98:0x9A] = magic.to_bytes(2, "little")
    with pytest.raises(ImageError, match=r"neither PE32 nor PE32\+|not a PE image"):
        Image.parse(bytes(data))


def test_a_section_that_extends_beyond_the_file_is_refused() -> None:
    with pytest.raises(ImageError, match="beyond the end"):
        Image.parse(PeSpec().build()[:-1])


def test_size_of_headers_can_extend_into_a_section() -> None:
    """UPX writes SizeOfHeaders 0x1000 and its first section at 0x400; Windows hashes the file from front to back."""
    data = PeSpec(headers_size=0x1000, sections=[("UPX1", 0x400, 0x1200)]).build()
    image = Image.parse(data)
    assert b"".join(hashed_ranges(image)) == b"".join(
        (
            data[: image.checksum_offset],
            data[image.checksum_offset + 4 : image.directory_offset],
            data[image.directory_offset + 8 :],
        )
    )
    with pytest.raises(ImageError, match="within SizeOfHeaders"):
        hash_pages(image, DigestAlgorithm.SHA256)


def test_sections_without_bytes_in_the_file_are_ignored() -> None:
    spec = PeSpec(sections=[(".text", 0x400, 0x200), (".bss", 0, 0)])
    assert [s.name for s in Image.parse(spec.build()).sections] == [".text"]


def test_the_digest_covers_an_overlay() -> None:
    image = Image.parse(replace(PeSpec(), overlay=b"overlay").build())
    assert image.content_end == 0x600 + 7


@pytest.mark.parametrize("data", [b"", b"MZ", b"MZ" + bytes(100), bytes(100), b"MZ" + b"\xff" * 200])
def test_a_file_that_is_not_an_image_is_refused(data: bytes) -> None:
    with pytest.raises(ImageError, match="not a PE image"):
        Image.parse(data)


@pytest.mark.parametrize("length", range(0, 0x200, 7))
def test_a_truncated_image_raises_an_image_error(length: int) -> None:
    with pytest.raises(ImageError):
        Image.parse(PeSpec().build()[:length])


@pytest.mark.parametrize("path", corpus_files("drivers/*.sys"), ids=corpus_id)
def test_real_drivers_are_parsed(path: Path) -> None:
    data = path.read_bytes()
    image = Image.parse(data)
    assert image.content_end <= len(data)
    assert image.sections


def test_a_malformed_image_collects_no_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    """pefile's own way of closing an image runs a full collection, which takes 20 to 70 ms."""
    collected: list[str] = []
    monkeypatch.setattr(gc, "collect", lambda: collected.append("all"))
    with pytest.raises(ImageError):
        Image.parse(memoryview(b"MZ" + bytes(200)))
    assert collected == []


def test_the_flags_of_sections_are_attributes_only_in_the_pefile_of_others() -> None:
    """Setting them takes half of the time of parsing. A program that imports pefile too is to find them."""
    data = PeSpec().build()
    own, others = image._reader()(data=data, fast_load=True), pefile.PE(data=data, fast_load=True)
    assert not hasattr(own.sections[0], "IMAGE_SCN_CNT_CODE")
    assert others.sections[0].IMAGE_SCN_CNT_CODE
    assert own.sections[0].Characteristics == others.sections[0].Characteristics
    assert own.FILE_HEADER.dump_dict() == others.FILE_HEADER.dump_dict()


def test_threads_that_begin_at_once_refuse_malformed_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them can load a pefile, whose exception is another class."""
    both = threading.Barrier(2, timeout=PATIENCE)
    monkeypatch.setattr(image, "find_spec", lambda name: both.wait() in (0, 1) and find_spec(name))
    image._reader.cache_clear()
    with ThreadPoolExecutor(2) as pool:
        refused = [pool.submit(Image.parse, memoryview(b"MZ" + bytes(200))) for _ in range(2)]
    image._reader.cache_clear()
    assert [type(one.exception()) for one in refused] == [ImageError, ImageError]


def test_a_writable_and_executable_section_named_page_is_parsed() -> None:
    """pefile reads the imports of such an image while it reads its sections, and fails."""
    data = bytearray(PeSpec(sections=[(".text", 0x400, 0x200), ("PAGE", 0x600, 0x200)]).build())
    flags, imports = data.index(b"PAGE") + 36, 0x98 + 112 + 8
    data[flags : flags + 4] = (0xE0000020).to_bytes(4, "little")
    data[imports : imports + 8] = (0x1000).to_bytes(4, "little") * 2
    with pytest.raises(AttributeError):
        pefile.PE(data=bytes(data), fast_load=True)
    assert image._unusual_headers(memoryview(data)).section_table[1].flags == 0xE0000020

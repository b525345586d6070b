"""The rows of the table: what each format's signatures can have, how Windows uses its files, and how it is detected."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from signer.errors import FileError, SigningError
from signer.formats import detect, table
from signer.formats.table import CABINET, CATALOG, IMAGE, Features, FormatRow, Traits
from signer.pe.image import Image
from signer.storage import streams
from tests.support.images import PeSpec
from tests.support.signed_samples import signed

NAMED_BY_PATH = b"MZ" + bytes(0x3A) + (0x40).to_bytes(4, "little")
CATALOG_HEAD = bytes.fromhex("3082010006092a864886f70d010702a08200f0")
TRUST_LIST = bytes.fromhex("06092b0601040182370a01")


@pytest.mark.parametrize(
    ("row", "features", "traits", "is_content", "shares_suffixes"),
    [
        (IMAGE, Features(True, True, True), Traits(True, False), False, False),
        (CATALOG, Features(False, False, False), Traits(False, True), True, False),
        (CABINET, Features(True, False, False), Traits(False, False), False, True),
    ],
    ids=["image", "catalog", "cabinet"],
)
def test_a_row_states_what_its_signatures_can_have_and_how_windows_uses_its_files(
    row: FormatRow, features: Features, traits: Traits, is_content: bool, shares_suffixes: bool
) -> None:
    found = (row.features, row.traits, row.is_content, row.shares_suffixes)
    assert found == (features, traits, is_content, shares_suffixes)


def test_only_images_have_slow_preparations() -> None:
    assert [row.name for row in table.TABLE if row.prepare is not None] == ["image"]


def test_each_adapter_and_subject_is_the_one_of_its_row() -> None:
    adapters = [row.load().__name__ for row in table.TABLE]
    subjects = [row.load_subject().__name__ for row in table.TABLE if row.load_subject]
    assert adapters == ["ImageFormat", "CatalogFormat", "CabinetFormat"]
    assert subjects == ["ImageSubject", "CabinetSubject"]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (NAMED_BY_PATH + b"PE\0\0", "image"),
        (NAMED_BY_PATH + b"PE\0", None),
        (NAMED_BY_PATH + b"PE\0\1", None),
        (b"ZM" + NAMED_BY_PATH[2:] + b"PE\0\0", None),
        ((b"MZ" + bytes(2) + b"PE\0\0").ljust(0x3C, b"\0") + b"\4\0\0", None),
        (b"MSCF" + bytes(32), "cabinet"),
        (b"MSCE" + bytes(32), None),
        (b"\0MSCF" + bytes(32), None),
        (CATALOG_HEAD + TRUST_LIST, "catalog"),
        (b"\x31" + CATALOG_HEAD[1:] + TRUST_LIST, None),
        (CATALOG_HEAD + bytes(256 - len(CATALOG_HEAD) - len(TRUST_LIST)) + TRUST_LIST, "catalog"),
        (CATALOG_HEAD + bytes(257 - len(CATALOG_HEAD) - len(TRUST_LIST)) + TRUST_LIST, None),
        (b"\x30" + bytes(20) + CATALOG_HEAD[4:15] + TRUST_LIST, "catalog"),
        (b"\x30" + bytes(21) + CATALOG_HEAD[4:15] + TRUST_LIST, None),
    ],
    ids=[
        "pe",
        "pe-signature-cut-short",
        "other-pe-signature",
        "letters-swapped",
        "dos-header-of-63-bytes",
        "cabinet",
        "other-letters",
        "cabinet-not-at-the-start",
        "catalog",
        "set-for-sequence",
        "trust-list-at-the-end-of-256-bytes",
        "trust-list-after-256-bytes",
        "signed-data-at-the-end-of-32-bytes",
        "signed-data-after-32-bytes",
    ],
)
def test_a_format_is_told_by_the_bytes_at_their_places(data: bytes, name: str | None) -> None:
    row = detect.detect(data)
    assert (row.name if row else None) == name


@pytest.mark.parametrize(
    ("data", "unsigned"),
    [
        (PeSpec().build(), True),
        (PeSpec(machine="x86").build(), True),
        (PeSpec(table=(8, 0)).build(), False),
        (PeSpec(table=(0, 1)).build(), False),
        (PeSpec(machine="x86", table=(8, 0)).build(), False),
        (PeSpec(machine="x86", table=(0, 1 << 31)).build(), False),
        (PeSpec().build().replace(b"\x0b\x02", b"\x0c\x02", 1), False),
        (PeSpec().build()[:0x90], False),
        (b"MSCF" + bytes(32), False),
        (b"text", False),
    ],
    ids=[
        "pe32-plus",
        "pe32",
        "an-offset",
        "a-size",
        "pe32-with-an-offset",
        "pe32-with-a-size",
        "unknown-optional-header",
        "cut-short",
        "cabinet",
        "text",
    ],
)
def test_only_an_image_without_a_certificate_table_is_plainly_unsigned(
    tmp_path: Path, data: bytes, unsigned: bool
) -> None:
    (tmp_path / "a").write_bytes(data)
    assert (detect.plain_signatures(tmp_path / "a") == ()) is unsigned


def test_the_signature_of_a_plain_table_is_the_one_that_the_parser_finds(tmp_path: Path) -> None:
    path, image = tmp_path / "a", PeSpec().build()
    one = signed(image)
    for data in (one, signed(image, page_hashes=True)):
        path.write_bytes(data)
        assert list(detect.plain_signatures(path) or ()) == detect.opened(data)[1].signatures() != []
    offset = struct.unpack_from("<I", one, Image.parse(one).directory_offset)[0]
    for where, byte in ((offset, one[offset] ^ 8), (offset + 4, 1), (offset + 6, 1), (offset + 9, 0x81)):
        path.write_bytes(one[:where] + bytes([byte]) + one[where + 1 :])
        assert detect.plain_signatures(path) is None, where - offset
    path.write_bytes(one[:-1])
    assert detect.plain_signatures(path) is None


@pytest.mark.parametrize("size", [4095, 4096, 4097], ids=["short", "one-read", "long"])
@pytest.mark.parametrize("place", [4090, 4091, 4092, 4093], ids=["before", "at-the-end", "across", "after"])
def test_a_header_at_the_end_of_the_first_read_is_read_whole(tmp_path: Path, size: int, place: int) -> None:
    data = (b"MZ" + bytes(0x3A) + place.to_bytes(4, "little")).ljust(place, b"\0") + b"PE\0\0" + bytes(20)
    (tmp_path / "a").write_bytes(data[:size])
    row = detect.detect_file(tmp_path / "a")
    assert (row.name if row else None) == ("image" if place + 4 <= size else None)


def test_standard_input_is_told_by_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"MZ" + bytes(0x3A) + (0x2000).to_bytes(4, "little") + bytes(0x2000 - 0x40) + b"PE\0\0"
    monkeypatch.setattr(streams, "standard_input", lambda: data)
    row = detect.detect_file(streams.STANDARD)
    assert row is not None and row.name == "image"


def test_a_file_that_can_not_be_read_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        detect.detect_file(tmp_path / "none.sys")
    assert caught.value.path == tmp_path / "none.sys"


def test_bytes_are_opened_with_the_adapter_of_their_format_or_refused() -> None:
    row, file = detect.opened(PeSpec().build())
    assert (row, type(file).__name__) == (IMAGE, "ImageFormat")
    with pytest.raises(SigningError, match="not a PE image, a catalog or a cabinet"):
        detect.opened(b"text")


@pytest.mark.parametrize(("data", "signable"), [(PeSpec().build(), True), (b"text", False)], ids=["image", "text"])
def test_a_file_of_a_format_is_signable(tmp_path: Path, data: bytes, signable: bool) -> None:
    (tmp_path / "a").write_bytes(data)
    assert detect.is_signable(tmp_path / "a") is signable


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (detect.names(), "images, catalogs or cabinets"),
        (detect.names(lambda row: row.features.append, last="and"), "images and cabinets"),
        (detect.names(lambda row: row.features.dual), "images"),
        (detect.names(lambda row: row.features.dual, also=["packages"]), "images or packages"),
        (detect.titles(), "a PE image, a catalog or a cabinet"),
    ],
    ids=["all", "two", "one", "with-another", "titles"],
)
def test_formats_are_listed_in_plain_english(found: str, text: str) -> None:
    assert found == text


@pytest.mark.parametrize(("name", "row"), [("catalog", CATALOG), ("cabinet", CABINET), ("file", None)])
def test_a_format_is_found_by_its_name(name: str, row: FormatRow | None) -> None:
    assert detect.named(name) is row

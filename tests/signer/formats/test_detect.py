"""The table of formats: what a file is, from its bytes, from a path, and from its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.errors import SignerError
from signer.formats.detect import by_suffix, detect, detect_file, expected, is_signed, kind_of
from tests.support.files import corpus_files
from tests.support.images import PeSpec

PE = b"MZ" + bytes(0x3A) + (0x40).to_bytes(4, "little") + b"PE\0\0"
FAR_PE = b"MZ" + bytes(0x3A) + (0x2000).to_bytes(4, "little") + bytes(0x2000 - 0x40) + b"PE\0\0"
CATALOG = bytes.fromhex("3082010006092a864886f70d010702a08200f0") + bytes(40) + bytes.fromhex("06092b0601040182370a01")

FILES = {
    "pe": (PE, "x.sys", "image"),
    "pe-header-behind-the-first-read": (FAR_PE, "x.sys", "image"),
    "pe-header-beyond-the-end": (FAR_PE[:-1], "x.txt", "file"),
    "dos-program": (b"MZ" + bytes(100), "command.com", "file"),
    "dos-header-cut-short": (PE[:0x3F], "x.bin", "file"),
    "cabinet": (b"MSCF" + bytes(32), "x.cab", "cabinet"),
    "cabinet-header-cut-short": (b"MSCF" + bytes(31), "x.bin", "file"),
    "catalog": (CATALOG, "x.cat", "catalog"),
    "signed-data-over-something-else": (CATALOG.replace(b"\x37\x0a\x01", b"\x37\x02\x01"), "x.p7", "file"),
    "not-a-catalog": (b"\x30\x82\x01\x00junk", "x.cat", "file"),
    "inf": (b"[Version]", "x.INF", "inf"),
    "inx": (b"[Version]", "x.inx", "inf"),
    "empty": (b"", "empty.sys", "file"),
    "suffix-that-lies": (PE, "x.cab", "image"),
}


@pytest.mark.parametrize(("data", "name", "kind"), FILES.values(), ids=FILES)
def test_the_kind_of_a_file_comes_from_its_bytes(tmp_path: Path, data: bytes, name: str, kind: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert kind_of(path) == kind


@pytest.mark.parametrize(("data", "name"), [(data, name) for data, name, _ in FILES.values()], ids=FILES)
def test_a_path_and_its_bytes_have_one_format(tmp_path: Path, data: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert detect_file(path) is detect(data) is detect(memoryview(data))


@pytest.mark.parametrize(
    ("name", "format_name"),
    [("a.SYS", "image"), ("a.dll", "image"), ("a.cat", "catalog"), ("a.cab", "cabinet"), ("a.inf", None), ("a", None)],
)
def test_a_suffix_promises_a_format(name: str, format_name: str | None) -> None:
    row = by_suffix(Path(name))
    assert (row.name if row else None) == format_name


@pytest.mark.parametrize(
    ("data", "name", "read_as"),
    [
        (b"text", "a.sys", "image"),
        (b"text", "a.cat", "catalog"),
        (b"ISc(", "data1.cab", None),  # an InstallShield archive
        (b"text", "a.txt", None),
        (PeSpec().build(), "a.txt", "image"),
        (PeSpec().build(), "a.cat", "image"),
    ],
    ids=["text.sys", "text.cat", "installshield", "text", "image-by-another-name", "image-called-cat"],
)
def test_a_file_is_read_as_its_bytes_say_and_else_as_its_suffix_promises(
    tmp_path: Path, data: bytes, name: str, read_as: str | None
) -> None:
    (tmp_path / name).write_bytes(data)
    row = expected(tmp_path / name)
    assert (row.name if row else None) == read_as


def test_every_driver_and_catalog_of_the_corpus_is_recognized(corpus):
    for pattern, kind in (("drivers/*.sys", "image"), ("catalogs/*.cat", "catalog")):
        assert {path.name: kind_of(path) for path in corpus_files(pattern) if kind_of(path) != kind} == {}


WITH_TABLE = PeSpec(overlay=bytes(16), table=(0x600, 16)).build()


@pytest.mark.parametrize(
    ("data", "signed"),
    [
        pytest.param(WITH_TABLE, True, id="an image with a certificate table"),
        pytest.param(PeSpec().build(), False, id="an image without one"),
        pytest.param(PE, False, id="an image that is cut short"),
        pytest.param(b"text", False, id="another file"),
    ],
)
def test_whether_a_file_is_signed(tmp_path: Path, data: bytes, *, signed: bool) -> None:
    (tmp_path / "x.sys").write_bytes(data)
    assert is_signed(tmp_path / "x.sys") is signed


def test_no_signature_is_sought_in_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_signed(tmp_path) and not is_signed(tmp_path / "missing.sys")
    (tmp_path / "x.sys").write_bytes(WITH_TABLE)
    monkeypatch.setattr("signer.formats.detect.is_stream", lambda path: True)
    assert not is_signed(tmp_path / "x.sys")


@pytest.mark.parametrize("error", [OSError("the disk is gone"), SignerError("it is another format")], ids=repr)
def test_a_file_that_can_not_be_read_has_no_signature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(path: Path) -> None:
        raise error

    (tmp_path / "x.sys").write_bytes(WITH_TABLE)
    monkeypatch.setattr("signer.formats.detect.mapped", fail)
    assert not is_signed(tmp_path / "x.sys")

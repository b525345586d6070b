"""Cabinets that drvsign creates are read back, and checked with cabextract, gcab, 7z and libarchive if installed."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import struct
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.cab.data import PIECE, checksum
from signer.cab.read import Listing
from signer.cab.write import NewFile, write
from signer.errors import MalformedInput, SigningError
from signer.operations.sign import sign_file
from signer.pkcs7.signed_data import SigningOptions
from tests.support.cabinets import cabinet
from tests.support.identities import identity

TIME = datetime(2024, 5, 1, 12, 30, 14, tzinfo=UTC)
NOISE = random.Random(7).randbytes(3 * PIECE + 17)
TEXT = b"".join(b"line %d of a file that packs well\r\n" % number for number in range(9000))


def files(contents: dict[str, bytes]) -> list[NewFile]:
    return [NewFile(name, data, TIME) for name, data in contents.items()]


CASES = {
    "one-file": {"Echo\\echo.inf": b"[Version]\r\n"},
    "two-packages": {"A\\a.inf": b"a", "A\\x64\\a.sys": NOISE, "B\\b.inf": b"b", "B\\b.pdb": TEXT},
    "an-empty-file-among-others": {"A\\empty.txt": b"", "A\\a.inf": b"a"},
    "exactly-one-block": {"A\\a.bin": bytes(PIECE)},
    "one-byte-more-than-a-block": {"A\\a.bin": bytes(PIECE + 1)},
    "incompressible": {"A\\a.bin": NOISE},
    "references-to-the-previous-block": {"A\\a.bin": NOISE[:20000] * 4},
    "a-name-in-utf-8": {"A\\Größe-ß.inf": b"x"},
}


def read(data: bytes) -> dict[str, bytes]:
    return {file.name: content for file, content in Listing.parse(data).contents()}


@pytest.mark.parametrize("contents", CASES.values(), ids=CASES)
def test_written_files_are_read_back(contents: dict[str, bytes]) -> None:
    data = write(files(contents))
    assert read(data) == contents
    listing = Listing.parse(data)
    assert {file.time for file in listing.files} == {TIME}
    assert {folder.compression for folder in listing.folders} == {"MSZIP"}


@pytest.mark.parametrize("contents", CASES.values(), ids=CASES)
@pytest.mark.parametrize(
    "tool",
    [("cabextract", "-t"), ("gcab", "-t"), ("7z", "t"), ("bsdtar", "-tf")],
    ids=lambda tool: tool[0] if isinstance(tool, tuple) else None,
)
def test_other_programs_accept_the_cabinet(contents: dict[str, bytes], tool: tuple[str, str], tmp_path: Path) -> None:
    program = shutil.which(tool[0])
    if program is None:
        pytest.skip(f"{tool[0]} is not installed")
    path = tmp_path / "x.cab"
    path.write_bytes(write(files(contents)))
    subprocess.run([program, tool[1], str(path)], check=True, capture_output=True)


def test_other_programs_unpack_the_same_bytes(tmp_path: Path) -> None:
    program = shutil.which("cabextract")
    if program is None:
        pytest.skip("cabextract is not installed")
    contents = CASES["two-packages"] | CASES["references-to-the-previous-block"]
    signed = sign_file(write(files(contents)), identity(), SigningOptions()).changes.patches[0][1]
    (tmp_path / "x.cab").write_bytes(signed)
    subprocess.run([program, "-q", "-d", str(tmp_path), str(tmp_path / "x.cab")], check=True, capture_output=True)
    for name, data in contents.items():
        assert (tmp_path / name.replace("\\", os.sep)).read_bytes() == data
    assert read(signed) == contents


def test_blocks_have_the_maximum_size_and_use_the_previous_block_as_dictionary() -> None:
    twice = write(files({"A\\a.bin": NOISE[:PIECE] + NOISE[PIECE // 2 : PIECE]}))
    assert len(twice) < PIECE + 700, "the second block repeats the end of the first"
    offset, count = struct.unpack_from("<IH", twice, 36)
    assert count == 2
    packed, size = struct.unpack_from("<HH", twice, offset + 4)
    assert size == PIECE
    assert packed <= PIECE + 12, "the maximum of MSZIP"


def test_each_package_is_one_folder_of_the_cabinet() -> None:
    listing = Listing.parse(write(files(CASES["two-packages"])))
    assert [(file.name, file.folder) for file in listing.files] == [
        ("A\\a.inf", 0),
        ("A\\x64\\a.sys", 0),
        ("B\\b.inf", 1),
        ("B\\b.pdb", 1),
    ]


def test_the_output_is_reproducible() -> None:
    assert write(files(CASES["two-packages"])) == write(files(CASES["two-packages"]))


@pytest.mark.parametrize(
    ("time", "written"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), datetime(1980, 1, 1, tzinfo=UTC)),
        (datetime(2200, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC)),
        (datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC), datetime(2024, 2, 29, 23, 59, 58, tzinfo=UTC)),
    ],
    ids=["too-early", "too-late", "odd-second"],
)
def test_times_outside_of_the_range_or_precision_of_a_cabinet_are_adjusted(time: datetime, written: datetime) -> None:
    (file,) = Listing.parse(write([NewFile("A\\a", b"x", time)])).files
    assert file.time == written


@pytest.mark.parametrize("name", ["A\\" + "n" * 254, "", "A\\a\0b"], ids=["too-long", "empty", "with-a-nul"])
def test_names_that_a_cabinet_can_not_contain_are_refused(name: str) -> None:
    with pytest.raises(SigningError):
        write([NewFile(name, b"x", TIME)])


@given(st.binary(max_size=200), st.integers(0, 0xFFFFFFFF))
def test_the_checksum_matches_a_simple_implementation_of_the_specification(data: bytes, seed: int) -> None:
    expected, whole = seed, len(data) // 4 * 4
    for place in range(0, whole, 4):
        expected ^= int.from_bytes(data[place : place + 4], "little")
    assert checksum(data, seed) == expected ^ int.from_bytes(data[whole:], "big")


GOOD = write(files({"A\\a.inf": b"a" * 300, "A\\x64\\a.sys": NOISE[:900], "B\\b.inf": b"b"}))


def changed(place: int, form: str, value: int) -> bytes:
    data = bytearray(GOOD)
    struct.pack_into(form, data, place, value)
    return bytes(data)


BAD = {
    "number-of-folders": changed(26, "<H", 60000),
    "number-of-files": changed(28, "<H", 60000),
    "offset-of-the-files": changed(16, "<I", len(GOOD) - 3),
    "offset-of-the-data": changed(36, "<I", len(GOOD) - 3),
    "number-of-blocks": changed(40, "<H", 60000),
    "compression": changed(42, "<H", 3),
    "part-of-a-set": changed(30, "<H", 1),
    "size": changed(8, "<I", len(GOOD) + 1),
    "a-file's-folder": changed(52 + 8, "<H", 9),
    "a-file's-size": changed(52, "<I", 0x7FFFFFFF),
    "a-byte-of-the-data": changed(len(GOOD) - 9, "<B", GOOD[-9] ^ 1),
    "truncated": GOOD[:-20],
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD)
def test_a_malformed_cabinet_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedInput):
        read(data)


@settings(max_examples=300)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_changed_byte_raises_no_other_error(place: int, value: int) -> None:
    data = bytearray(GOOD)
    data[place] = value
    with contextlib.suppress(MalformedInput):
        read(bytes(data))


def test_stored_cabinets_are_read() -> None:
    contents = {"a.inf": b"[Version]", "b.sys": bytes(range(256)) * 4}
    assert read(cabinet(contents, folders=2)) == contents
    assert {folder.compression for folder in Listing.parse(cabinet(contents)).folders} == {"none"}


def test_a_decompression_bomb_is_refused() -> None:
    data = bytearray(GOOD)
    many = struct.pack("<IHH", 0, 0xFFFF, 1) * 3
    struct.pack_into("<I", data, 16, struct.unpack_from("<I", data, 16)[0] + len(many))
    struct.pack_into("<H", data, 26, 5)
    whole = bytes(data[:36]) + many + bytes(data[36:])
    whole = whole[:8] + struct.pack("<I", len(whole)) + whole[12:]
    with pytest.raises(MalformedInput, match="the limit is 67,108,864"):
        read(whole)

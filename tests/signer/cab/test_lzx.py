"""LZX: libarchive decompresses it in a process of its own, within the limits of cabinets."""

from __future__ import annotations

import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from signer.cab import lzx
from signer.cab.read import Listing
from signer.errors import FileError, MalformedInput
from signer.helper_program import started
from tests.support.lzx_cabinets import FRAME, lzx_cabinet

pytestmark = pytest.mark.skipif(not lzx.is_available(), reason="archi is not installed")


def code(size: int, seed: int = 1) -> bytes:
    """Return bytes with repetitions near and far, and x86 calls."""
    rng = random.Random(seed)
    data = bytearray()
    while len(data) < size:
        data += rng.choice(
            [
                bytes(rng.randrange(256) for _ in range(20)),
                b"\xe8" + struct.pack("<i", rng.randrange(-len(data) - 1, 50_000)),
                bytes(data[(start := rng.randrange(len(data) + 1)) : start + rng.randrange(300)]),
            ]
        )
    return bytes(data[:size])


CONTENTS: dict[str, tuple[dict[str, bytes], int, int]] = {
    "one byte": ({"a": b"x"}, 15, 0),
    "one block": ({"a": code(5000)}, 15, 0),
    "exactly two blocks": ({"a": code(2 * FRAME)}, 16, 0),
    "files across blocks, the smallest window": ({"a": code(30_000), "b": code(40_000, 2)}, 15, 0),
    "the largest window": ({"a": code(70_000)}, 21, 0),
    "translated calls": ({"a": code(40_000)}, 17, 12_000_000),
    "files without bytes": ({"a": b"", "b": b"bb", "c": b""}, 15, 0),
    "files without bytes alone": ({"a": b""}, 15, 0),
}


@pytest.mark.parametrize(("files", "window", "translation"), CONTENTS.values(), ids=CONTENTS.keys())
def test_files_are_those_that_were_compressed(files: dict[str, bytes], window: int, translation: int) -> None:
    found = Listing.parse(lzx_cabinet(files, window, translation)).contents()
    assert {file.name: data for file, data in found} == files


@pytest.mark.skipif(shutil.which("cabextract") is None, reason="cabextract is not installed")
def test_cabextract_reads_the_cabinets_of_these_tests(tmp_path: Path) -> None:
    """The compressor of the tests and libarchive could share a mistake."""
    data = code(40_000)
    (tmp_path / "x.cab").write_bytes(lzx_cabinet({"a": data}, 17, 12_000_000))
    subprocess.run(["cabextract", "-q", "-d", tmp_path / "out", tmp_path / "x.cab"], check=True)
    assert (tmp_path / "out" / "a").read_bytes() == data


def damaged(place: int, value: bytes) -> bytes:
    """Return a cabinet with other bytes at a place of its first block, without a checksum."""
    cabinet = bytearray(lzx_cabinet({"a": code(5000)}))
    (start,) = struct.unpack_from("<I", cabinet, 36)
    struct.pack_into("<I", cabinet, start, 0)
    cabinet[start + 8 + place : start + 8 + place + len(value)] = value
    return bytes(cabinet)


DAMAGED = {
    "a block of an unknown type": damaged(0, b"\xff\xff"),
    "trees that are no trees": damaged(4, bytes(40)),
    "a block that ends early": damaged(2, b"\x00\x00"),
}


@pytest.mark.parametrize("cabinet", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_data_is_an_error_with_its_offset(cabinet: bytes) -> None:
    with pytest.raises(MalformedInput, match="the LZX data of the cabinet can't be decompressed") as caught:
        list(Listing.parse(cabinet).contents())
    assert caught.value.offset == struct.unpack_from("<I", cabinet, 36)[0]


@pytest.mark.parametrize("window", [0, 14, 22, 31])
def test_a_window_that_lzx_does_not_have_is_refused(window: int) -> None:
    cabinet = bytearray(lzx_cabinet({"a": b"aaaa"}))
    struct.pack_into("<H", cabinet, 42, 3 | window << 8)
    with pytest.raises(MalformedInput, match=rf"has 2\^{window} bytes; LZX allows 2\^15 to 2\^21"):
        list(Listing.parse(bytes(cabinet)).contents())


def test_a_cabinet_that_would_expand_beyond_the_limit_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    cabinet = bytearray(lzx_cabinet({"a": bytes(FRAME)}))
    struct.pack_into("<H", cabinet, 40, 0xFFFF)
    monkeypatch.setattr(lzx, "started", None)
    with pytest.raises(MalformedInput, match="the cabinet would decompress to 2,147,450,880 bytes"):
        list(Listing.parse(bytes(cabinet)).contents())


def test_all_folders_share_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    processes = []
    monkeypatch.setattr(lzx, "started", lambda program: processes.append(program) or started(program))
    blocks = [Listing.parse(lzx_cabinet({"a": code(size)})) for size in (100, FRAME + 5, 3)]
    folders = [lzx.PackedFolder(15, 0, one.sized_blocks(one.folders[0])) for one in blocks]
    empty = lzx.PackedFolder(15, 0, ())
    assert [bytes(one.data) for one in lzx.decompressed([empty, *folders])] == [
        b"",
        code(100),
        code(FRAME + 5),
        code(3),
    ]
    assert len(processes) == 1


def folder_of(cabinet: bytes) -> lzx.PackedFolder:
    listing = Listing.parse(cabinet)
    return lzx.PackedFolder(15, 0, listing.sized_blocks(listing.folders[0]))


def test_folders_after_a_damaged_one_are_decompressed() -> None:
    bad, good = folder_of(DAMAGED["a block of an unknown type"]), folder_of(lzx_cabinet({"a": code(100)}))
    found = list(lzx.decompressed([good, bad, good, bad, good]))
    assert [bytes(one.data) for one in found if one.damage is None] == [code(100)] * 3
    assert [one.damage is None for one in found] == [True, False, True, False, True]


def test_processes_for_damaged_folders_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    processes = []
    monkeypatch.setattr(lzx, "started", lambda program: processes.append(program) or started(program))
    bad, good = folder_of(DAMAGED["a block of an unknown type"]), folder_of(lzx_cabinet({"a": code(100)}))
    found = list(lzx.decompressed([*[bad] * lzx.MAX_DAMAGED, good]))
    assert len(processes) == lzx.MAX_DAMAGED
    assert found[-1].damage is not None
    assert len(found) == lzx.MAX_DAMAGED + 1


def test_a_process_that_crashes_is_an_error_of_the_cabinet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "crash.py"
    program.write_text("import os\nos.abort()\n")
    monkeypatch.setattr(lzx, "_PROGRAM", program)
    with pytest.raises(MalformedInput, match="can't be decompressed"):
        list(Listing.parse(lzx_cabinet({"a": code(200_000)})).contents())


def test_without_the_library_the_error_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lzx, "is_available", lambda: False)
    with pytest.raises(FileError, match="requires the library archi") as caught:
        list(Listing.parse(lzx_cabinet({"a": b"x"})).contents())
    assert "pip install 'drvsign[archives]'" in (caught.value.hint or "")
    assert "cabextract" in (caught.value.hint or "")


def test_folders_without_a_wanted_file_are_not_decompressed() -> None:
    cabinet = DAMAGED["a block of an unknown type"]
    assert list(Listing.parse(cabinet).contents(lambda name: name != "a")) == []

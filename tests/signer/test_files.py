"""One file replaced as a whole, or left as it was."""

from __future__ import annotations

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from signer.cli.text import text_of
from signer.errors import FileError, ImageError
from signer.files import PatchSet, change_atomically, patch_atomically, write_atomically
from signer.transaction import together
from tests.support import Found, patched

LONGEST = 255
LARGE = (1 << 20) + 3


@pytest.mark.parametrize("length", [200, 250, LONGEST])
@pytest.mark.parametrize("letter", ["n", "ñ"], ids=["ascii", "two-bytes"])
def test_a_name_may_be_as_long_as_the_system_allows(tmp_path: Path, length: int, letter: str) -> None:
    path = tmp_path / (letter * ((length - 4) // len(letter.encode())) + ".sys")
    path.write_bytes(b"old")
    patch_atomically(path, path, PatchSet(((0, b"new"),), 3))
    assert path.read_bytes() == b"new"
    with together(tmp_path) as staging:
        staging.write(path, b"both")
    assert path.read_bytes() == b"both"
    assert list(tmp_path.iterdir()) == [path]


def test_threads_that_write_new_files_leave_the_mask_of_the_process_alone(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: write_atomically(tmp_path / f"{n}.sys", b"x"), range(400)))
        assert os.umask(0o027) == 0o027
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}
    finally:
        os.umask(before)


def test_a_link_to_itself_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(FileError):
        write_atomically(tmp_path / "loop" / "x.sys", b"x")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", ["", "pässword\r\n"], ids=["empty", "a-line"])
def test_text_of_shells_is_read_with_and_without_its_byte_order_mark(encoding: str, text: str) -> None:
    assert text_of(text.encode(encoding)) == text


@pytest.mark.parametrize("size", [0, 5, LARGE], ids=["empty", "small", "mapped"])
@pytest.mark.parametrize("place", ["in-place", "elsewhere", "over-another"])
def test_a_changed_copy_has_the_changes_that_were_found_in_it(tmp_path: Path, size: int, place: str) -> None:
    source = tmp_path / "source"
    target = source if place == "in-place" else tmp_path / "target"
    data = bytes(range(256)) * (size // 256) + b"tail!"[: size % 256]
    source.write_bytes(data)
    if place == "over-another":
        target.write_bytes(b"x" * (size + 77))
    seen: list[bytes] = []

    def change(copy: memoryview) -> Found:
        seen.append(bytes(copy))
        return Found(PatchSet(((size // 2, b"new"), (size + 2, b"end")), size + 5))

    found = change_atomically(source, target, change)
    assert seen == [data]
    assert target.read_bytes() == patched(data + bytes(2), found.changes)  # type: ignore[arg-type]
    assert place == "in-place" or source.read_bytes() == data


@pytest.mark.parametrize("size", [7, LARGE], ids=["small", "mapped"])
def test_a_file_is_cut_off_where_the_changes_say(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    patch_atomically(path, path, PatchSet((), size - 3))
    assert path.read_bytes() == b"x" * (size - 3)


@pytest.mark.parametrize("size", [7, LARGE], ids=["small", "mapped"])
def test_a_change_that_fails_leaves_the_file_and_nothing_beside_it(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)

    def change(copy: memoryview) -> Found:
        raise ImageError("no image")

    with pytest.raises(ImageError):
        change_atomically(path, path, change)
    assert path.read_bytes() == b"x" * size
    assert list(tmp_path.iterdir()) == [path]


def test_a_system_that_copies_nothing_by_itself_is_helped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As between two file systems, and as where the call is not there at all."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(LARGE))

    def refuse(*_: object) -> int:
        raise OSError(errno.EXDEV, "no")

    monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)
    patch_atomically(source, target, None)
    assert target.read_bytes() == source.read_bytes()
    monkeypatch.delattr(os, "copy_file_range")
    target.unlink()
    patch_atomically(source, target, None)
    assert target.read_bytes() == source.read_bytes()


def test_a_source_that_is_not_there_is_named_and_not_the_target(tmp_path: Path) -> None:
    with pytest.raises(FileError) as raised:
        patch_atomically(tmp_path / "source", tmp_path / "target", None)
    assert raised.value.path == tmp_path / "source"
    assert not list(tmp_path.iterdir())

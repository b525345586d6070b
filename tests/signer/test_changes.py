"""One file made from another, or nothing changed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from signer.changes import PatchSet, begin_change, change_atomically, patch_atomically
from signer.errors import FileError, ImageError
from tests.support import Found, patched

LARGE = (1 << 20) + 3


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


@pytest.mark.parametrize("size", [7, 1 << 18, LARGE], ids=["kept", "read", "mapped"])
@pytest.mark.parametrize("steps", [1, 2])
def test_changes_are_only_made_where_their_condition_holds(tmp_path: Path, size: int, steps: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)

    def refuse() -> None:
        raise ImageError("two parsers disagree")

    def change(copy: memoryview) -> Found:
        return Found(PatchSet(((0, b"new"),), len(copy), refuse))

    with pytest.raises(ImageError):
        if steps == 1:
            change_atomically(path, path, change)
        else:
            begin_change(path, path, change)()
    assert path.read_bytes() == b"x" * size
    assert list(tmp_path.iterdir()) == [path]


def test_a_small_file_is_changed_in_the_second_step(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    finish = begin_change(path, path, lambda copy: Found(PatchSet(((0, b"new"),), 3)))
    assert path.read_bytes() == b"old"
    finish()
    assert path.read_bytes() == b"new"

"""One file made from another, or nothing changed."""

from __future__ import annotations

import errno
import gc
import io
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from signer.errors import FileError, ImageError
from signer.operations.sign import sign_image
from signer.pkcs7.signed_data import SigningOptions
from signer.storage import files
from signer.storage import patching as changes
from signer.storage.patching import Patched, PatchSet, begin_change, change_atomically, patch_atomically
from signer.storage.transaction import atomic_update
from tests.support.files import patched
from tests.support.identities import identity
from tests.support.images import PeSpec

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

    def change(copy: memoryview) -> Patched:
        seen.append(bytes(copy))
        return Patched(PatchSet(((size // 2, b"new"), (size + 2, b"end")), size + 5))

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

    def change(copy: memoryview) -> Patched:
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

    class Refuse:
        """A parser that reads the result, and does not agree."""

        read: bytes | None = None

        def submit(self, result: bytes | memoryview) -> None:
            self.read = bytes(result)

        def require(self) -> None:
            raise ImageError("two parsers disagree")

    check = Refuse()

    def change(copy: memoryview) -> Patched:
        return Patched(PatchSet(((0, b"new"),), len(copy), check))

    with pytest.raises(ImageError):
        if steps == 1:
            change_atomically(path, path, change)
        else:
            begin_change(path, path, change)()
    assert check.read == b"new".ljust(size, b"x")
    assert path.read_bytes() == b"x" * size
    assert list(tmp_path.iterdir()) == [path]


def test_a_small_file_is_changed_in_the_second_step(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    finish = begin_change(path, path, lambda copy: Patched(PatchSet(((0, b"new"),), 3)))
    assert path.read_bytes() == b"old"
    finish()
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("size", [7, LARGE], ids=["small", "mapped"])
def test_what_goes_wrong_while_a_change_is_found_is_no_error_of_the_file(tmp_path: Path, size: int) -> None:
    """As when a service that holds the key can't be reached."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)

    def change(copy: memoryview) -> Patched:
        raise ConnectionResetError(errno.ECONNRESET, "reset by peer")

    with pytest.raises(ConnectionResetError):
        change_atomically(path, path, change)
    with pytest.raises(ConnectionResetError), atomic_update(tmp_path) as staging:
        staging.change(path, path, change)
    assert [one for one in tmp_path.iterdir() if one.name != ".drvsign.lock"] == [path]


@pytest.mark.parametrize("size", [7, LARGE], ids=["small", "mapped"])
def test_a_source_that_may_not_be_read_is_named_and_not_the_target(
    tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"x" * size)
    opened = Path.open

    def refuse(path: Path, *arguments: object, **named: object) -> object:
        if path == source:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *arguments, **named)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FileError, match="could not read the file") as raised:
        patch_atomically(source, target, None)
    assert raised.value.path == source
    assert list(tmp_path.iterdir()) == [source]


class Full(io.FileIO):
    """A file on a full disk."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "r+b")

    def write(self, data: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_source_that_grows_meanwhile_is_copied_as_long_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(LARGE))
    before = source.read_bytes()
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    opened = changes.opened_new

    def grow(path: Path) -> BinaryIO:
        with source.open("ab") as file:
            file.write(bytes(LARGE))
        return opened(path)

    monkeypatch.setattr(changes, "opened_new", grow)
    with source.open("rb") as old:
        changes._copy(old, target)
    assert target.read_bytes() == before


def test_a_full_disk_is_an_error_of_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the system's own copying comes to it in the middle."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(LARGE))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "copy_file_range", full, raising=False)
    monkeypatch.setattr(changes, "opened_new", Full)
    with pytest.raises(FileError, match="could not write the file: no space left") as raised:
        patch_atomically(source, target, None)
    assert raised.value.path == target
    assert list(tmp_path.iterdir()) == [source]


@pytest.fixture
def maps(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[mmap.mmap]]:
    """The maps that were made, with nobody who collects garbage."""
    made: list[mmap.mmap] = []

    class Noted(mmap.mmap):
        def __init__(self, *_: object, **__: object) -> None:
            made.append(self)

    monkeypatch.setattr(files.mmap, "mmap", Noted)
    gc.disable()
    yield made
    gc.enable()


BROKEN = {
    "signed": (PeSpec(), False),
    "not-an-image": (PeSpec(sections=[]), False),
    "runs-over": (PeSpec(headers_size=0x400, table=(0x7FFFFFF8, 64)), False),
    "no-pages": (PeSpec(section_alignment=256), True),
}


@pytest.mark.parametrize("case", BROKEN)
def test_nothing_keeps_a_file_mapped_that_is_to_be_replaced_or_removed(
    tmp_path: Path, maps: list[mmap.mmap], monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """Windows does neither to a mapped file: a signed one would not take its place, one of an error would stay."""
    spec, paged = BROKEN[case]
    path = tmp_path / "driver.sys"
    data = spec.build() + bytes(1 << 20)
    path.write_bytes(b"MZ" + bytes(len(data)) if case == "not-an-image" else data)
    closed: list[bool] = []
    discard, replace = files._discard, Path.replace
    monkeypatch.setattr(files, "_discard", lambda staged: (closed.append(maps[0].closed), discard(staged)))
    monkeypatch.setattr(Path, "replace", lambda *names: (closed.append(maps[0].closed), replace(*names))[1])
    error: ImageError | None = None
    try:
        change_atomically(path, path, lambda copy: sign_image(copy, identity(), SigningOptions(), page_hashes=paged))
    except ImageError as caught:
        error = caught
    assert (error is None) is (case == "signed")
    assert set(closed) == {True}


@pytest.mark.parametrize("size", [7, 1 << 18, LARGE], ids=["kept", "read", "mapped"])
def test_a_file_that_stays_as_it_is_is_not_written(tmp_path: Path, size: int) -> None:
    path, other = tmp_path / "file", tmp_path / "other"
    path.write_bytes(b"x" * size)
    before = path.stat()
    assert change_atomically(path, path, lambda copy: Patched(None)).changes is None
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert list(tmp_path.iterdir()) == [path]
    change_atomically(path, other, lambda copy: Patched(None))
    assert other.read_bytes() == path.read_bytes()


@pytest.mark.parametrize("size", [7, 1 << 18, LARGE], ids=["kept", "read", "mapped"])
@pytest.mark.parametrize("how", ["written", "replaced"])
def test_what_somebody_else_wrote_meanwhile_is_not_lost(tmp_path: Path, size: int, how: str) -> None:
    """As when a build links a driver anew while it is being signed in its place."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)

    def change(copy: memoryview) -> Patched:
        if how == "written":
            path.write_bytes(b"linked anew")
        else:
            (tmp_path / "new").write_bytes(b"linked anew")
            (tmp_path / "new").replace(path)
        return Patched(PatchSet(((0, b"new"),), len(copy)))

    with pytest.raises(FileError, match="changed by somebody else meanwhile"):
        begin_change(path, path, change)()
    assert path.read_bytes() == b"linked anew"
    assert list(tmp_path.iterdir()) == [path]

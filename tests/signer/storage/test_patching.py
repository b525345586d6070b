"""A patched copy of a file is written completely, or no file changes."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from signer.errors import FileError, ImageError, SignerError
from signer.operations.sign import sign_file
from signer.pkcs7.signed_data import SigningOptions
from signer.storage import files, patching
from signer.storage.patching import Patched, PatchSet, change_atomically, change_each, patch_atomically
from signer.storage.transaction import atomic_update
from tests.support.files import patched
from tests.support.identities import identity
from tests.support.images import PeSpec

LARGE = (1 << 20) + 3


@pytest.mark.parametrize("size", [0, 5, LARGE], ids=["empty", "small", "mapped"])
@pytest.mark.parametrize("place", ["in-place", "elsewhere", "over-another"])
def test_the_target_has_the_changes_that_were_computed_from_the_source(tmp_path: Path, size: int, place: str) -> None:
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
def test_a_file_is_truncated_to_the_size_of_the_patch_set(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)
    patch_atomically(path, path, PatchSet((), size - 3))
    assert path.read_bytes() == b"x" * (size - 3)


@pytest.mark.parametrize("size", [7, LARGE], ids=["small", "mapped"])
def test_a_failed_change_leaves_the_file_unchanged_and_no_temporary_file(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)

    def change(copy: memoryview) -> Patched:
        raise ImageError("not an image")

    with pytest.raises(ImageError):
        change_atomically(path, path, change)
    assert path.read_bytes() == b"x" * size
    assert list(tmp_path.iterdir()) == [path]


def test_copying_works_without_copy_file_range(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call fails between two file systems, and some systems don't have it."""
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


def test_the_error_for_a_missing_source_names_the_source(tmp_path: Path) -> None:
    with pytest.raises(FileError) as raised:
        patch_atomically(tmp_path / "source", tmp_path / "target", None)
    assert raised.value.path == tmp_path / "source"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", [7, 1 << 18, LARGE], ids=["kept", "read", "mapped"])
@pytest.mark.parametrize("steps", [1, 2])
def test_changes_are_applied_only_if_their_precondition_holds(tmp_path: Path, size: int, steps: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)

    class Refuse:
        """A parser that reads the result, and does not agree."""

        read: bytes | None = None

        def submit(self, result: bytes | memoryview, path: Path | None = None) -> None:
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
            (error,) = change_each([(path, path)], change)
            assert isinstance(error, SignerError)
            raise error
    assert check.read == b"new".ljust(size, b"x")
    assert path.read_bytes() == b"x" * size
    assert list(tmp_path.iterdir()) == [path]


def test_many_small_files_are_checked_before_the_first_is_written(tmp_path: Path) -> None:
    """The second parser reads all results together; a file that it refuses is the only one that stays unchanged."""
    paths = [tmp_path / str(number) for number in range(3)]
    events: list[str] = []

    class Check:
        def __init__(self, name: str) -> None:
            self.name = name

        def submit(self, result: bytes | memoryview, path: Path | None = None) -> None:
            events.append(f"submit {self.name}")

        def require(self) -> None:
            events.append(f"require {self.name}")
            if self.name == "b1":
                raise ImageError("two parsers disagree")

    for number, path in enumerate(paths):
        path.write_bytes(b"a%d" % number)

    def change(copy: memoryview) -> Patched:
        name = f"b{bytes(copy).decode()[1]}"
        return Patched(PatchSet(((0, name.encode()),), 2, Check(name)))

    results = change_each([(path, path) for path in paths], change)
    assert events == [f"{step} b{number}" for step in ("submit", "require") for number in range(3)]
    assert [isinstance(result, ImageError) for result in results] == [False, True, False]
    assert [path.read_bytes() for path in paths] == [b"b0", b"a1", b"b2"]


def test_a_file_that_is_missing_does_not_stop_the_others(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    missing = tmp_path / "missing"
    first, second = change_each([(missing, missing), (path, path)], lambda copy: Patched(PatchSet(((0, b"new"),), 3)))
    assert isinstance(first, FileError)
    assert isinstance(second, Patched)
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("size", [7, LARGE], ids=["small", "mapped"])
def test_an_oserror_of_the_change_function_is_not_converted_to_a_file_error(tmp_path: Path, size: int) -> None:
    """For example the error of a key service that can't be reached."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)

    def change(copy: memoryview) -> Patched:
        raise ConnectionResetError(errno.ECONNRESET, "reset by peer")

    with pytest.raises(ConnectionResetError):
        change_atomically(path, path, change)
    with pytest.raises(ConnectionResetError), atomic_update(tmp_path) as staging:
        staging.change(path, path, change)
    assert [one for one in tmp_path.iterdir() if one.name != ".drvsign.lock"] == [path]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(OSError(errno.ENOSPC, "No space left on device"), [b"new", b"old", b"new"], id="full-disk"),
        pytest.param(KeyboardInterrupt(), [b"old", b"old", b"old"], id="interrupted"),
    ],
)
def test_files_that_are_written_together_are_complete_or_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, expected: list[bytes]
) -> None:
    """The second of three files can't be written: no temporary file is left, whether the others are replaced or not."""
    paths = [tmp_path / str(number) for number in range(3)]
    for path in paths:
        path.write_bytes(b"old")
    write_all, written = files._write_all, []

    def write(file: io.FileIO, data: bytes) -> None:
        written.append(file)
        write_all(file, data[:1])
        if len(written) == 2:
            raise error
        write_all(file, data[1:])

    monkeypatch.setattr(files, "_write_all", write)
    with contextlib.suppress(KeyboardInterrupt):
        change_each([(path, path) for path in paths], lambda copy: Patched(PatchSet(((0, b"new"),), 3)))
    assert [path.read_bytes() for path in paths] == expected
    assert sorted(tmp_path.iterdir()) == paths


def test_a_replacing_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power failure after the rename could otherwise leave an empty file. A new file replaces nothing."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"old")
    events: list[str] = []
    replace = Path.replace
    monkeypatch.setattr(os, "fsync", lambda descriptor: events.append("sync"))
    monkeypatch.setattr(Path, "replace", lambda one, target: (events.append(target.name), replace(one, target))[1])
    change_each([(old, old), (old, new)], lambda copy: Patched(PatchSet(((0, b"new"),), 3)))
    assert events == ["sync", "old", "new"]


@pytest.mark.parametrize("size", [7, LARGE], ids=["small", "mapped"])
def test_the_error_for_an_unreadable_source_names_the_source(
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


def test_a_source_that_grows_during_the_copy_is_copied_up_to_its_initial_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(LARGE))
    before = source.read_bytes()
    monkeypatch.delattr(os, "copy_file_range", raising=False)
    opened = patching.open_new

    def grow(path: Path) -> BinaryIO:
        with source.open("ab") as file:
            file.write(bytes(LARGE))
        return opened(path)

    monkeypatch.setattr(patching, "open_new", grow)
    with source.open("rb") as old:
        patching._copy(old, target)
    assert target.read_bytes() == before


def test_the_error_for_a_full_disk_names_the_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if copy_file_range fails in the middle."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(os.urandom(LARGE))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "copy_file_range", full, raising=False)
    monkeypatch.setattr(patching, "open_new", Full)
    with pytest.raises(FileError, match="could not write the file: no space left") as raised:
        patch_atomically(source, target, None)
    assert raised.value.path == target
    assert list(tmp_path.iterdir()) == [source]


@pytest.fixture
def maps(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[mmap.mmap]]:
    """Record the maps that are created, with the garbage collector disabled."""
    created: list[mmap.mmap] = []

    class Recorded(mmap.mmap):
        def __init__(self, *_: object, **__: object) -> None:
            created.append(self)

    monkeypatch.setattr(files.mmap, "mmap", Recorded)
    gc.disable()
    yield created
    gc.enable()


BROKEN = {
    "signed": (PeSpec(), False),
    "not-an-image": (PeSpec(sections=[]), False),
    "runs-over": (PeSpec(headers_size=0x400, table=(0x7FFFFFF8, 64)), False),
    "no-pages": (PeSpec(section_alignment=256), True),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_is_unmapped_before_it_is_replaced_or_deleted(
    tmp_path: Path, maps: list[mmap.mmap], monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    """Windows neither replaces nor deletes a mapped file."""
    spec, paged = BROKEN[case]
    path = tmp_path / "driver.sys"
    data = spec.build() + bytes(1 << 20)
    path.write_bytes(b"MZ" + bytes(len(data)) if case == "not-an-image" else data)
    closed: list[bool] = []
    discard, replace = files._discard, Path.replace
    monkeypatch.setattr(files, "_discard", lambda staged: (closed.append(maps[0].closed), discard(staged)))
    monkeypatch.setattr(Path, "replace", lambda *names: (closed.append(maps[0].closed), replace(*names))[1])
    error: SignerError | None = None
    try:
        change_atomically(path, path, lambda copy: sign_file(copy, identity(), SigningOptions(), page_hashes=paged))
    except SignerError as caught:
        error = caught
    assert (error is None) is (case == "signed")
    assert set(closed) == {True}


@pytest.mark.parametrize("size", [7, 1 << 18, LARGE], ids=["kept", "read", "mapped"])
def test_a_file_without_changes_is_not_written(tmp_path: Path, size: int) -> None:
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
def test_a_file_that_another_process_changed_meanwhile_is_not_overwritten(tmp_path: Path, size: int, how: str) -> None:
    """For example a driver that a build links again while it is signed in place."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)

    def change(copy: memoryview) -> Patched:
        if how == "written":
            path.write_bytes(b"linked again")
        else:
            (tmp_path / "new").write_bytes(b"linked again")
            (tmp_path / "new").replace(path)
        return Patched(PatchSet(((0, b"new"),), len(copy)))

    with pytest.raises(FileError, match="another process changed the file"):
        change_atomically(path, path, change)
    assert path.read_bytes() == b"linked again"
    assert list(tmp_path.iterdir()) == [path]

"""Files that are synced to the disk together."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from signer.errors import FileError, InternalError, SignerError
from signer.storage import flushing
from signer.storage.patching import Patched, PatchSet, change_each
from signer.storage.transaction import atomic_update
from tests.support.patience import PATIENCE

COUNT = 3


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Return files with old bytes."""
    found = [tmp_path / str(number) for number in range(COUNT)]
    for path in found:
        path.write_bytes(b"old")
    return found


def change_all(paths: list[Path]) -> list[FileError | Patched]:
    return change_each([(path, path) for path in paths], lambda copy: Patched(PatchSet(((0, b"new"),), 3)))


def test_files_are_synced_at_the_same_time(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sync returns only after all of them have begun. One after another, they would wait for each other."""
    everyone = threading.Barrier(COUNT, timeout=PATIENCE)
    monkeypatch.setattr(os, "fsync", lambda descriptor: everyone.wait())
    change_all(paths)
    assert [path.read_bytes() for path in paths] == [b"new"] * COUNT


def test_files_of_a_transaction_are_synced_at_the_same_time(
    tmp_path: Path, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal and the folders are synced after the files, one after another."""
    everyone = threading.Barrier(COUNT, timeout=PATIENCE)

    def sync(descriptor: int) -> None:
        if os.fstat(descriptor).st_size == len(b"new"):
            everyone.wait()

    monkeypatch.setattr(os, "fsync", sync)
    with atomic_update(tmp_path) as transaction:
        for path in paths:
            transaction.write(path, b"new")
    assert [path.read_bytes() for path in paths] == [b"new"] * COUNT


@pytest.mark.parametrize(
    ("error", "result"), [(OSError(errno.EIO, os.strerror(errno.EIO)), FileError), (MemoryError(), InternalError)]
)
def test_a_file_that_can_t_be_synced_does_not_replace_its_target(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch, error: Exception, result: type[SignerError]
) -> None:
    """Only the result of this file is an error, and no temporary file is left."""
    broken: list[int] = []

    def sync(descriptor: int) -> None:
        staged = next(paths[1].parent.glob(".drvsign-new.1.*"), None)
        with contextlib.suppress(FileNotFoundError):  # it was deleted, because it can't be synced
            if staged is not None and staged.stat().st_ino == os.fstat(descriptor).st_ino:
                broken.append(descriptor)
                raise error

    monkeypatch.setattr(os, "fsync", sync)
    results = change_all(paths)
    assert len(broken) == 1
    assert [isinstance(one, result) for one in results] == [False, True, False]
    assert [path.read_bytes() for path in paths] == [b"new", b"old", b"new"]
    assert sorted(paths[0].parent.iterdir()) == paths


def test_files_are_synced_without_threads(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A container may limit the number of threads."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    synced: list[int] = []
    monkeypatch.setattr(flushing.threading.Thread, "start", refuse)
    monkeypatch.setattr(os, "fsync", synced.append)
    change_all(paths)
    assert len(synced) == COUNT
    assert [path.read_bytes() for path in paths] == [b"new"] * COUNT


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on open files")
@pytest.mark.parametrize(
    ("limit", "processors", "expected"),
    [(1024, 2, 32), (1024, 16, 16), (256, 8, 8), (256, 2, 32), (20, 16, 1), (None, 2, 32)],
)
def test_few_files_are_synced_together_if_the_process_may_open_few(
    monkeypatch: pytest.MonkeyPatch, limit: int | None, processors: int, expected: int
) -> None:
    """Threads on all processors use at most half of the descriptors, two for each file. None is no limit."""
    import resource

    soft = resource.RLIM_INFINITY if limit is None else limit
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, soft))
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    assert flushing.group_size() == expected


def test_files_that_are_synced_quickly_need_no_threads(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first thread has synced all files when it has started, as if starting it took longer."""
    started: list[threading.Thread] = []
    synced: list[int] = []

    def start(thread: threading.Thread) -> None:
        started.append(thread)
        begin(thread)
        thread.join()

    begin = threading.Thread.start
    monkeypatch.setattr(flushing.threading.Thread, "start", start)
    monkeypatch.setattr(os, "fsync", synced.append)
    change_all(paths)
    assert len(started) == 1
    assert len(synced) == COUNT


def test_one_file_is_synced_without_a_thread(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []
    monkeypatch.setattr(os, "fsync", lambda _: threads.append(threading.current_thread()))
    change_all(paths[:1])
    assert threads == [threading.main_thread()]


def test_files_are_open_until_their_syncs_end_if_another_file_fails(
    tmp_path: Path, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a thread syncs whichever file gets the number of a descriptor that was closed."""
    has_begun, may_end = threading.Event(), threading.Event()
    sizes: list[int] = []
    threads: list[threading.Thread] = []
    join = threading.Thread.join

    def sync(descriptor: int) -> None:
        if threading.current_thread() is threading.main_thread():
            assert has_begun.wait(PATIENCE)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        has_begun.set()
        assert may_end.wait(PATIENCE)
        with contextlib.suppress(OSError):
            sizes.append(os.fstat(descriptor).st_size)

    def joined(thread: threading.Thread) -> None:
        threads.append(thread)
        may_end.set()
        join(thread)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(flushing.threading.Thread, "join", joined)
    with pytest.raises(FileError), atomic_update(tmp_path) as transaction:
        transaction.write(paths[0], b"22")
        transaction.write(paths[1], b"22")
    may_end.set()
    for thread in threads:
        join(thread)
    assert sizes == [2]

"""Files that are synced to the disk together."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from signer.errors import FileError
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
    """The journal and the folders are synced after the files, in the main thread."""
    everyone = threading.Barrier(COUNT, timeout=PATIENCE)

    def sync(descriptor: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            everyone.wait()

    monkeypatch.setattr(os, "fsync", sync)
    with atomic_update(tmp_path) as transaction:
        for path in paths:
            transaction.write(path, b"new")
    assert [path.read_bytes() for path in paths] == [b"new"] * COUNT


def test_a_file_that_can_t_be_synced_does_not_replace_its_target(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the result of this file is an error, and no temporary file is left."""
    broken: list[int] = []

    def sync(descriptor: int) -> None:
        staged = next(paths[1].parent.glob(".drvsign-new.1.*"), None)
        with contextlib.suppress(FileNotFoundError):  # it was deleted, because it can't be synced
            if staged is not None and staged.stat().st_ino == os.fstat(descriptor).st_ino:
                broken.append(descriptor)
                raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", sync)
    results = change_all(paths)
    assert len(broken) == 1
    assert [isinstance(one, FileError) for one in results] == [False, True, False]
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


def test_files_are_open_until_their_syncs_end_if_another_file_fails(
    tmp_path: Path, paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a thread syncs whichever file gets the number of a descriptor that was closed."""
    may_end = threading.Event()
    sizes: list[int] = []
    threads: list[threading.Thread] = []
    awaited: list[flushing.Flush] = []
    finish = flushing.Flush.finish

    def sync(descriptor: int) -> None:
        if os.fstat(descriptor).st_size == 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        threads.append(threading.current_thread())
        may_end.wait()
        with contextlib.suppress(OSError):
            sizes.append(os.fstat(descriptor).st_size)

    def finished(flush: flushing.Flush) -> None:
        awaited.append(flush)
        if flush is not awaited[0]:  # the first one fails; this thread may not have begun
            may_end.set()
        finish(flush)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(flushing.Flush, "finish", finished)
    with pytest.raises(FileError), atomic_update(tmp_path) as transaction:
        transaction.write(paths[0], b"1")
        transaction.write(paths[1], b"22")
    may_end.set()
    threads[0].join()
    assert sizes == [2]

"""Locks of folders: who waits for whom."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from signer.errors import FileError, FolderInUse
from signer.storage import lock
from signer.storage.lock import NAME, is_held, lock_descriptor, locked


def to_error(error: OSError) -> FileError:
    return FileError(str(error))


@pytest.fixture
def holder(tmp_path: Path) -> int:
    """A descriptor that holds the lock of the folder, as another process would."""
    descriptor = os.open(tmp_path / NAME, os.O_RDWR | os.O_CREAT)
    lock_descriptor(descriptor)
    return descriptor


@pytest.mark.parametrize("tries", [1, 5])
def test_a_lock_that_is_held_for_a_moment_is_waited_for(
    tmp_path: Path, holder: int, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == tries:
            os.close(holder)

    monkeypatch.setattr(lock, "sleep", pause)
    with locked(tmp_path, to_error):
        assert len(pauses) == tries
        assert is_held(tmp_path)
    assert not is_held(tmp_path)


def test_a_lock_that_is_held_longer_is_an_error_after_a_quarter_of_a_second(
    tmp_path: Path, holder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(lock, "sleep", pauses.append)
    with pytest.raises(FolderInUse, match="another drvsign process is writing"), locked(tmp_path, to_error):
        pass
    os.close(holder)
    assert 0.2 <= sum(pauses) <= 0.5
    assert max(pauses) <= 0.05


def test_another_error_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "sleep", lambda _: pytest.fail("it waited"))
    with pytest.raises(FileError), locked(tmp_path / "missing", to_error):
        pass

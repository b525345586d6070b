"""What the tests of key backends share: how one is started and stopped, and the pauses that it would make."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backends.backend import Backend, Make, Start


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Starts a backend, which is closed when the test is over."""
    started: list[Backend] = []

    def start(make: Make) -> Backend:
        started.append(make(tmp_path / "backend", monkeypatch))
        return started[-1]

    yield start
    for backend in started:
        backend.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made."""
    made: list[float] = []
    monkeypatch.setattr(time, "sleep", made.append)
    return made

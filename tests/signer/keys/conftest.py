"""Fixtures for tests of key backends: start and stop a backend, and record the pauses of its client."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.backends.backend import Backend, Make, Start


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Return a function that starts a backend. All started backends are closed at the end of the test."""
    started: list[Backend] = []

    def start(make: Make) -> Backend:
        started.append(make(tmp_path / "backend", monkeypatch))
        return started[-1]

    yield start
    for backend in started:
        backend.close()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Replace `time.sleep` and record the pauses in seconds; those of other threads are real, and not recorded."""
    recorded: list[float] = []
    sleep, main = time.sleep, threading.get_ident()
    monkeypatch.setattr(
        time, "sleep", lambda seconds: (recorded.append if threading.get_ident() == main else sleep)(seconds)
    )
    return recorded

"""Defer Ctrl+C while a batch is worked on, so that the call can say what was done; a second Ctrl+C ends it at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

_requested = threading.Event()
_at_once = threading.Event()


def requested() -> bool:
    """Tell whether the user interrupted the batch: no further item is begun."""
    return _requested.is_set()


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Let an interrupt inside the block only set `requested`. Outside of the main thread, change nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: Any) -> None:
        again = _requested.is_set()
        _requested.set()
        if again or _at_once.is_set():
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _requested.clear()


@contextlib.contextmanager
def answered_at_once() -> Iterator[None]:
    """Let an interrupt end this block of the main thread at once, although it is inside `deferred`."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _at_once.set()
    try:
        yield
    finally:
        _at_once.clear()

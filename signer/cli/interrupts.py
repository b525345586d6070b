"""Defer Ctrl+C while a batch is worked on, so that the call can say what was done; a second Ctrl+C ends it at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

_requested = _at_once = False
"""Plain values: an event has a lock, and a handler may run while this thread has taken it."""


class Abandoned(KeyboardInterrupt):
    """An interrupt that ended work before it changed a file."""


def requested() -> bool:
    """Tell whether the user interrupted the batch: no further item is begun."""
    return _requested


@contextlib.contextmanager
def deferred(*, wholly: bool = False) -> Iterator[None]:
    """Let an interrupt inside the block only set `requested`; a second one ends the block at once unless `wholly`.

    Outside of the main thread, change nothing.
    """
    global _requested
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: Any) -> None:
        global _requested
        again, _requested = _requested, True
        if (again and not wholly) or _at_once:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        try:
            signal.signal(signal.SIGINT, before)
        finally:  # the handler before can raise an exception already here
            _requested = False


@contextlib.contextmanager
def postponed(signal_number: signal.Signals = signal.SIGINT) -> Iterator[None]:
    """Answer an interrupt or another signal inside the block when it ends. Outside of the main thread, change nothing.

    For short work with locks of the standard library: an exception of a handler that runs just after `with lock` has
    taken the lock leaves it taken, and the thread that needs it next waits for ever (seen in Python 3.11).
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    before = signal.signal(signal_number, lambda number, frame: arrived.append(number))
    try:
        yield
    finally:
        signal.signal(signal_number, before)
        for number in arrived:
            signal.raise_signal(number)


@contextlib.contextmanager
def answered_at_once() -> Iterator[None]:
    """Let an interrupt end this block of the main thread at once, although it is inside `deferred`.

    One that came before ends it as well.
    """
    global _at_once
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _at_once = True
    try:
        if _requested:
            raise KeyboardInterrupt
        yield
    finally:
        _at_once = False

"""How long a test waits for what must happen: long enough for a busy machine, and only to end a hang."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 120
"""Seconds."""


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until the condition is true. Fail after `PATIENCE`."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)

"""Prepare standard streams that are closed, have a legacy encoding, or are broken pipes."""

from __future__ import annotations

import contextlib
import os
import sys


def prepare() -> None:
    """Make the standard streams usable."""
    for number in range(3):
        # The next opened file would get the descriptor of a closed stream, and library output would go into it.
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_WRONLY)  # so that reading from a closed stdin fails
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def forget(name: str) -> None:
    """Redirect a closed stream to the null device, so that Python's last flush does not fail."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), getattr(sys, name).fileno())

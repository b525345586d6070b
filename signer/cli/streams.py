"""The standard streams as a process finds them: closed, of an old encoding, or with nobody at the other end."""

from __future__ import annotations

import contextlib
import os
import sys


def prepare() -> None:
    """Make the standard streams fit to be used, whatever they are."""
    for number in range(3):
        # The next file to be opened would get the number of a closed one, and what libraries print would go into it.
        try:
            os.fstat(number)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDWR)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123  (to the process's end)
        elif mode == "w" and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def forget(name: str) -> None:
    """Nobody reads this stream any more: let Python's last flush go nowhere instead of failing."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), getattr(sys, name).fileno())

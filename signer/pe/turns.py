"""Let forked processes use the same pipes in turns. The system ends the turn of a process that is killed."""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Callable
from functools import partial

ARE_SHARED = sys.platform == "linux"
"""Whether forked processes take turns here: the commands fork only on Linux (`signer.cli.processes.can_fork`)."""

_CUT_SHORT, _BEGUN = 0, 1
"""Indexes of the numbers that the processes share: turns that were cut short, and 1 while a turn has not ended."""


class Turns:
    """The turns of this process and of those that are forked from it later. Only one thread of a process may use it.

    An exception or a kill during a turn cuts it short: what was sent may lack its answer, which would be taken for the
    answer to what the next turn sends.
    """

    def __init__(self) -> None:
        self._numbers = memoryview(mmap.mmap(-1, 16)).cast("Q")
        self._wait, self.release = _lock()
        """`release` gives the turn back if this process has it. It is a function of C, so no interrupt prevents it."""

    def begin(self) -> int:
        """Wait for the turn of this process. Returns how many turns were cut short before."""
        self._wait()
        self._numbers[_CUT_SHORT] += self._numbers[_BEGUN]
        self._numbers[_BEGUN] = 1
        return self._numbers[_CUT_SHORT]

    def finish(self) -> None:
        """Note that nothing that was sent lacks its answer. The turn ends with `release`."""
        self._numbers[_BEGUN] = 0

    def cut_short(self) -> int:
        """Count the present turn as one that was cut short, and return how many these are."""
        self._numbers[_CUT_SHORT] += 1
        return self._numbers[_CUT_SHORT]


def _lock() -> tuple[Callable[[], object], Callable[[], object]]:
    """Return functions of C that take and release a lock that forked processes share, if there can be any."""
    if sys.platform != "linux":
        return bool, bool
    import fcntl

    file = os.pipe()[1]  # a lock of `fcntl` belongs to one process: a forked one does not inherit it
    return partial(fcntl.lockf, file, fcntl.LOCK_EX), partial(fcntl.lockf, file, fcntl.LOCK_UN)

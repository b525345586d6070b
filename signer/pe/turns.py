"""Let forked processes use the same pipes in turns. The system ends the turn of a process that is killed."""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
from collections.abc import Iterator

_CUT_SHORT, _BEGUN = 0, 1
"""Indexes of the numbers that the processes share: turns that were cut short, and 1 while a turn has not ended."""


class Turns:
    """The turns of this process and of those that are forked from it later. Only one thread of a process may use it.

    An exception or a kill during a turn cuts it short: what was sent may lack its answer, which would be taken for the
    answer to what the next turn sends.
    """

    def __init__(self) -> None:
        self._numbers = memoryview(mmap.mmap(-1, 16)).cast("Q")
        self._lock = os.pipe()[1] if sys.platform == "linux" else None
        """An open file for a lock. A lock of `fcntl` belongs to one process, and a forked process does not inherit it.

        Processes are forked only on Linux (`signer.cli.processes.can_fork`).
        """

    @contextlib.contextmanager
    def turn(self) -> Iterator[int]:
        """Wait for the turn of this process, and hold it in the block. Gives how many turns were cut short before."""
        self._wait()
        try:
            self._numbers[_CUT_SHORT] += self._numbers[_BEGUN]
            self._numbers[_BEGUN] = 1
            yield self._numbers[_CUT_SHORT]
            self._numbers[_BEGUN] = 0
        finally:
            self._release()

    def cut_short(self) -> int:
        """Count the present turn as one that was cut short, and return how many these are."""
        self._numbers[_CUT_SHORT] += 1
        return self._numbers[_CUT_SHORT]

    def _wait(self) -> None:
        if self._lock is not None and sys.platform == "linux":
            import fcntl

            fcntl.lockf(self._lock, fcntl.LOCK_EX)

    def _release(self) -> None:
        if self._lock is not None and sys.platform == "linux":
            import fcntl

            fcntl.lockf(self._lock, fcntl.LOCK_UN)

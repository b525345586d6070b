"""Measure whole processes in pairs, in turn: A B A B …, so that changes in the machine's speed affect both."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

Command = Sequence[str | Path]
Arguments = list[str | Path]

BYTECODE = tempfile.TemporaryDirectory()
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    "PYTHONPYCACHEPREFIX": BYTECODE.name,
}
"""Python programs run from cached bytecode, as when they are installed."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process and those that it waited for."""

    wall: float
    """Seconds."""
    processor: float
    """Seconds of user and system time."""
    peak: float
    """Resident memory of the largest process, in megabytes."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The runs of a command and of its peer, in turn."""

    label: str
    goal: str
    ours: tuple[Run, ...]
    peer: tuple[Run, ...]
    is_speed: bool = False
    """True if the ratio says how many times faster than the peer; otherwise, how many times as long."""

    @property
    def ratios(self) -> list[float]:
        """The ratio of each pair, sorted."""
        pairs = zip(self.ours, self.peer, strict=True)
        return sorted(peer.wall / own.wall if self.is_speed else own.wall / peer.wall for own, peer in pairs)


def run(command: Command) -> Run:
    """Run a command once, whatever its exit code."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Run(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(
    label: str,
    goal: str,
    ours: Command,
    peer: Command,
    *,
    rounds: int = 5,
    is_speed: bool = False,
    before: Callable[[], object] = lambda: None,
) -> Comparison:
    """Run both commands in turn, after one run of each that does not count; `before` each of ours."""
    own_runs, peer_runs = [], []
    for number in range(rounds + 1):
        before()
        own, other = run(ours), run(peer)
        if number:
            own_runs.append(own)
            peer_runs.append(other)
    return Comparison(label, goal, tuple(own_runs), tuple(peer_runs), is_speed)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return median, minimum and maximum as text."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"

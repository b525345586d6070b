"""Measure whole processes in pairs, in turn: A B A B …, so that changes in the machine's speed affect both.

`_launcher` starts them: a process counts the memory of the one that started it, so that one has to be small.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
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
    """Seconds; of a part of a process, those that the process printed."""
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

    @property
    def peaks(self) -> list[float]:
        """The largest memory of ours and of the peer, in megabytes."""
        return [max(run.peak for run in runs) for runs in (self.ours, self.peer)]


def run(command: Command, *, is_part: bool = False) -> Run:
    """Run a command once, whatever its exit code. A part of a process prints its own seconds as its last line."""
    launcher = _launcher()
    assert launcher.stdin is not None and launcher.stdout is not None
    launcher.stdin.write(json.dumps([*map(str, command)]) + "\n")
    launcher.stdin.flush()
    found = json.loads(launcher.stdout.readline())
    printed = found["last"].split()
    return Run(float(printed[-1]) if is_part else found["wall"], found["processor"], found["peak"] / 1024)


@cache
def _launcher() -> subprocess.Popen[str]:
    """Start the process that starts all others."""
    code = Path(__file__).with_name("_launcher.py")
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    )

    def end() -> None:
        with contextlib.suppress(OSError):
            process.communicate()

    atexit.register(end)
    return process


def compare(
    label: str,
    goal: str,
    ours: Command,
    peer: Command,
    *,
    rounds: int = 5,
    is_speed: bool = False,
    is_part: bool = False,
    before: Callable[[], object] = lambda: None,
) -> Comparison:
    """Run both commands in turn, after one run of each that does not count; `before` each of ours."""
    own_runs, peer_runs = [], []
    for number in range(rounds + 1):
        before()
        own, other = run(ours, is_part=is_part), run(peer, is_part=is_part)
        if number:
            own_runs.append(own)
            peer_runs.append(other)
    return Comparison(label, goal, tuple(own_runs), tuple(peer_runs), is_speed)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return median, minimum and maximum as text."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"

"""Examine units on a cluster of Dask: the function of a local audit, applied to portions of folders.

Dask schedules, and repeats what a lost worker was doing. Results come in the order of the units, so that the rows are
those of a local audit.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Self

from signer.audit import picklable
from signer.audit.fingerprint import program_digest
from signer.audit.rows import Sighting
from signer.audit.run import Work
from signer.audit.units import Unit
from signer.errors import SignerError, UsageError

picklable.register()  # in the workers too, which import this module

_PORTION = 16
"""Number of units of one task: scheduling a task takes about a millisecond, examining a package some."""
_AHEAD = 4
"""Tasks for each thread of the cluster that wait or have results that were not taken."""
_FEWEST_AHEAD = 16
_RESIZE_SECONDS = 5.0
_POLL_SECONDS = 0.1
_START_SECONDS = 60
"""Time in which a first worker must be there."""
_ALONE_SECONDS = 60.0
"""Time without any worker after which an audit ends."""
_STALLED_SECONDS = 30.0
"""Time in which no worker does anything although a task waits, after which the task is submitted again."""
_MAX_REPEATS = 3
_LOST = "Run the same command again: what was examined is kept."

_Task = tuple[bytes, Sequence[Unit], str]
"""The work, packed; the units; and the folder in which relative paths begin."""


class Cluster:
    """A cluster of Dask: that of a scheduler, or processes of this machine. Use it as a context manager."""

    def __init__(self, address: str | None, jobs: int, is_stopped: Callable[[], bool]) -> None:
        """Connect to the scheduler at `address` (`tcp://HOST:PORT`), or start `jobs` processes here.

        `is_stopped` tells whether to begin no further work. Raises UsageError without Dask, SignerError if no worker is
        there in time.
        """
        client, cluster = _dask()
        self._is_stopped = is_stopped
        self._folder = ""
        self._processes: Any = None
        try:
            if address is None:
                self._processes = cluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None)
            self._client = client(self._processes or address, timeout=_START_SECONDS, set_as_default=False)
            self._client.wait_for_workers(1, timeout=_START_SECONDS)
        except (OSError, TimeoutError) as error:
            raise SignerError(
                f"no scheduler of Dask with a worker answers at {address}",
                hint="Start them: dask scheduler; dask worker tcp://HOST:8786",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        if self._processes is not None:
            self._processes.close()

    def require_equal_workers(self, places: Sequence[Path]) -> None:
        """Raise UsageError if a worker has another drvsign, or does not see a place."""
        if not all(path.is_absolute() for path in places):
            self._folder = str(Path.cwd())
        paths = [str(path.absolute()) for path in places]
        for worker, (digest, missing) in self._client.run(_description, paths).items():
            if digest != program_digest():
                raise UsageError(
                    f"the worker {worker} has another version of drvsign",
                    hint="Install the same version there, and start the worker again.",
                )
            if missing:
                raise UsageError(
                    f"the worker {worker} does not see {missing[0]}",
                    hint="Mount the folder at the same path on all workers.",
                )

    def run(self, work: Work, units: Iterable[Unit]) -> Iterator[list[Sighting]]:
        """Yield what `work` finds in each unit, in their order. Raises SignerError if the cluster is lost."""
        from distributed.protocol.pickle import dumps

        packed: bytes = dumps(work)  # in each task: with data of other tasks, Dask can stall if a worker is lost
        portions = _portions(units)
        waiting: deque[Any] = deque()
        resized, limit = 0.0, 0
        while not self._is_stopped():
            if time.monotonic() - resized > _RESIZE_SECONDS:
                resized, limit = time.monotonic(), self._limit()
            for portion in islice(portions, max(0, limit - len(waiting))):
                task = (packed, portion, self._folder)
                waiting.append((self._submit(task), task))
            if not waiting:
                return
            yield from self._result(*waiting.popleft())
        self._client.cancel([future for future, _ in waiting])

    def _submit(self, task: _Task) -> Any:
        return self._client.submit(_examined, *task, pure=False)

    def _limit(self) -> int:
        threads: int = sum(self._client.ncores().values())
        return max(_FEWEST_AHEAD, _AHEAD * threads)

    def _result(self, future: Any, task: _Task) -> list[list[Sighting]]:
        """Return the result of a task; nothing if the audit is stopped meanwhile. A stalled task is submitted again."""
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm.core import CommClosedError

        alone = busy = time.monotonic()
        repeats = 0
        while not self._is_stopped():
            try:
                found: list[list[Sighting]] = future.result(timeout=_POLL_SECONDS)
                return found
            except TimeoutError as error:
                if self._client.ncores():
                    alone = time.monotonic()
                if time.monotonic() - alone > _ALONE_SECONDS:
                    raise SignerError("the cluster has no worker any more", hint=_LOST) from error
                if future.done() or any(self._client.processing().values()):
                    busy = time.monotonic()
                elif time.monotonic() - busy > _STALLED_SECONDS:
                    repeats += 1
                    if repeats > _MAX_REPEATS:
                        raise SignerError("the workers of the cluster do no work", hint=_LOST) from error
                    future, busy = self._submit(task), time.monotonic()
            except KilledWorker as error:
                raise SignerError(f"several workers ended in one task: {error}", hint=_LOST) from error
            except (FutureCancelledError, CommClosedError) as error:
                raise SignerError("the connection to the scheduler of Dask was lost", hint=_LOST) from error
        return []


def _dask() -> tuple[Any, Any]:
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise UsageError(
            "an audit on a cluster needs the package distributed (Dask)",
            hint="Run: pip install 'drvsign[cluster]'",
        ) from error
    return Client, LocalCluster


def _portions(units: Iterable[Unit]) -> Iterator[list[Unit]]:
    source = iter(units)
    while portion := list(islice(source, _PORTION)):
        yield portion


@lru_cache(maxsize=2)
def _unpacked(packed: bytes) -> Work:
    from distributed.protocol.pickle import loads

    work: Work = loads(packed)
    return work


def _examined(packed: bytes, portion: Sequence[Unit], folder: str) -> list[list[Sighting]]:
    """Return what is found in units whose relative paths begin in a folder; the worker stays in that folder."""
    if folder:
        os.chdir(folder)
    return list(map(_unpacked(packed), portion))


def _description(paths: Sequence[str]) -> tuple[str, list[str]]:
    """Return, of a worker, the digest of its drvsign and the paths that it does not see."""
    return program_digest(), [path for path in paths if not Path(path).exists()]

"""The option --engine of `drvsign audit`: the processes of this machine, or a cluster of Dask."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from signer.cli.interrupts import requested
from signer.cli.options.common import workers
from signer.cli.process_stream import in_processes_as_read
from signer.cli.processes import uninterrupted

if TYPE_CHECKING:
    from signer.audit.rows import Sighting
    from signer.audit.run import Run, Work
    from signer.audit.units import Place, Unit

LOCAL, DASK = "local", "dask"
_SCHEME = "dask://"
_MANY = 1 << 20


def to_engine(word: str) -> str:
    """Convert the name of an engine. Raises typer.BadParameter."""
    if word == "ray" or word.startswith("ray://"):
        raise typer.BadParameter(
            "Ray is not supported: it is as fast as Dask here and takes four times the memory (docs/audit.md); "
            "use dask://HOST:PORT"
        )
    if word in (LOCAL, DASK):
        return word
    host, colon, port = word.removeprefix(_SCHEME).rpartition(":")
    if not (word.startswith(_SCHEME) and host and colon and port.isdecimal()):
        raise typer.BadParameter(f"{word!r} is not local, dask or dask://HOST:PORT")
    return word


@contextlib.contextmanager
def engine(name: str, jobs: int, places: Sequence[Place]) -> Iterator[Run]:
    """Provide the function that examines units. Raises UsageError and SignerError for a cluster that can't be used."""
    if name == LOCAL:
        yield _locally(jobs)
        return
    from signer.audit.cluster import Cluster

    address = name.removeprefix(_SCHEME) if name != DASK else None
    with uninterrupted():  # its processes inherit that: an interrupt is handled here
        cluster = Cluster(f"tcp://{address}" if address else None, workers(jobs, _MANY), requested)
    with cluster:
        cluster.require_equal_workers([place.path for place in places])
        yield cluster.run


def _locally(jobs: int) -> Run:
    def run(work: Work, units: Iterable[Unit]) -> Iterator[list[Sighting]]:
        from signer.audit import picklable
        from signer.audit.examine import unread

        picklable.register()
        return in_processes_as_read(work, units, workers(jobs, _MANY), unread)

    return run

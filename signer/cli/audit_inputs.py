"""Add to an audit what has no driver files: logs and inventories."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.output import Output
from signer.cli.paths import expand
from signer.storage.files import chunks_of, convert_os_errors
from signer.storage.streams import STANDARD

if TYPE_CHECKING:
    from signer.audit.disk import Disk
    from signer.audit.examine import Question
    from signer.audit.ledger import Ledger
    from signer.audit.units import Place


def add_logs(output: Output, paths: Sequence[Path], machines: Collection[str], ledger: Ledger) -> None:
    """Add what logs say. A folder is searched for logs. Raises FileError for a file that is not a log."""
    from signer.audit.logs import log_sightings
    from signer.explain.context import Context
    from signer.explain.readers.table import is_log

    context = Context()
    for path in expand(paths, is_log, "logs"):
        found = list(log_sightings(path, _pieces(output, path), machines, context))
        ledger.add(found)
        if not found:
            output.warn(f"{path}: no event 3076 or 3077 about a driver")
        others = sorted({one.machine for one in found} - set(machines)) if machines else []
        if others:
            output.warn(f"{path}: events of {', '.join(others[:3])}, which no --machine names")
    for problem, count in context.damages.items():
        output.warn(f"{problem} ({count} times)" if count > 1 else problem)


def add_inventories(output: Output, inventories: Sequence[Place], question: Question, ledger: Ledger) -> set[str]:
    """Add what inventories list, and return the machines that they are from.

    Raises FileError, and ConfigError for a file that is not an inventory.

    They are read twice: one can have the original names of INFs for which another has the names on the machine.
    """
    from signer.audit.inventories import InfNames, inventory_sightings
    from signer.audit.inventory_entries import read_inventory

    names, machines = InfNames(), set()
    for place in inventories:
        for one in read_inventory(place.path, chunks_of(place.path)):
            machines.add(place.machine or one.machine)
            names.learn(place.machine or one.machine, one)
    for place in inventories:
        entries = read_inventory(place.path, _pieces(output, place.path))
        ledger.add(inventory_sightings(place.path, entries, place.machine, names, question))
    return machines


def _pieces(output: Output, path: Path) -> Iterable[bytes]:
    """Return the bytes of a file in pieces; reading shows progress, except of the standard input. Raises FileError."""
    if path == STANDARD:
        return chunks_of(path)
    with convert_os_errors(path, "read the file"):
        size = path.stat().st_size
    return output.pieces(chunks_of(path), size, f"reading {path.name}")


def places_elsewhere(folders: Sequence[Place], listed: Collection[str], states: Mapping[str, str]) -> list[Place]:
    """Return the places whose files are judged again: for each state of machines with inventories that differs.

    `listed` are the machines with inventories. One of the machines in a state is named for all.
    """
    from signer.audit.units import Place

    state_of = {name: states.get(name, states[""]) for name in (*listed, *(place.machine for place in folders))}
    first = {state_of[name]: name for name in sorted(listed, reverse=True)}
    return [
        Place(place.path, name)
        for state, name in sorted(first.items(), key=lambda one: one[1])
        for place in folders
        if state_of[place.machine] != state
    ]


def parted(places: Sequence[Place]) -> tuple[list[Place], list[Place]]:
    """Return the places with files, and the inventories."""
    from signer.audit.inventory_entries import is_inventory

    files = [one for one in places if not is_inventory(one.path)]
    return files, [one for one in places if is_inventory(one.path)]


def disks(places: Sequence[Place]) -> dict[str, Disk]:
    """Return the disk of each machine; one of a call without machines if it is the only place."""
    from signer.audit.disk import disk_at

    alone = len(places) == 1
    found = {place.machine: disk_at(place.path) for place in places if place.machine or alone}
    return {name: disk for name, disk in found.items() if disk is not None}

"""Keep the units that are left to examine in a temporary file, so that their number is known and memory stays small."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from signer.audit.disk import Disk
from signer.audit.units import Unit


class Pending:
    """Units in their order, each with its key in the cache."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._count = 0
        self._disks: dict[Disk | None, int] = {}

    def __len__(self) -> int:
        return self._count

    def add(self, unit: Unit, key: bytes | None) -> None:
        """Add a unit at the end."""
        archives = (unit.archive,) if unit.archive is not None else ()
        paths = [[str(path) for path in found] for found in (unit.infs, unit.files, unit.catalogs, archives)]
        disk = self._disks.setdefault(unit.disk, len(self._disks))
        line = [str(unit.folder), paths, unit.machine, unit.unreadable, disk, key.hex() if key is not None else None]
        self._file.write(f"{json.dumps(line)}\n")
        self._count += 1

    def __iter__(self) -> Iterator[tuple[Unit, bytes | None]]:
        """Yield the units and their keys. Called once, after all were added."""
        self._file.seek(0)
        disks = list(self._disks)
        for line in self._file:
            folder, paths, machine, unreadable, disk, key = json.loads(line)
            infs, files, catalogs, archives = (tuple(map(Path, found)) for found in paths)
            unit = Unit(
                Path(folder), infs, files, catalogs, machine, unreadable, disks[disk], next(iter(archives), None)
            )
            yield unit, bytes.fromhex(key) if key is not None else None


@contextmanager
def pending_units() -> Iterator[Pending]:
    """Provide an empty list of units; its file is deleted when the block ends."""
    with tempfile.TemporaryFile("w+", encoding="ascii") as file:
        yield Pending(file)

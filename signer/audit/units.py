"""List the work of an audit: one unit for each folder with driver files, in sorted order and without reading any."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from signer.audit.disk import Disk, disk_above, disk_at
from signer.errors import FileError
from signer.records import dataclass

_MAX_FILES = 256
"""Maximum number of loose files of one unit, so that the work is spread."""
ARCHIVES = frozenset({".cab", ".zip", ".iso", ".msi"})
"""The suffixes of archives, which are examined if the call names them."""
CODE = frozenset({".sys", ".dll", ".exe", ".efi", ".cpl", ".ocx", ".drv", ".ax"})
"""The suffixes of files that Windows runs. Files with other suffixes are examined where an INF names them."""


@dataclass(frozen=True, slots=True)
class Place:
    """A path to audit, and the name of the machine that it comes from."""

    path: Path
    machine: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """The files of one folder that are examined together."""

    folder: Path
    infs: tuple[Path, ...] = ()
    """The INFs of the folder: they may name files of subfolders."""
    files: tuple[Path, ...] = ()
    """The images of the folder, and paths that the call named."""
    catalogs: tuple[Path, ...] = ()
    """The catalogs of the folder, in which its files are looked up."""
    machine: str = ""
    unreadable: str = ""
    """The error of a folder that can't be listed."""
    disk: Disk | None = None
    """The disk whose System32 folder the files are in."""
    archive: Path | None = None
    """An archive whose files are examined."""


def units(places: Iterable[Place]) -> Iterator[Unit]:
    """Yield the units of all places; folders are listed as they are reached. Links to folders are not followed.

    Of a disk, only the folders of drivers are examined.
    """
    for place in places:
        disk = disk_at(place.path)
        if disk is not None:
            for path in disk.places:
                yield from _below(Place(path, place.machine), disk)
        elif place.path.suffix.lower() in ARCHIVES and place.path.is_file():
            yield Unit(place.path.parent, machine=place.machine, archive=place.path)
        elif place.path.is_dir():
            yield from _below(place, disk_above(place.path))
        else:
            is_inf = place.path.suffix.lower() == ".inf"
            infs, files = ((place.path,), ()) if is_inf else ((), (place.path,))
            yield Unit(place.path.parent, infs, files, (), place.machine, disk=disk_above(place.path.parent))


def _below(place: Place, disk: Disk | None) -> Iterator[Unit]:
    errors: list[OSError] = []
    for root, folders, names in os.walk(place.path, onerror=errors.append):
        folders.sort()
        found: dict[str, list[Path]] = {}
        for path in sorted(Path(root, name) for name in names):
            found.setdefault(path.suffix.lower(), []).append(path)
        infs, catalogs = tuple(found.get(".inf", ())), tuple(found.get(".cat", ()))
        files = sorted(path for suffix in CODE for path in found.get(suffix, ()))
        whole = Unit(Path(root), infs, tuple(files), catalogs, place.machine, disk=disk)
        yield from _pieces(whole)
        yield from (_unreadable(error, place) for error in errors)
        errors.clear()
    yield from (_unreadable(error, place) for error in errors)


def _pieces(whole: Unit) -> Iterator[Unit]:
    """Yield the INFs of a folder with its first files, then the rest of the files."""
    if whole.infs or whole.files:
        yield replace(whole, files=whole.files[:_MAX_FILES])
    for start in range(_MAX_FILES, len(whole.files), _MAX_FILES):
        yield replace(whole, infs=(), files=whole.files[start : start + _MAX_FILES])


def _unreadable(error: OSError, place: Place) -> Unit:
    folder = Path(error.filename or place.path)
    return Unit(folder, machine=place.machine, unreadable=FileError(f"can't read the folder: {error.strerror}").message)

"""Read the driver files of an MSI: its cabinets name them by keys, and its tables give their folders and names."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path

from signer.audit.archive_limits import Member, bounded, is_wanted, remedy_for
from signer.audit.msi_database import MsiDatabase
from signer.cab.read import Listing, require_few_files
from signer.errors import FileError, MalformedInput, SignerError
from signer.storage.files import mapped, shell_quote

MAX_DEPTH = 100
"""Maximum number of folders that contain a file."""
MAX_PATH = 1024
"""Maximum number of characters of the path of a file. Windows Installer allows 260."""

_HERE = "."
"""A folder with this name is its parent."""


def msi_members(path: Path) -> Iterator[Member]:
    """Yield the driver files of an MSI. Raises FileError without the library, and MalformedInput."""
    with MsiDatabase(path) as database:
        names: dict[str, str] = {}
        left_out: list[Member] = []
        for key, name, fault in _files(database):
            require_few_files(len(names) + len(left_out) + 1, path.stat().st_size)
            if fault:
                left_out.append(Member(name, 0, (), fault))
            else:
                names[key] = name
        yield from bounded(itertools.chain(left_out, _members(database, names, path)), path)


def _members(database: MsiDatabase, names: Mapping[str, str], path: Path) -> Iterator[Member]:
    """Yield the wanted files of all cabinets, then those that no cabinet has, such as files beside the MSI."""
    cabinets = [str(name) for (name,) in database.rows("Media", "Cabinet") if name]
    if not names:
        return
    if not cabinets:
        raise MalformedInput(
            "the MSI has no cabinets: its files are in the folder beside it",
            hint=f"Run: drvsign audit {shell_quote(path.parent)}",
        )
    missing = dict(names)
    failed: list[SignerError] = []
    for cabinet in dict.fromkeys(cabinets):
        try:
            for key, size, content in _of_cabinet(database, cabinet, names, path):
                missing.pop(key, None)
                yield Member.of(names[key], size, content)
        except (MalformedInput, FileError) as error:
            failed.append(error)
    if failed and len(missing) == len(names):
        raise failed[0]
    reason, remedy = (failed[0].message, remedy_for(failed[0])) if failed else ("no cabinet of the MSI has it", "")
    for name in missing.values():
        yield Member(name, 0, (), reason, remedy)


def _of_cabinet(
    database: MsiDatabase, name: str, names: Mapping[str, str], path: Path
) -> Iterator[tuple[str, int, memoryview | MalformedInput]]:
    """Yield the keys, sizes and contents of the wanted files of a cabinet.

    Raises MalformedInput and FileError for all of them.
    """
    if name.startswith("#"):
        data = database.stream(name[1:])
        if data is None:
            raise MalformedInput(f"the MSI has no stream with its cabinet {name[1:]!r}")
        yield from _unpacked(data, names)
        return
    beside = path.parent / name
    if Path(name).name != name or not _is_file(beside):
        raise FileError(f"the cabinet {name!r} of the MSI is not beside it", hint="Copy it into the folder of the MSI.")
    with mapped(beside) as view:
        yield from _unpacked(view, names)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long
        return False


def _unpacked(
    data: memoryview | bytes, names: Mapping[str, str]
) -> Iterator[tuple[str, int, memoryview | MalformedInput]]:
    for one, content in Listing.parse(data).each(names.__contains__):
        yield one.name, one.size, content


def _files(database: MsiDatabase) -> Iterator[tuple[str, str, str]]:
    """Yield each wanted file: its key in the cabinets, its path, and why it can't have one (else empty)."""
    parents = {str(key): (str(parent), str(name)) for key, parent, name in database.rows("Directory", *_DIRECTORY)}
    folders = {str(key): str(folder) for key, folder in database.rows("Component", "Component", "Directory_")}
    known: dict[str, tuple[str, str]] = {}
    for key, component, name in database.rows("File", "File", "Component_", "FileName"):
        long = _long(str(name))
        if is_wanted(long):
            folder = folders.get(str(component), "")
            if folder not in known:
                known[folder] = _path(folder, parents)
            above, fault = known[folder]
            if not fault and len(above) + len(long) > MAX_PATH:
                fault = _LONG
            yield str(key), above + long[-MAX_PATH:], fault


_DIRECTORY = ("Directory", "Directory_Parent", "DefaultDir")
_LONG = f"its path in the MSI has more than {MAX_PATH:,} characters"
_DEEP = f"its folders in the MSI are nested more than {MAX_DEPTH} deep, or in a circle"


def _path(folder: str, parents: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    """Return the path of a folder with a slash at its end, and why it can't be used (else empty).

    The root, which has no parent, is left out.
    """
    parts: list[str] = []
    size = depth = 0
    while folder in parents:
        parent, name = parents[folder]
        if parent in ("", folder):
            break
        part = _long(name.partition(":")[0])
        depth, size = depth + 1, size + len(part)
        if depth > MAX_DEPTH or size > MAX_PATH:
            return "", _DEEP if depth > MAX_DEPTH else _LONG
        if part != _HERE:
            parts.append(part)
        folder = parent
    return "".join(f"{part}/" for part in reversed(parts)), ""


def _long(name: str) -> str:
    """Return the long name of `SHORT|Long`."""
    return name.rpartition("|")[2]

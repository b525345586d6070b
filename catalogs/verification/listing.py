"""List the driver packages at a path, and the files outside of them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from signer.errors import FileError, UsageError
from signer.formats.detect import by_suffix, expected, names
from signer.records import dataclass
from signer.storage.folders import walk

_AUTORUN = "autorun.inf"


@dataclass(frozen=True, slots=True)
class ListedPackages:
    """The INFs of one folder: they may share catalogs, and are verified together."""

    path: Path
    """The path for errors."""
    where: Path | tuple[Path, ...]
    """The folder, or its INFs."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file outside of packages, and the catalogs of its folder that may list it."""

    path: Path
    catalogs: tuple[Path, ...] = ()


def list_path(path: Path) -> tuple[list[ListedPackages], list[ListedFile]]:
    """Return the packages and the other files at a path. Raises FileError; UsageError for a folder without any."""
    if not path.is_dir():
        is_inf = path.suffix.lower() == ".inf" and path.is_file()
        return ([ListedPackages(path, (path,))], []) if is_inf else ([], [ListedFile(path)])
    folders = _infs_by_folder(path)
    if not folders:
        return [], _files_of(path)
    return _packages_of(path, folders), _verifiable(path, folders)


def _infs_by_folder(top: Path) -> dict[Path, list[Path]]:
    """Return the INFs of each folder in Windows' order: those of a folder, then those of its subfolders."""
    found: dict[Path, list[Path]] = {}
    for path in sorted(walk(top, suffix=".inf"), key=_windows_order):
        if path.is_file():
            found.setdefault(path.parent, []).append(path)
    return found


def _windows_order(path: Path) -> tuple[tuple[bool, str, str], ...]:
    *folders, name = path.parts
    return (*((True, folder.upper(), folder) for folder in folders), (False, name.upper(), name))


def _packages_of(top: Path, folders: dict[Path, list[Path]]) -> list[ListedPackages]:
    """Return the packages below `top`, by folder; `top` itself if only one folder has INFs of drivers."""
    drivers = {folder: infs for folder, infs in folders.items() if not all(map(_is_autorun, infs))}
    if len(drivers) < 2:
        return [ListedPackages(top, top)]
    return [ListedPackages(infs[0] if len(infs) == 1 else folder, tuple(infs)) for folder, infs in drivers.items()]


def _is_autorun(path: Path) -> bool:
    """Tell whether an INF is that of a disk for the Explorer, which is not for Setup."""
    if path.name.lower() != _AUTORUN:
        return False
    from catalogs.inf.driver import DriverInf
    from signer.errors import InfError

    try:
        return DriverInf.read(path).version.section is None
    except InfError:
        return False


def _files_of(folder: Path) -> list[ListedFile]:
    """Return the files of a folder without packages. Raises UsageError if none carries signatures."""
    found = _verifiable(folder, ())
    if not found:
        raise UsageError(
            f"no {names(also=['driver packages'])} in this folder",
            path=folder,
            hint="Name the files themselves.",
        )
    return found


def _verifiable(top: Path, packages: Collection[Path]) -> list[ListedFile]:
    """Return the files outside of packages that carry signatures, each with all catalogs below `top` for lookups.

    A file that can't be read is among them, so that only this file fails.
    """
    outside = [(path, lists) for path in walk(top, without=packages) if (lists := _lists_files(path)) is not None]
    if not outside:
        return []
    everything = outside if not packages else [(path, _lists_files(path)) for path in walk(top)]
    catalogs = tuple(path for path, lists in everything if lists)
    return [ListedFile(path, () if lists else catalogs) for path, lists in outside]


def _lists_files(path: Path) -> bool | None:
    """Tell whether a file is a catalog, by its suffix if it can't be read; None for one that carries no signatures."""
    try:
        row = expected(path)
    except FileError:
        row = by_suffix(path)
        return row is not None and row.traits.lists_files
    return row.traits.lists_files if row is not None else None

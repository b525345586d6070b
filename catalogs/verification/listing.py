"""List the driver packages at a path, and the files outside of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from signer.errors import FileError, UsageError
from signer.formats.detect import by_suffix, expected, names
from signer.records import dataclass
from signer.storage.folders import files_in, walk, walk_folders

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
    found = _found_below(path)
    if not found.infs:
        return [], _files_of(path, found)
    return _packages_of(path, found.infs), _verifiable(path, found)


@dataclass(frozen=True, slots=True)
class _Found:
    """The files below a folder that matter for its verification."""

    infs: dict[Path, list[Path]]
    """The INFs of each folder in Windows' order: those of a folder, then those of its subfolders."""
    outside: list[tuple[Path, bool]]
    """The files outside of packages that carry signatures, and whether each is a catalog."""


def _found_below(top: Path) -> _Found:
    """Walk a folder once. What is in a folder with an INF, or below it, belongs to packages."""
    infs: list[Path] = []
    outside: list[tuple[Path, bool]] = []
    of_packages: set[Path] = set()
    for folder, inside in walk_folders(top):
        own = [path for path in files_in(folder, filter(_is_inf, inside)) if path.is_file()]
        infs += own
        if own or folder.parent in of_packages:
            of_packages.add(folder)
        else:
            outside += _carrying_signatures(files_in(folder, inside))
    by_folder: dict[Path, list[Path]] = {}
    for path in sorted(infs, key=_windows_order):
        by_folder.setdefault(path.parent, []).append(path)
    return _Found(by_folder, outside)


def _is_inf(name: str) -> bool:
    return name.lower().endswith(".inf")


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


def _files_of(folder: Path, found: _Found) -> list[ListedFile]:
    """Return the files of a folder without packages. Raises UsageError if none carries signatures."""
    if not found.outside:
        raise UsageError(
            f"no {names(also=['driver packages'])} in this folder",
            path=folder,
            hint="Name the files themselves.",
        )
    return _verifiable(folder, found)


def _verifiable(top: Path, found: _Found) -> list[ListedFile]:
    """Return the files outside of packages, each with all catalogs below `top` for lookups.

    A file that can't be read is among them, so that only this file fails.
    """
    if not found.outside:
        return []
    everything = _carrying_signatures(walk(top)) if found.infs else found.outside
    catalogs = tuple(path for path, is_catalog in everything if is_catalog)
    return [ListedFile(path, () if is_catalog else catalogs) for path, is_catalog in found.outside]


def _carrying_signatures(paths: Iterable[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield the files that carry signatures, and whether each is a catalog."""
    return ((path, is_catalog) for path in paths if (is_catalog := _lists_files(path)) is not None)


def _lists_files(path: Path) -> bool | None:
    """Tell whether a file is a catalog, by its suffix if it can't be read; None for one that carries no signatures."""
    try:
        row = expected(path)
    except FileError:
        row = by_suffix(path)
        return row is not None and row.traits.lists_files
    return row.traits.lists_files if row is not None else None

"""Verify files, folders and driver packages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from catalogs.verification.assessment import Assessment
from catalogs.verification.files import verify_file
from catalogs.verification.query import VerifyQuery, load_catalog
from signer.errors import FileError, Interrupted, SignerError, UnfinishedRun, UsageError, unexpected_as_internal
from signer.formats.detect import by_suffix, expected, kind, names
from signer.storage.files import exists
from signer.storage.folders import walk
from signer.storage.recovery import UnfinishedRuns

Result = TypeVar("Result")
Run = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""A function like `map`, perhaps with threads or processes and a progress bar."""


def verify(paths: str | Path | Iterable[str | Path], query: VerifyQuery) -> list[Assessment]:
    """Verify files, folders and driver packages.

    A folder with an INF is a driver package. In any other folder, every file that can carry a signature is verified,
    and looked up in the folder's catalogs. Packages come first in the result. The assessment of a file that can't be
    verified contains the error. Raises UsageError if there is nothing to verify.
    """
    return list(Verification(paths, query).assessments(lambda assessment: assessment))


class Verification:
    """A verification of files, folders and driver packages, whose assessments can be taken one by one."""

    def __init__(self, paths: str | Path | Iterable[str | Path], query: VerifyQuery) -> None:
        """List what there is to verify. Raises UsageError if there is nothing, FileError."""
        self._query = query
        self._refused: list[Assessment] = []
        self._packages: list[tuple[Path, Path | list[Path]]] = []
        self._files: list[_File] = []
        self._done = 0
        runs = UnfinishedRuns()
        for path in dict.fromkeys(map(Path, [paths] if isinstance(paths, str | Path) else paths)):
            interrupted = _interrupted(path, runs)
            if interrupted is not None:
                self._refused.append(interrupted)
                continue
            where = _packages_at(path)
            if where is not None:
                self._packages.append((path, where))
            self._files += _files_at(path, in_packages=where is not None)
        if not (self._refused or self._packages or self._files):
            raise UsageError("nothing to verify", hint="Specify a driver, a catalog, or the folder of a package.")

    def assessments(
        self, serialize: Callable[[Assessment], Result], *, run: Run = map, run_members: Run = map
    ) -> Iterator[Result]:
        """Yield `serialize(assessment)` for each assessment: those of packages, then those of files, in their order.

        `run` processes the files and `run_members` the members of each package. `serialize` is called in the process
        that verified the file: if `run` uses other processes, its results must be picklable.
        """
        yield from map(serialize, self._refused)
        for path, where in self._packages:
            yield from map(serialize, _guarded(path, partial(_verify_packages, where, self._query, run_members)))
            self._done += 1

        def work(file: _File) -> list[Result]:
            return [serialize(one) for one in _guarded(file.path, partial(_verify, file, self._query))]

        for some in run(work, self._files):
            yield from some
            self._done += 1

    def left(self) -> list[Assessment]:
        """Return a failed assessment for each package and file whose assessments were not all yielded."""
        paths = [*(path for path, _ in self._packages), *(file.path for file in self._files)]
        return [_failed(path, Interrupted(path)) for path in paths[self._done :]]


@dataclass(frozen=True, slots=True)
class _File:
    """A file outside of packages, and the catalogs of its folder that may list it."""

    path: Path
    catalogs: tuple[Path, ...] = ()


def _verify(file: _File, query: VerifyQuery) -> Iterator[Assessment]:
    if not exists(file.path):
        raise FileError("file or folder not found", path=file.path, hint="Check the path.")
    yield verify_file(file.path, query, [load_catalog(path) for path in file.catalogs])


def _verify_packages(where: Path | list[Path], query: VerifyQuery, run: Run) -> Iterator[Assessment]:
    # Reading INFs takes many modules, which a call about single drivers need not load.
    from catalogs.verification.packages import verify_packages

    return verify_packages(where, query, run)


def _guarded(path: Path, work: Callable[[], Iterable[Assessment]]) -> Iterator[Assessment]:
    """Yield the assessments of `work`; convert an error to an assessment, so that other files are still verified."""
    try:
        with unexpected_as_internal():
            yield from work()
    except UsageError:
        raise
    except SignerError as error:
        yield _failed(path, error)


def _interrupted(path: Path, runs: UnfinishedRuns) -> Assessment | None:
    """Return the failure of a path that an interrupted run left with old and new files, or None."""
    try:
        runs.require_none(path)
    except UnfinishedRun as error:
        return _failed(path, error)
    return None


def _failed(path: Path, error: SignerError) -> Assessment:
    kind = "package" if path.is_dir() else _promised_kind(path)
    return Assessment(path, kind, error=error.at(path))


def _promised_kind(path: Path) -> str:
    """Return the kind that the file's suffix indicates."""
    return "package" if path.suffix.lower() == ".inf" else kind(by_suffix(path), path.suffix)


def _packages_at(path: Path) -> Path | list[Path] | None:
    """Return the folder or INFs for `verify_packages`; None without a driver package. Raises FileError."""
    if path.is_dir():
        return path if any(file.suffix.lower() == ".inf" for file in walk(path)) else None
    return [path] if path.suffix.lower() == ".inf" and path.is_file() else None


def _files_at(path: Path, *, in_packages: bool) -> list[_File]:
    """Return the files at a path outside packages. Raises UsageError for a folder without files to verify."""
    if not path.is_dir():
        return [] if in_packages else [_File(path)]
    found = _verifiable(path)
    if in_packages:
        packages = {file.parent for file in walk(path) if file.suffix.lower() == ".inf"}
        return [file for file in found if not packages & set(file.path.parents)]
    if not found:
        raise UsageError(
            f"no {names(also=['driver packages'])} in this folder",
            path=path,
            hint="Name the files themselves.",
        )
    return found


def _verifiable(folder: Path) -> list[_File]:
    """Return the files in a folder that carry signatures, each with the folder's catalogs for lookups.

    A file that can't be read is among them, so that only this file fails.
    """
    lists_files = {path: lists for path in walk(folder) if (lists := _lists_files(path)) is not None}
    catalogs = tuple(path for path, lists in lists_files.items() if lists)
    return [_File(path, () if lists else catalogs) for path, lists in lists_files.items()]


def _lists_files(path: Path) -> bool | None:
    """Tell whether a file is a catalog, by its suffix if it can't be read; None for one that carries no signatures."""
    try:
        row = expected(path)
    except FileError:
        row = by_suffix(path)
        return row is not None and row.traits.lists_files
    return row.traits.lists_files if row is not None else None

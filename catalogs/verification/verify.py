"""Verify files, folders and driver packages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from catalogs.verification.assessment import Assessment
from catalogs.verification.files import verify_file
from catalogs.verification.listing import ListedFile, ListedPackages, list_path
from catalogs.verification.query import VerifyQuery, load_catalog
from signer.errors import FileError, SignerError, UnfinishedRun, UsageError, unexpected_as_internal
from signer.formats.detect import by_suffix, kind
from signer.storage.files import exists
from signer.storage.recovery import UnfinishedRuns
from signer.verify.evidence import CatalogLookup

if TYPE_CHECKING:
    from catalogs.verification.gathered import Gathered

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

    def __init__(
        self, paths: str | Path | Iterable[str | Path], query: VerifyQuery, gathered: Gathered | None = None
    ) -> None:
        """List the packages and files to verify. Raises UsageError if there are none, FileError.

        `gathered` is the evidence that the files of packages have if they are unchanged.
        """
        self._query = query
        self._gathered = gathered
        self._refused: list[Assessment] = []
        self._packages: list[ListedPackages] = []
        self._files: list[ListedFile] = []
        self._done = 0
        self._loaded = lru_cache(maxsize=1)(_load_catalogs)
        runs = UnfinishedRuns()
        for path in dict.fromkeys(map(Path, [paths] if isinstance(paths, str | Path) else paths)):
            interrupted = _interrupted(path, runs)
            if interrupted is not None:
                self._refused.append(interrupted)
                continue
            packages, files = list_path(path)
            self._packages += packages
            self._files += files
        if not (self._refused or self._packages or self._files):
            raise UsageError("nothing to verify", hint="Specify a driver, a catalog, or the folder of a package.")

    def assessments(
        self,
        serialize: Callable[[Assessment], Result],
        *,
        packages: Run = map,
        members: Run = map,
        files: Run = map,
    ) -> Iterator[Result]:
        """Yield `serialize(assessment)` for each assessment: those of packages, then those of files, in their order.

        `packages` and `files` process these; `members` the files of a package that is the only one. `serialize` is
        called where the file is verified: for a run in other processes, its results must be picklable.
        """
        alone = len(self._packages) == 1

        def of_packages(one: ListedPackages) -> list[Result]:
            found = partial(_verify_packages, one.where, self._query, members if alone else map, self._gathered)
            return list(map(serialize, _guarded(one.path, found)))

        def of_file(one: ListedFile) -> list[Result]:
            return list(map(serialize, _guarded(one.path, partial(self._verify_file, one))))

        yield from map(serialize, self._refused)
        runs: tuple[tuple[Run, Callable[[Any], list[Result]], Sequence[Any]], ...] = (
            (packages, of_packages, self._packages),
            (files, of_file, self._files),
        )
        for run, work, items in runs:
            for results in run(work, items):
                yield from results
                self._done += 1

    def left(self, reason: Callable[[Path], SignerError]) -> list[Assessment]:
        """Return a failed assessment for each package and file whose assessments were not all yielded.

        `reason` returns the error for a path.
        """
        paths = [*(one.path for one in self._packages), *(one.path for one in self._files)]
        return [_failed(path, reason(path)) for path in paths[self._done :]]

    def _verify_file(self, one: ListedFile) -> Iterator[Assessment]:
        if not exists(one.path):
            raise FileError("file or folder not found", path=one.path, hint="Check the path.")
        yield verify_file(one.path, self._query, self._loaded(one.catalogs))


def _load_catalogs(paths: tuple[Path, ...]) -> tuple[CatalogLookup, ...]:
    return tuple(map(load_catalog, paths))


def _verify_packages(
    where: Path | Sequence[Path], query: VerifyQuery, run: Run, gathered: Gathered | None
) -> Iterator[Assessment]:
    # Reading INFs takes many modules, which a call about single drivers need not load.
    from catalogs.verification.contents import Contents
    from catalogs.verification.packages import verify_packages

    return verify_packages(where, query, run, contents=Contents(gathered=gathered))


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

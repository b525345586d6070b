"""An INF and its folder as driver packages: what one catalog each is to hold."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from catalogs.catalog import os_names
from catalogs.catalog.os_names import OsName
from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import Problem, Severity
from catalogs.inf.version import CatalogDirective
from catalogs.package import signability
from catalogs.package.compressed import packed_name
from catalogs.package.copied_files import Item, contents
from catalogs.package.folder import Folder, OutsideFolder
from catalogs.package.images import check_images, is_packed
from catalogs.package.signature_attributes import SignatureAttribute, asks_for_trust, signature_attributes
from signer.errors import InfError, PackageError

_AUTORUN = "autorun.inf"


@dataclass(frozen=True)
class PackageFile:
    """One file that the catalog vouches for."""

    name: str
    """The catalog's `File` value: the name that the file is installed under, in lower case, without directories."""
    path: Path
    """Where the file is."""
    relative: PurePosixPath
    """Where it is in the package's folder."""
    os: tuple[OsName, ...]
    """The releases that install the file, in catalog order: its `OSAttr`."""
    attributes: tuple[SignatureAttribute, ...] = ()
    """What the INF asks the catalog to say about this file."""
    packed: bool = False
    """Whether it is packed there, as driver.sy_: the catalog vouches for what it unpacks to."""


@dataclass(frozen=True)
class DriverPackage:
    """What one catalog is to hold."""

    infs: tuple[Path, ...]
    """The INFs that name this catalog: mostly one; several may share it."""
    catalog: Path
    """Where the catalog belongs: beside the INF, named as its CatalogFile directive says."""
    architecture: str
    """The decoration of the CatalogFile directive: `x86`, `amd64`, `ia64`, `arm`, `arm64`; `any` without one."""
    files: tuple[PackageFile, ...]
    """The members: the INFs first, then the files in the order in which the INFs name them."""
    hardware_ids: tuple[str, ...]
    """HWID1, HWID2, … in this order, in lower case."""
    os: tuple[OsName, ...]
    """The releases of the catalog's `OS` attribute, in its order."""
    os_chosen: bool
    """Whether the releases were chosen from the INF's own decorations, because none were given."""
    pe_trusted: bool = False
    """Whether any INF of the run has a section that says PETrust = true: the catalog's PE = TRUSTED."""
    problems: tuple[Problem, ...] = ()
    """Warnings; with an error there is no package."""

    @property
    def inf(self) -> Path:
        """The INF, or the first of several."""
        return self.infs[0]

    @property
    def catalog_name(self) -> str:
        """The file name of the catalog: as the INF spells it, or as a catalog that is there is spelled."""
        return self.catalog.name


@dataclass(frozen=True)
class Survey:
    """What was found in one run over some INFs."""

    packages: tuple[DriverPackage, ...]
    """One for each catalog, as far as it could be made out: with an error among the problems it is not to be used."""
    problems: tuple[Problem, ...]
    """All that is wrong, in the order of the INFs."""
    uncatalogued: tuple[DriverPackage, ...] = ()
    """What INFs that name no catalog for an architecture would install there; the name of the catalog is made up."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that forbid the catalogs."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    def require_sound(self, where: Path | Sequence[Path]) -> None:
        """Raise PackageError, with every problem that was found at `where`, if one of them is an error."""
        if self.errors:
            count = len(self.errors)
            raise PackageError(
                f"{count} problems forbid the catalog" if count > 1 else "no catalog can be made",
                problems=self.problems,
                path=where if isinstance(where, Path) else where[0],
            )


def read_packages(where: Path | Sequence[Path], os: Sequence[OsName] | None = None) -> list[DriverPackage]:
    """The packages that `survey_packages` finds. Raises PackageError if any problem is an error, and FileError."""
    survey = survey_packages(where, os)
    survey.require_sound(where)
    return list(survey.packages)


def survey_packages(
    where: Path | Sequence[Path],
    os: Sequence[OsName] | None = None,
    *,
    today: datetime.date | None = None,
) -> Survey:
    """The driver packages of a folder and all below it, or of some INFs: one for each catalog that they name.

    `os` says what releases the catalogs are for; without it they are those of the INFs' own decorations. `today` is
    compared with DriverVer; without it any date will do. Raises FileError.
    """
    paths = _inf_paths(where)
    drivers: list[DriverInf] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            driver = DriverInf.read(path)
        except InfError as error:
            problems.append(_unreadable(error, path))
            continue
        if driver.version.section is None and path.name.lower() == _AUTORUN:
            continue
        drivers.append(driver)
    if not paths or (not drivers and not problems):
        problems.append(_no_inf(where))
    run = _Run(tuple(drivers), None if os is None else os_names.in_order(os), today)
    packages = run.packages()
    problems += run.problems
    problems += _strangers(where, packages)
    return Survey(tuple(packages), _each_once(problems), tuple(run.uncatalogued()))


def _strangers(where: Path | Sequence[Path], packages: Sequence[DriverPackage]) -> Iterator[Problem]:
    """Files of Windows that lie in a folder and are no member of any catalog."""
    members = {file.path for package in packages for file in package.files}
    names = os_names.in_order(name for package in packages for name in package.os)
    for root in [where] if isinstance(where, Path) else where:
        for path in Folder(root).files() if root.is_dir() else ():
            if path not in members:
                yield from signability.redistributed(path, root, names)


def _each_once(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """The problems, the first of those that say the same about the same line."""
    found = {(problem.code, problem.path, problem.line, problem.message): problem for problem in reversed(problems)}
    return tuple(reversed(found.values()))


def _inf_paths(where: Path | Sequence[Path]) -> list[Path]:
    """The INFs of a run: those of a folder, or those that were named."""
    named = [where] if isinstance(where, Path) else list(where)
    paths = (path for name in named for path in (Folder(name).infs() if name.is_dir() else (name,)))
    return list(dict.fromkeys(paths))


class _Run:
    """What Inf2Cat does in one go: some INFs, their catalogs, and the hardware IDs of them all in each catalog."""

    def __init__(
        self, drivers: tuple[DriverInf, ...], os: tuple[OsName, ...] | None, today: datetime.date | None
    ) -> None:
        self._drivers = drivers
        self._os = os
        self._today = today
        self._folders: dict[Path, Folder] = {}
        # The asterisk that stands for any bus is left out: *PNP0501 becomes pnp0501 (measured).
        ids = (id_.removeprefix("*") for driver in drivers for id_ in driver.hardware_ids)
        self._ids = tuple(dict.fromkeys(ids))
        self._trusted = any(asks_for_trust(driver.inf) for driver in drivers)
        self._without: list[tuple[DriverInf, tuple[OsName, ...]]] = []
        self.problems: list[Problem] = []

    def packages(self) -> list[DriverPackage]:
        """One package for each catalog, with the problems of each left in `problems`."""
        groups: dict[tuple[Path, str, str], list[tuple[DriverInf, tuple[OsName, ...]]]] = {}
        for driver in self._drivers:
            names = driver.releases if self._os is None else self._os
            self.problems += driver.text.problems
            self.problems += signability.check_version(driver, names, self._today)
            for directive, names in self._catalogs(driver).items():
                key = (driver.path.parent, directive.name.lower(), directive.architecture)
                groups.setdefault(key, []).append((driver, names))
        return [self._package(key[2], members, self._named(members)) for key, members in groups.items()]

    def uncatalogued(self) -> list[DriverPackage]:
        """One package for each INF that names no catalog somewhere. That it names none is all that is noted."""
        before = len(self.problems)
        found = [self._package("any", [one], one[0].path.with_suffix(".cat")) for one in self._without]
        del self.problems[before:]
        return found

    def _named(self, members: list[tuple[DriverInf, tuple[OsName, ...]]]) -> Path:
        """Where the catalog of these INFs belongs."""
        driver, names = members[0]
        directive = driver.version.catalog(names[0].architecture)
        assert directive is not None
        return self._catalog_path(driver.path, directive.name)

    def _catalogs(self, driver: DriverInf) -> dict[CatalogDirective, tuple[OsName, ...]]:
        """The catalogs that an INF needs, each with the releases that will look for it."""
        names = driver.releases if self._os is None else self._os
        if not names:
            self.problems.append(signability.no_releases(driver))
        found: dict[CatalogDirective, list[OsName]] = {}
        without: list[OsName] = []
        for architecture in dict.fromkeys(name.architecture for name in names):
            directive = driver.version.catalog(architecture)
            if directive is None:
                self.problems.append(signability.missing_catalog_file(driver, architecture))
                without += [name for name in names if name.architecture == architecture]
            elif bad_name := tuple(signability.check_catalog_name(driver, directive)):
                self.problems += bad_name
            else:
                found.setdefault(directive, []).extend(name for name in names if name.architecture == architecture)
        if without:
            self._without.append((driver, os_names.in_order(without)))
        return {directive: os_names.in_order(group) for directive, group in found.items()}

    def _package(
        self, architecture: str, members: list[tuple[DriverInf, tuple[OsName, ...]]], catalog: Path
    ) -> DriverPackage:
        """The package of the INFs that share a catalog."""
        names = os_names.in_order(name for _, group in members for name in group)
        before = len(self.problems)
        files: dict[tuple[str, Path], PackageFile] = {}
        for driver, group in members:
            for file in (_inf_file(driver, group), *self._files(driver, group)):
                known = files.setdefault((file.name, file.path), file)
                files[file.name, file.path] = replace(known, os=os_names.in_order((*known.os, *file.os)))
        ordered = sorted(files.values(), key=lambda file: not any(file.path == driver.path for driver, _ in members))
        found = tuple(problem for problem in self.problems[before:] if problem.severity is Severity.WARNING)
        return DriverPackage(
            tuple(driver.path for driver, _ in members),
            catalog,
            architecture,
            tuple(ordered),
            self._ids,
            names,
            self._os is None,
            self._trusted,
            found,
        )

    def _catalog_path(self, inf: Path, name: str) -> Path:
        """Where the catalog belongs. One that is there is the same on Windows, whatever the case of its letters."""
        with contextlib.suppress(OutsideFolder):
            return self._folder(inf.parent).find([name]) or inf.with_name(name)
        return inf.with_name(name)

    def _files(self, driver: DriverInf, names: tuple[OsName, ...]) -> Iterator[PackageFile]:
        """The files that an INF brings, where they are, with their problems left in `problems`."""
        folder = self._folder(driver.path.parent)
        architectures = tuple(dict.fromkeys(name.architecture for name in names))
        found = contents(driver, architectures)
        self.problems += signability.check_contents(driver, found)
        located = [(item, path) for item in found.items if (path := self._find(driver, folder, item)) is not None]
        self.problems += check_images(driver, located, architectures)
        attributes = signature_attributes(driver.inf)
        for item, path in located:
            os = tuple(name for name in names if name.architecture == item.on)
            name = item.copy.target.lower()
            yield PackageFile(
                name,
                path,
                PurePosixPath(path.relative_to(folder.root).as_posix()),
                os,
                attributes.get(name, ()) or attributes.get(item.copy.source.lower(), ()),
                is_packed(item, path),
            )

    def _find(self, driver: DriverInf, folder: Folder, item: Item) -> Path | None:
        """Where a file is. A problem is noted where it isn't in the folder or the path leads out of it."""
        if item.source is None or not signability.is_file_name(item.copy.target):
            return None
        names = (item.copy.source, packed_name(item.copy.source))
        try:
            places = (folder.find((*item.source.folders, name)) for name in names)
            path = next(filter(None, places), None)
        except OutsideFolder:
            self.problems.append(signability.outside_folder(driver, item))
            return None
        if path is None:
            self.problems += [signability.missing_file(driver, item)] if item.certain else []
        elif twins := folder.twins(path):
            self.problems.append(signability.ambiguous_name(driver, item, path, twins))
        return path

    def _folder(self, path: Path) -> Folder:
        return self._folders.setdefault(path, Folder(path))


def _inf_file(driver: DriverInf, names: tuple[OsName, ...]) -> PackageFile:
    path = driver.path
    return PackageFile(path.name.lower(), path, PurePosixPath(path.name), names)


def _unreadable(error: InfError, path: Path) -> Problem:
    return Problem(error.code, error.message, path, error.line, error.hint)


def _no_inf(where: Path | Sequence[Path]) -> Problem:
    path = where if isinstance(where, Path) else None
    return Problem("no-inf", "there is no driver's INF here", path, hint="Name the folder that the INF is in.")

"""Find the driver packages of a folder: for each catalog, the INFs, files, hardware IDs and Windows releases."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath

from catalogs.catalog import os_names
from catalogs.catalog.os_names import OsName
from catalogs.inf.driver import DriverInf
from catalogs.inf.garbled import garbled_text
from catalogs.inf.install import CopiedFile
from catalogs.inf.problems import PackageProblem, Severity
from catalogs.inf.version import CatalogDirective
from catalogs.package import signability
from catalogs.package.copied_files import copied_files
from catalogs.package.folder import Folder, OutsideFolder
from catalogs.package.images import check_images, is_compressed
from catalogs.package.locate import locate
from catalogs.package.signature_attributes import SignatureAttribute, requests_pe_trust, signature_attributes
from catalogs.package.templates import NewInf, templates_in
from signer.errors import InfError, PackageError
from signer.records import dataclass
from signer.storage.files import shell_quote

_AUTORUN = "autorun.inf"

FolderAt = Callable[[Path], Folder]
"""Returns the folder at a path, the same one each time, so that it is listed once."""


@dataclass(frozen=True, slots=True)
class PackageFile:
    """One file of a driver package: a future catalog member."""

    name: str
    """The member's `File` attribute: the name of the installed file in lower case, without a folder."""
    path: Path
    """Path of the file."""
    root: Path
    """The package folder, which is that of the INF."""
    os: tuple[OsName, ...]
    """Releases that install the file, in catalog order: its `OSAttr`."""
    attributes: tuple[SignatureAttribute, ...] = ()
    """Signature attributes that the INF requests for the file."""
    compressed: bool = False
    """True for a compressed file such as driver.sy_: the catalog lists the uncompressed file."""
    new: NewInf | None = None
    """The INF that a template becomes and that signing writes; None for a file that exists."""

    @property
    def origin(self) -> Path:
        """Path of the existing file: the template of an INF that signing writes."""
        return self.path if self.new is None else self.new.template

    @property
    def relative(self) -> PurePosixPath:
        """Path relative to the package folder."""
        return PurePosixPath(*self._parts)

    @property
    def location(self) -> tuple[str, ...]:
        """The parts of its relative path in lower case."""
        return tuple(map(str.lower, self._parts))

    @property
    def _parts(self) -> tuple[str, ...]:
        return self.path.parts[len(self.root.parts) :]


@dataclass(frozen=True)
class DriverPackage:
    """The INFs and files of one catalog."""

    infs: tuple[Path, ...]
    """The INFs that name this catalog; usually one."""
    catalog: Path
    """Path of the catalog: the folder of the INF and the name in its CatalogFile directive."""
    architecture: str
    """Decoration of the CatalogFile directive: `x86`, `amd64`, `ia64`, `arm` or `arm64`; `any` without one."""
    files: tuple[PackageFile, ...]
    """The members: the INFs, then the files in INF order."""
    hardware_ids: tuple[str, ...]
    """HWID1, HWID2, … in lower case."""
    os: tuple[OsName, ...]
    """Releases in the catalog's `OS` attribute, in order."""
    os_chosen: bool
    """True if the releases come from the INF's decorations because the caller gave none."""
    pe_trusted: bool = False
    """True if an INF of the run requests PETrust = true: the catalog gets PE = TRUSTED."""
    problems: tuple[PackageProblem, ...] = ()
    """Warnings. Packages with errors must not be used."""

    @property
    def inf(self) -> Path:
        """The INF, or the first of several."""
        return self.infs[0]

    @property
    def new_infs(self) -> tuple[NewInf, ...]:
        """The INFs that signing writes."""
        return tuple(file.new for file in self.files if file.new is not None)

    def drivers(self) -> tuple[DriverInf, ...]:
        """Read and parse the INFs. Raises InfError and FileError."""
        new = {file.path: file.new.data for file in self.files if file.new is not None}
        return tuple(DriverInf.parse(new[inf], inf) if inf in new else DriverInf.read(inf) for inf in self.infs)

    @property
    def catalog_name(self) -> str:
        """File name of the catalog, spelled as the existing catalog file or else as in the INF."""
        return self.catalog.name


@dataclass(frozen=True)
class Survey:
    """The packages and problems of one run."""

    packages: tuple[DriverPackage, ...]
    """One for each catalog. Do not use them if `errors` is not empty."""
    problems: tuple[PackageProblem, ...]
    """All problems, in the order of the INFs."""
    uncatalogued: tuple[DriverPackage, ...] = ()
    """Packages of INFs without a catalog for an architecture; their catalog name is invented."""

    @property
    def errors(self) -> tuple[PackageProblem, ...]:
        """Problems that prevent the catalogs from being built."""
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)

    def require_sound(self, where: Path | Sequence[Path]) -> None:
        """Raise PackageError, with all problems found at `where`, if there is an error."""
        if self.errors:
            count = len(self.errors)
            raise PackageError(
                f"the catalog can't be built: {count} error{'s' if count > 1 else ''}",
                problems=self.problems,
                path=where if isinstance(where, Path) else where[0],
            )


def read_packages(where: Path | Sequence[Path], os: Sequence[OsName] | None = None) -> list[DriverPackage]:
    """Return the packages that `survey_packages` finds. Raises FileError, and PackageError if there is an error."""
    survey = survey_packages(where, os)
    survey.require_sound(where)
    return list(survey.packages)


def survey_packages(
    where: Path | Sequence[Path],
    os: Sequence[OsName] | None = None,
    *,
    today: datetime.date | None = None,
    to_verify: bool = False,
    new_infs: Sequence[NewInf] = (),
) -> Survey:
    """Find the driver packages of a folder and its subfolders, or of INFs: one for each catalog that the INFs name.

    `os` gives the target releases of the catalogs; by default they come from the INFs' decorations. `to_verify` adds
    those that Inf2Cat leaves out unless they are named, and does not read the drivers, as verification does. `today` is
    the latest date that DriverVer may have; by default the date is not checked. `new_infs` are read in addition to the
    existing INFs, or instead of them. Raises FileError.
    """
    new = {one.path: one for one in new_infs}
    folder_at: FolderAt = cache(Folder)
    paths = _inf_paths(where, new, folder_at)
    drivers: list[DriverInf] = []
    problems: list[PackageProblem] = []
    for path in paths:
        try:
            driver = DriverInf.parse(new[path].data, path) if path in new else DriverInf.read(path)
        except InfError as error:
            problems.append(_unreadable(error, path))
            continue
        if driver.version.section is None and path.name.lower() == _AUTORUN:
            continue
        drivers.append(driver)
    if not paths or (not drivers and not problems):
        problems.append(_no_inf(where))
    releases = None if os is None else os_names.in_order(os)
    run = _Run(tuple(drivers), releases, today, new, folder_at, to_verify=to_verify)
    packages = run.packages()
    problems += run.problems
    problems += _extra_windows_files(where, packages, folder_at)
    located = [one if (found := new.get(Path(one.path or ""))) is None else found.located(one) for one in problems]
    return Survey(tuple(packages), _without_duplicates(located), tuple(run.uncatalogued()))


def _extra_windows_files(
    where: Path | Sequence[Path], packages: Sequence[DriverPackage], folder_at: FolderAt
) -> Iterator[PackageProblem]:
    """Find files of Windows in the folders that are not members of any catalog."""
    names = os_names.in_order(name for package in packages for name in package.os)
    for root in [where] if isinstance(where, Path) else where:
        for path in folder_at(root).files(signability.is_of_windows) if root.is_dir() else ():
            if not any(path == file.path for package in packages for file in package.files):
                yield from signability.redistributed(path, root, names)


def _without_duplicates(problems: Sequence[PackageProblem]) -> tuple[PackageProblem, ...]:
    """Remove repeated problems: the same code and message for the same line."""
    found = {(problem.code, problem.path, problem.line, problem.message): problem for problem in reversed(problems)}
    return tuple(reversed(found.values()))


def _inf_paths(where: Path | Sequence[Path], new: Mapping[Path, NewInf], folder_at: FolderAt) -> list[Path]:
    """Return the INFs in the folders, the INFs that were named, and new ones, in Windows' order."""
    named = [where] if isinstance(where, Path) else list(where)
    paths = dict.fromkeys(path for name in named for path in (folder_at(name).infs() if name.is_dir() else (name,)))
    return sorted({**paths, **new}, key=_windows_order) if new else list(paths)


def _windows_order(path: Path) -> list[tuple[bool, str]]:
    """Return a key that sorts the files of a folder before those of its subfolders, as `Folder.files`."""
    return [(True, part.upper()) for part in path.parts[:-1]] + [(False, path.name.upper())]


class _Run:
    """One Inf2Cat run: several INFs and their catalogs; each catalog has the hardware IDs of all INFs."""

    def __init__(
        self,
        drivers: tuple[DriverInf, ...],
        os: tuple[OsName, ...] | None,
        today: datetime.date | None,
        new: Mapping[Path, NewInf],
        folder_at: FolderAt,
        *,
        to_verify: bool,
    ) -> None:
        self._drivers = drivers
        self._new = new
        self._os = os
        self._today = today
        self._to_verify = to_verify
        self._folder_at = folder_at
        # Inf2Cat removes the leading asterisk: *PNP0501 becomes pnp0501 (measured).
        ids = (id_.removeprefix("*") for driver in drivers for id_ in driver.hardware_ids)
        self._ids = tuple(dict.fromkeys(ids))
        self._pe_trusted = any(requests_pe_trust(driver.inf) for driver in drivers)
        self._without_catalog: list[tuple[DriverInf, tuple[OsName, ...]]] = []
        self.problems: list[PackageProblem] = []

    def packages(self) -> list[DriverPackage]:
        """Return one package for each catalog; add problems to `problems`."""
        groups: dict[tuple[Path, str, str], list[tuple[DriverInf, tuple[OsName, ...]]]] = {}
        for driver in self._drivers:
            names = self._names(driver)
            self.problems += driver.text.problems
            self.problems += garbled_text(driver)
            self.problems += signability.check_version(driver, names, self._today)
            for directive, names in self._catalogs(driver).items():
                key = (driver.path.parent, directive.name.lower(), directive.architecture)
                groups.setdefault(key, []).append((driver, names))
        return [self._package(key[2], members, self._catalog_named_by(members)) for key, members in groups.items()]

    def _names(self, driver: DriverInf) -> tuple[OsName, ...]:
        """Return the releases that the catalog of an INF is for."""
        if self._os is not None:
            return self._os
        return driver.all_releases if self._to_verify else driver.releases

    def uncatalogued(self) -> list[DriverPackage]:
        """Return one package for each INF that lacks a catalog; the only problem reported is the missing directive."""
        before = len(self.problems)
        found = [self._package("any", [one], one[0].path.with_suffix(".cat")) for one in self._without_catalog]
        del self.problems[before:]
        return found

    def _catalog_named_by(self, members: list[tuple[DriverInf, tuple[OsName, ...]]]) -> Path:
        """Return the path of the catalog that these INFs name."""
        driver, names = members[0]
        directive = driver.version.catalog(names[0].architecture)
        assert directive is not None
        return self._catalog_path(driver.path, directive.name)

    def _catalogs(self, driver: DriverInf) -> dict[CatalogDirective, tuple[OsName, ...]]:
        """Return the CatalogFile directives of an INF, each with the releases that use it."""
        names = self._names(driver)
        if not names:
            self.problems.append(signability.no_releases(driver))
        found: dict[CatalogDirective, list[OsName]] = {}
        without: list[OsName] = []
        for architecture in dict.fromkeys(name.architecture for name in names):
            directive = driver.version.catalog(architecture)
            if directive is None:
                self.problems.append(signability.missing_catalog_file(driver, architecture))
                without += [name for name in names if name.architecture == architecture]
            elif invalid_name := tuple(signability.check_catalog_name(driver, directive)):
                self.problems += invalid_name
            else:
                found.setdefault(directive, []).extend(name for name in names if name.architecture == architecture)
        if without:
            self._without_catalog.append((driver, os_names.in_order(without)))
        return {directive: os_names.in_order(group) for directive, group in found.items()}

    def _package(
        self, architecture: str, members: list[tuple[DriverInf, tuple[OsName, ...]]], catalog: Path
    ) -> DriverPackage:
        """Return the package of the INFs that share a catalog."""
        names = os_names.in_order(name for _, group in members for name in group)
        before = len(self.problems)
        files: dict[tuple[str, str], PackageFile] = {}
        for driver, group in members:
            for file in (_inf_file(driver, group, self._new.get(driver.path)), *self._files(driver, group)):
                key = (file.name, str(file.path))
                known = files.setdefault(key, file)
                if known is not file:
                    files[key] = replace(known, os=os_names.in_order((*known.os, *file.os)))
        infs = {str(driver.path) for driver, _ in members}
        ordered = sorted(files.values(), key=lambda file: str(file.path) not in infs)
        found = tuple(problem for problem in self.problems[before:] if problem.severity is Severity.WARNING)
        return DriverPackage(
            tuple(driver.path for driver, _ in members),
            catalog,
            architecture,
            tuple(ordered),
            self._ids,
            names,
            self._os is None,
            self._pe_trusted,
            found,
        )

    def _catalog_path(self, inf: Path, name: str) -> Path:
        """Return the path of the catalog: an existing file whose name differs only in case, or a new file."""
        with contextlib.suppress(OutsideFolder):
            return self._folder_at(inf.parent).find([name]) or inf.with_name(name)
        return inf.with_name(name)

    def _files(self, driver: DriverInf, names: tuple[OsName, ...]) -> Iterator[PackageFile]:
        """Yield the existing files that an INF copies; add problems to `problems`."""
        folder = self._folder_at(driver.path.parent)
        architectures = tuple(dict.fromkeys(name.architecture for name in names))
        found = copied_files(driver, architectures, names)
        self.problems += signability.check_copied_files(driver, found, names)
        self.problems += signability.check_tag_files(driver, folder, names)
        located = [(item, path) for item in found.items if (path := self._find(driver, folder, item)) is not None]
        if not self._to_verify:
            self.problems += check_images(driver, located, names)
        attributes = signature_attributes(driver.inf)
        releases = {one: tuple(name for name in names if name.architecture == one) for one in architectures}
        for item, path in located:
            name = item.copy.target.lower()
            yield PackageFile(
                name,
                path,
                folder.root,
                releases[item.on],
                attributes.get(name, ()) or attributes.get(item.copy.source.lower(), ()),
                is_compressed(item, path),
            )

    def _find(self, driver: DriverInf, folder: Folder, item: CopiedFile) -> Path | None:
        """Return the path of a file; add a problem if it is missing or outside the package folder."""
        found = locate(driver, folder, item)
        if isinstance(found, Path):
            if case_variants := folder.case_variants(found):
                self.problems.append(signability.ambiguous_name(driver, item, found, case_variants))
            return found
        if found is not None and (item.required or found.code == "outside-package"):
            self.problems.append(found)
        return None


def _inf_file(driver: DriverInf, names: tuple[OsName, ...], new: NewInf | None) -> PackageFile:
    path = driver.path
    return PackageFile(path.name.lower(), path, path.parent, names, new=new)


def _unreadable(error: InfError, path: Path) -> PackageProblem:
    return PackageProblem(error.code, error.message, path, error.line, error.hint)


def _no_inf(where: Path | Sequence[Path]) -> PackageProblem:
    path = where if isinstance(where, Path) else None
    for template in templates_in(where) if isinstance(where, Path) and where.is_dir() else ():
        target = shell_quote(template.with_suffix(".inf"))
        hint = f"Make its INF: drvsign inf stamp {shell_quote(template)} --output {target}"
        return PackageProblem("no-inf", f"no driver INF found, only the template {template.name}", path, hint=hint)
    return PackageProblem("no-inf", "no driver INF found", path, hint="Specify the folder that contains the INF.")

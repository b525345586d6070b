"""Gather the evidence of driver packages: the files of their INFs and the catalogs that list them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from catalogs.catalog.file import Catalog
from catalogs.inf.problems import PackageProblem
from catalogs.package.driver_package import DriverPackage, PackageFile, Survey, survey_packages
from catalogs.package.folder import Folder
from catalogs.package.images import service_binaries
from catalogs.package.newlines import diagnose
from catalogs.verification.checked_package import CheckedFile, CheckedPackage, Each, PathsOf
from catalogs.verification.contents import ON_DISK, Contents
from signer.errors import PackageError, SignerError, unexpected_as_internal
from signer.storage.files import read
from signer.verify.evidence import CatalogLookup, Evidence


def check_packages(
    where: Path | Sequence[Path],
    catalogs: Sequence[CatalogLookup],
    paths_of: PathsOf,
    *,
    contents: Contents = ON_DISK,
    each: Each = map,
    left_out: Callable[[PackageProblem], None] | None = None,
    failed: Callable[[DriverPackage, SignerError], None] | None = None,
) -> list[CheckedPackage]:
    """Read the packages of a folder, or of INFs, and gather the evidence of every file in them.

    `catalogs` are used in addition to those that the INFs name. Problems that prevent building a catalog but not the
    installation, such as a DriverVer date in the future, are ignored. `left_out` receives the problem of each INF that
    is in no package, and `failed` the error of a package that can't be read; without `failed`, it is raised. Raises
    PackageError if there is no driver package, FileError and MalformedInput.
    """
    survey = survey_packages(where, to_verify=True)
    if not (survey.packages or survey.uncatalogued):
        raise PackageError(
            "no readable driver package",
            problems=survey.errors,
            path=_shown(where),
            hint=_hint(survey),
        )
    if left_out is not None:
        for problem in _left_out(survey):
            left_out(problem)
    found = []
    for packages, named in ((survey.packages, True), (survey.uncatalogued, False)):
        for package in packages:
            try:
                with unexpected_as_internal():
                    found.append(_check_surveyed(package, catalogs, paths_of, contents, each, named=named))
            except SignerError as error:
                if failed is None:
                    raise
                failed(package, error)
    return found


def check_package(
    package: DriverPackage,
    catalog: Catalog | None,
    paths_of: PathsOf,
    *,
    catalogs: Sequence[CatalogLookup] = (),
    contents: Contents = ON_DISK,
    each: Each = map,
) -> CheckedPackage:
    """Gather the evidence of a package with this catalog. Raises FileError and MalformedInput."""
    lookups = (*([catalog] if catalog is not None else ()), *catalogs)
    drivers = package.drivers()
    services = {name: service for driver in reversed(drivers) for name, service in service_binaries(driver).items()}

    def checked(file: PackageFile) -> CheckedFile:
        evidence = contents.evidence_of(file.path, lookups, file.compressed, file.relative.name)
        newlines = _newline_problem(file.path, evidence, catalog) if catalog is not None else None
        return CheckedFile(file, evidence, paths_of(evidence), services.get(file.relative.name.lower()), newlines)

    signature = None
    if catalog is not None:
        signature = contents.evidence_of_catalog(catalog.signed_data, catalog.name or package.catalog_name)
    return CheckedPackage(package, catalog, signature, tuple(each(checked, package.files)), drivers=drivers)


def _left_out(survey: Survey) -> Iterator[PackageProblem]:
    """Yield the first error of each INF that is in no package."""
    known = {inf for package in (*survey.packages, *survey.uncatalogued) for inf in package.infs}
    for problem in survey.errors:
        path = Path(problem.path) if problem.path is not None else None
        if path is not None and path not in known and path.suffix.lower() == ".inf":
            known.add(path)
            yield problem


def _check_surveyed(
    package: DriverPackage,
    catalogs: Sequence[CatalogLookup],
    paths_of: PathsOf,
    contents: Contents,
    each: Each,
    *,
    named: bool,
) -> CheckedPackage:
    path = Folder(package.catalog.parent).find([package.catalog_name]) if named else None
    catalog = _parsed(read(path), path) if path is not None else None
    checked = check_package(package, catalog, paths_of, catalogs=catalogs, contents=contents, each=each)
    return replace(checked, catalog_path=path, named=named)


def _parsed(data: bytes, path: Path) -> Catalog:
    try:
        return Catalog.parse(data, path.name)
    except SignerError as error:
        raise error.at(path) from error


def _newline_problem(path: Path, evidence: Evidence, catalog: Catalog) -> PackageProblem | None:
    """Return the problem of a file that the catalog does not list only because of its newlines, or None."""
    if evidence.kind != "file" or any(catalog.contains(digest) for digest in evidence.digests.values()):
        return None
    changed = diagnose(read(path), catalog.contains)
    return changed.problem(path) if changed is not None else None


def _shown(where: Path | Sequence[Path]) -> Path:
    return where if isinstance(where, Path) else where[0]


def _hint(survey: Survey) -> str | None:
    return next((problem.hint for problem in survey.errors if problem.hint), None)

"""Lint an INF: its syntax and rules, the files in its folder, and an existing catalog."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from catalogs.build import hash_path
from catalogs.catalog.file import Catalog
from catalogs.catalog.os_names import OsName
from catalogs.folder_check import find
from catalogs.inf import rules
from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import PackageProblem, Severity
from catalogs.inf.rules import DEFAULT, RuleSet
from catalogs.inf.text import decode
from catalogs.package.driver_package import DriverPackage, PackageFile, survey_packages
from signer.errors import InfError, MalformedInput
from signer.storage.files import exists, read
from signer.storage.streams import STANDARD


def lint(
    path: Path,
    os: Sequence[OsName] | None = None,
    *,
    today: datetime.date | None = None,
    files: bool = True,
    rule_set: RuleSet = DEFAULT,
) -> list[PackageProblem]:
    """Return the problems of an INF or INX, in line order.

    If `files` is false, for a StampInf template and for the standard input, only the INF is checked. Raises FileError
    if the INF exists and can't be read.
    """
    if not exists(path):
        return [rules.unparsed("1000", path, None, path.name)]
    try:
        driver = DriverInf.read(path)
    except InfError as error:
        return _unparsed(path, error)
    found = rules.check(driver, rule_set)
    if files and path != STANDARD and not rules.is_template(driver):
        survey = survey_packages([path], os, today=today)
        found += survey.problems
        found += [problem for package in survey.packages for problem in check_stale(package)]
    else:
        found += driver.text.problems
    return sorted(dict.fromkeys(found), key=lambda problem: problem.line or 0)


def infverif_warnings(packages: Iterable[DriverPackage]) -> list[PackageProblem]:
    """Return what InfVerif reports of the INFs of packages, as warnings: Windows installs them all the same.

    Of each code, only the first place in an INF is returned, with the number of the others. Raises FileError, InfError.
    """
    found: list[PackageProblem] = []
    drivers = {driver.path: driver for package in packages for driver in package.drivers()}
    new = {one.path: one for package in packages for one in package.new_infs}
    for inf, driver in drivers.items():
        problems = rules.check(driver, rules.PORTAL)
        problems = [new[inf].located(problem) for problem in problems] if inf in new else problems
        count = Counter(problem.code for problem in problems)
        for problem in {problem.code: problem for problem in reversed(problems)}.values():
            more = f" ({count[problem.code] - 1} more in this INF)" if count[problem.code] > 1 else ""
            found.append(replace(problem, message=problem.message + more, severity=Severity.WARNING))
    return sorted(found, key=lambda problem: (str(problem.path), problem.line or 0))


def _unparsed(path: Path, error: InfError) -> list[PackageProblem]:
    """Return the problems of a file that is not an INF, or has a syntax error that stops the parser."""
    if error.line is None or not _is_text(path):
        return [PackageProblem(error.code, error.message, path, None, error.hint)]
    syntax = rules.unparsed("1002", path, error.line, path.name, str(error.line), error.message, fix=error.hint)
    return [syntax, rules.unparsed("1299", path, error.line)]


def _is_text(path: Path) -> bool:
    try:
        decode(read(path))
    except InfError:
        return False
    return True


def check_stale(package: DriverPackage) -> list[PackageProblem]:
    """Report files that are newer than the catalog and not in it. Raises FileError."""
    if not package.catalog.is_file():
        return []
    built = package.catalog.stat().st_mtime
    newer = [file for file in package.files if file.path.stat().st_mtime > built]
    try:
        catalog = Catalog.parse(read(package.catalog)) if newer else None
        stale = [file for file in newer if catalog is not None and _is_stale(file, catalog)]
    except MalformedInput as error:
        return [
            PackageProblem(error.code, error.message, error.path or package.catalog, None, error.hint, Severity.WARNING)
        ]
    return [
        PackageProblem(
            "stale-catalog",
            f"{file.relative} is not in {package.catalog.name}: it was changed after the catalog was built",
            package.catalog,
            None,
            "Build the catalog again. For details, run drvsign catalog check.",
            Severity.WARNING,
        )
        for file in stale
    ]


def _is_stale(file: PackageFile, catalog: Catalog) -> bool:
    return find(catalog, hash_path(file.path, compressed=file.compressed)) is None

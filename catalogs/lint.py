"""Everything that can be said against an INF: by itself, with its folder, and with the catalog that is there."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from catalogs.inf import rules
from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import Problem, Severity
from catalogs.os_names import OsName
from catalogs.package import DriverPackage, survey_packages
from signer.errors import InfError

TEMPLATE_SUFFIX = ".inx"
"""An INF that stampinf has yet to turn into one: without date, version and architecture."""


def lint(
    path: Path, os: Sequence[OsName] | None = None, *, today: datetime.date | None = None, files: bool = True
) -> list[Problem]:
    """What is wrong with an INF or INX, in the order of its lines.

    Without `files` nothing but the INF is looked at, as it always is for an INX. Raises FileError.
    """
    try:
        driver = DriverInf.read(path)
    except InfError as error:
        return [Problem(error.code, error.message, path, error.line, error.hint)]
    found = rules.check(driver)
    if files and path.suffix.lower() != TEMPLATE_SUFFIX:
        survey = survey_packages([path], os, today=today)
        found += survey.problems
        found += [problem for package in survey.packages for problem in check_stale(package)]
    else:
        found += driver.text.problems
    return sorted(dict.fromkeys(found), key=lambda problem: problem.line or 0)


def check_stale(package: DriverPackage) -> list[Problem]:
    """Files that were changed after the catalog was made, by their times."""
    if not package.catalog.is_file():
        return []
    made = package.catalog.stat().st_mtime
    newer = [file for file in package.files if file.path.stat().st_mtime > made]
    return [
        Problem(
            "stale-catalog",
            f"{file.relative} is newer than {package.catalog.name}",
            package.inf,
            None,
            "Make the catalog anew, or make sure that the file is the one that it lists: drvsign catalog check.",
            Severity.WARNING,
        )
        for file in newer
    ]

"""Inf2Cat's signability test: what is wrong with an INF and the folder that it stands in.

Where Inf2Cat's code and words are public they are used; other problems have names of this project. Sources: messages of
Inf2Cat in public build logs, and "Inf2Cat" (windows-driver-docs, devtest/inf2cat.md).
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path

from catalogs.contents import Contents, Item
from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import Problem, Severity


def check_version(driver: DriverInf, today: datetime.date | None) -> Iterator[Problem]:
    """What is wrong with [Version]. `today` is what DriverVer must not be after; without it any date will do."""
    version = driver.version
    name = driver.path.name
    if version.section is None:
        yield Problem(
            "missing-version", "there is no [Version] section", driver.path, 1, 'Begin the INF with "[Version]".'
        )
        return
    entry = version.entry("DriverVer")
    driver_version = version.driver_version()
    if driver_version is None:
        yield Problem(
            "22.9.6",
            f"DriverVer missing or in incorrect format in \\{name}",
            driver.path,
            entry.line if entry else version.line,
            "Write DriverVer = mm/dd/yyyy,w.x.y.z, with slashes and no number above 65535.",
        )
    elif today is not None and driver_version.date > today:
        date = f"{today.month}/{today.day}/{today.year}"
        yield Problem(
            "22.9.7",
            f"DriverVer set to incorrect date (postdated DriverVer not allowed) in \\{name}. "
            f"The current date (UTC) is {date}.",
            driver.path,
            driver_version.line,
            "Give the day of the build, or of an earlier one; --now says what day it is taken to be.",
        )


def check_contents(driver: DriverInf, found: Contents) -> Iterator[Problem]:
    """What is wrong with the sections that install files."""
    for item in found.items:
        if item.source is None and not item.inbox:
            yield Problem(
                "22.9.10",
                f"{item.copy.source} missing from [SourceDisksFiles]",
                driver.path,
                item.copy.line,
                f"Add it to [SourceDisksFiles] or [SourceDisksFiles.{item.architecture}].",
            )


def missing_catalog_file(driver: DriverInf, architecture: str) -> Problem:
    """There is no CatalogFile directive for an architecture."""
    return Problem(
        "22.9.4",
        f"Missing {architecture.upper()} CatalogFile entry (CatalogFile.nt{architecture}, CatalogFile.nt, CatalogFile)"
        f" from [Version] section in \\{driver.path.name}",
        driver.path,
        driver.version.line,
        f"Add CatalogFile = {driver.path.stem}.cat to [Version].",
    )


def missing_file(driver: DriverInf, item: Item) -> Problem:
    """A file is not where the INF says."""
    assert item.source is not None
    where = "\\".join((*item.source.folders, item.copy.source))
    return Problem(
        "22.9.1",
        f"{item.copy.source} in [{item.copy.section}] of {driver.path.parent.name}\\{driver.path.name} is missing or "
        "cannot be decompressed from source media.  Please verify all path values specified in SourceDisksNames, "
        "SouceDisksFiles, and CopyFiles sections resolve to the actual location of the file, and are expressed in "
        "terms relative to the location of the inf.",
        driver.path,
        item.copy.line,
        f"[{item.source.section}] says, in line {item.source.line}, that it is at {where}.",
    )


def outside_folder(driver: DriverInf, item: Item) -> Problem:
    """The INF sends the reader out of the package."""
    assert item.source is not None
    where = "\\".join((*item.source.folders, item.copy.source))
    return Problem(
        "outside-package",
        f"{where} does not lie in the package",
        driver.path,
        item.source.line,
        "Paths are relative to the INF: no drive, no .., and no link that leads elsewhere.",
    )


def ambiguous_name(driver: DriverInf, item: Item, path: Path, twins: Sequence[str]) -> Problem:
    """Names that are one name to Windows."""
    return Problem(
        "ambiguous-name",
        f"{path.name} and {', '.join(twins)} differ by case only, and are one file to Windows",
        driver.path,
        item.copy.line,
        "Keep one of them.",
    )


def no_releases(driver: DriverInf) -> Problem:
    """No Windows release would install anything from the INF."""
    return Problem(
        "no-releases",
        "no Windows release finds a device or a [DefaultInstall] section for itself in this INF",
        driver.path,
        driver.version.line,
        "Say with --os what the catalog is for.",
        Severity.ERROR,
    )

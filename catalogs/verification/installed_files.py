"""The files of a package that one machine installs, and those that the package lacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from catalogs.catalog.os_names import OsName
from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import Severity
from catalogs.package.compressed import packed_name
from catalogs.package.folder import Folder
from catalogs.package.locate import locate
from signer.policy.findings import Finding

_SOURCE = "Inf2Cat 22.9.1 and 22.9.10; windows-driver-docs install/inf-sourcedisksfiles-section.md"


def locations(driver: DriverInf, os: OsName) -> Iterator[tuple[str, ...]]:
    """Yield where the files that the INF installs may be: each in lower case, and its compressed form."""
    for file in driver.lookup.on(os).files:
        *folders, name = file.location
        yield file.location
        yield (*folders, packed_name(name))


def missing_files(driver: DriverInf, os: OsName) -> Iterator[Finding]:
    """Yield a finding for each file that the INF installs and the package lacks. Raises FileError."""
    folder = Folder(driver.path.parent)
    for file in driver.lookup.on(os).files:
        found = locate(driver, folder, file)
        if found is not None and not isinstance(found, Path) and found.severity is Severity.ERROR:
            yield Finding("file-missing", "error", found.message, _SOURCE, found.hint)

"""The files of a package that one machine installs, and those that the package lacks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from catalogs.inf.driver import DriverInf
from catalogs.inf.lookup import MachineInstall
from catalogs.inf.problems import Severity
from catalogs.package.compressed import compressed_name
from catalogs.package.folder import Folder
from catalogs.package.locate import locate
from signer.policy.findings import Finding, Place

_SOURCE = "Inf2Cat 22.9.1 and 22.9.10; windows-driver-docs install/inf-sourcedisksfiles-section.md"


def locations(machine: MachineInstall) -> Iterator[tuple[str, ...]]:
    """Yield where the files that a machine installs may be: each in lower case, and its compressed form."""
    for file in machine.files:
        *folders, name = file.location
        yield file.location
        yield (*folders, compressed_name(name))


def missing_files(driver: DriverInf, machine: MachineInstall) -> Iterator[Finding]:
    """Yield a finding for each file that a machine installs and the package lacks. Raises FileError."""
    folder = Folder(driver.path.parent)
    for file in machine.files:
        found = locate(driver, folder, file)
        if found is not None and not isinstance(found, Path) and found.severity is Severity.ERROR:
            place = Place(found.path or driver.path, found.line) if found.line is not None else None
            yield Finding("file-missing", "error", found.message, _SOURCE, found.hint, place=place)

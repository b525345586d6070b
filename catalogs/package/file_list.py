"""List the files of a package for build systems: catalogs, INFs, and the files that the INFs copy, existing or not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from catalogs.inf.driver import DriverInf
from catalogs.package.copied_files import copied_files
from catalogs.package.driver_package import survey_packages
from catalogs.package.folder import Folder


def package_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the catalogs and the other files of the packages in a folder, in INF order.

    Files that exist are spelled as on disk, and missing files that the INF requires as in the INF: a build may still
    make them. Raises InfError and FileError.
    """
    packages = survey_packages(folder).packages
    files = [path for package in packages for path in (*package.infs, *(file.path for file in package.files))]
    known = {str(path).lower() for path in files}
    for inf in Folder(folder).infs():
        files += [path for path in _required(DriverInf.read(inf)) if str(path).lower() not in known]
    return [package.catalog for package in packages], list(dict.fromkeys(files))


def _required(driver: DriverInf) -> Iterable[Path]:
    for item in copied_files(driver, driver.architectures, driver.releases).items:
        if item.required and not item.inbox and item.source is not None:
            yield driver.path.parent.joinpath(*item.source.folders, item.copy.source)

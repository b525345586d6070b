"""List the files of a package for build systems: catalogs, INFs, and the files that the INFs copy, existing or not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from catalogs.inf.driver import DriverInf
from catalogs.inf.stamp import Stamp
from catalogs.package.copied_files import copied_files
from catalogs.package.driver_package import survey_packages
from catalogs.package.folder import Folder
from catalogs.package.images import driver_architecture
from catalogs.package.templates import stamp_templates
from signer.records import dataclass


@dataclass(frozen=True, slots=True)
class FileList:
    """The files of the packages in a folder, in INF order."""

    catalogs: tuple[Path, ...]
    files: tuple[Path, ...]
    """The INFs and the files that they copy."""
    sources: tuple[Path, ...]
    """The same files, with templates in place of the INFs that they become."""


def package_files(folder: Path, values: Stamp) -> FileList:
    """List the files of the packages in a folder, whose templates are stamped with `values`.

    Files that exist are spelled as on disk, and missing files that the INF requires as in the INF: a build may still
    make them. For values that are missing, any are used, and x64. Raises InfError and FileError.
    """
    new_infs = stamp_templates(folder, _complete(values, folder)).new
    new = {one.path: one for one in new_infs}
    packages = survey_packages(folder, new_infs=new_infs).packages
    files = [path for package in packages for path in (*package.infs, *(file.path for file in package.files))]
    known = {str(path).lower() for path in files}
    drivers = [DriverInf.parse(one.data, one.path) for one in new_infs]
    for driver in (*map(DriverInf.read, Folder(folder).infs()), *drivers):
        files += [path for path in _required(driver) if str(path).lower() not in known]
    files = list(dict.fromkeys(files))
    sources = tuple(new[path].template if path in new else path for path in files)
    return FileList(tuple(package.catalog for package in packages), tuple(files), sources)


def _complete(values: Stamp, folder: Path) -> Stamp:
    """Return values for every variable of a template."""
    architecture = values.architecture
    return replace(
        values,
        version=values.version or "1.0",
        architecture=(driver_architecture(folder) or "amd64") if architecture is None else architecture,
        kmdf=values.kmdf or "1.0",
        umdf=values.umdf or "2.0.0",
    )


def _required(driver: DriverInf) -> Iterable[Path]:
    for item in copied_files(driver, driver.architectures, driver.releases).items:
        if item.required and not item.inbox and item.source is not None:
            yield driver.path.parent.joinpath(*item.source.folders, item.copy.source)

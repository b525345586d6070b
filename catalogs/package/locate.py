"""Locate a file that an INF copies in the folder of its package, or name the reason why it is not there."""

from __future__ import annotations

from pathlib import Path

from catalogs.inf.driver import DriverInf
from catalogs.inf.install import CopiedFile
from catalogs.inf.problems import PackageProblem
from catalogs.package import signability
from catalogs.package.compressed import compressed_name
from catalogs.package.folder import Folder, OutsideFolder


def locate(driver: DriverInf, folder: Folder, file: CopiedFile) -> Path | PackageProblem | None:
    """Return the path of a file or of its compressed form, or the problem that it is missing or outside the package.

    None for a file that may be part of Windows. Raises FileError.
    """
    problem = signability.name_problem(driver, file)
    if problem is not None or file.source is None:
        return problem
    try:
        folders, name = file.source.folders, file.copy.source
        path = folder.find((*folders, name)) or folder.find((*folders, compressed_name(name)))
    except OutsideFolder:
        return signability.outside_folder(driver, file)
    return signability.missing_file(driver, file) if path is None else path

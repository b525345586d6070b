"""Find the files that an earlier call wrote into an output folder and that the package no longer has."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from catalogs.package import templates
from catalogs.package.driver_package import DriverPackage, survey_packages
from signer.errors import SignerError
from signer.operations.ownership import Ownership, signers_of_file


def leftovers(
    packages: Sequence[DriverPackage],
    folder: Path,
    target: Path,
    ownership: Ownership,
    earlier_sources: Collection[Path] = (),
) -> list[Path]:
    """Return the files in `target` that an earlier package lists and that none of `packages`, from `folder`, lists.

    A package in `target` is an earlier one if its INF is that of one of `packages` or one of `earlier_sources`, or if
    one of `packages` was renamed. Files of anything else in `target` stay.
    """
    new = {_below(path, folder) for package in packages for path in _paths(package)}
    made = (path.with_suffix(".inf") for path in earlier_sources if path.suffix.lower() == templates.SUFFIX)
    known = {_below(path, folder) for path in (*earlier_sources, *made) if path.is_relative_to(folder)}
    infs = known | {_below(inf, folder) for package in packages for inf in package.infs}
    found: dict[Path, None] = {}
    for package in _packages_in(target):
        is_earlier = any(_below(inf, target) in infs for inf in package.infs)
        if is_earlier or _is_renamed(package, folder, target, new, ownership):
            found |= dict.fromkeys(_paths(package))
    return [path for path in found if _below(path, target) not in new and path.is_file()]


def _is_renamed(package: DriverPackage, folder: Path, target: Path, new: Collection[str], ownership: Ownership) -> bool:
    """Tell whether only the INF and the catalog of a package in `target` have other names now.

    We signed it, its INF is gone from `folder`, and the new packages list all of its other files.
    """
    files = [file.path for file in package.files if file.path not in package.infs]
    return (
        bool(files)
        and all(_below(path, target) in new for path in files)
        and not any(_has_source(folder / inf.relative_to(target)) for inf in package.infs)
        and any(one.is_own for one in signers_of_file(package.catalog, ownership))
    )


def _has_source(inf: Path) -> bool:
    return inf.exists() or inf.with_suffix(templates.SUFFIX).exists()


def _packages_in(target: Path) -> tuple[DriverPackage, ...]:
    """Return the packages in a folder; none for one that is missing or has files of something else."""
    try:
        return tuple(survey_packages(target).packages) if target.is_dir() else ()
    except SignerError:
        return ()


def _paths(package: DriverPackage) -> tuple[Path, ...]:
    return (*package.infs, *(file.path for file in package.files), package.catalog)


def _below(path: Path, folder: Path) -> str:
    """Return the path below a folder, for comparisons of names without their case."""
    return path.relative_to(folder).as_posix().lower()

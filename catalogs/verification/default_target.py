"""Choose the target of a package when none is named: a release that its catalog is for and its INF installs on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from catalogs.catalog.os_names import OsName
from catalogs.catalog.target_os import decoration, os_of
from catalogs.inf.driver import DriverInf
from catalogs.package.driver_package import DriverPackage
from signer.policy.targets import Target, default_target, targets_for

_ARCHITECTURES = ("x64", "arm64", "x86", "ia64")
"""Order in which the architecture is chosen."""


def target_for(drivers: Sequence[DriverInf], names: Iterable[OsName]) -> Target | None:
    """Return the target to check a package for whose catalog is for `names`; None if no target fits.

    It is the default target of the first architecture, if the catalog is for its Windows version and the INF installs
    there; otherwise the newest such release: a driver may be for servers only, or for older or newer releases.
    """
    built = tuple(names)
    for architecture in _ARCHITECTURES:
        default = default_target(architecture)
        if _fits(drivers, built, default):
            return default
        others = (target for target in targets_for(architecture) if not target.s_mode)
        fitting = [target for target in others if _fits(drivers, built, target)]
        if fitting:
            return max(fitting, key=lambda target: target.build)
    return None


def checks_for(packages: Sequence[DriverPackage], folder: Path, result: Path) -> list[tuple[list[Path], Target | None]]:
    """Return what to verify after packages of `folder` were written to `result`: paths, and their target.

    It is the folder if all packages have the same target, else the INFs of each target.
    """
    names: dict[tuple[Path, ...], list[OsName]] = {}
    for package in packages:
        names.setdefault(package.infs, []).extend(package.os)
    drivers = {package.infs: package.drivers() for package in packages}
    chosen = {infs: target_for(drivers[infs], built) for infs, built in names.items()}
    if len(set(chosen.values())) == 1:
        return [([result], next(iter(chosen.values())))]
    paths: dict[Target | None, list[Path]] = {}
    for infs, target in chosen.items():
        paths.setdefault(target, []).extend(result / inf.relative_to(folder) for inf in infs)
    return [(some, target) for target, some in paths.items()]


def _fits(drivers: Sequence[DriverInf], names: Sequence[OsName], target: Target) -> bool:
    if not any(_covers(name, target) for name in names):
        return False
    return not drivers or any(driver.installs_on(os_of(target)) for driver in drivers)


def _covers(name: OsName, target: Target) -> bool:
    """Tell whether a catalog for `name` is for the target: the same Windows version, and not an older build."""
    return (
        name.architecture == decoration(target)
        and name.server == target.server
        and name.release[:2] == target.kernel
        and name.release[2] <= target.build
    )

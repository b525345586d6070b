"""The releases that a catalog is for, as its `OS` attribute or the OSAttr of its members say."""

from __future__ import annotations

from functools import lru_cache

from catalogs.catalog import os_names
from catalogs.catalog.file import Catalog
from catalogs.catalog.os_names import OsName
from catalogs.catalog.target_os import decoration
from catalogs.inf.driver import DriverInf
from signer.errors import UsageError
from signer.policy.findings import Finding
from signer.policy.targets import Target

_PREVIEW, _WINDOWS_10 = (6, 4), (10, 0)
_SOURCE = "windows-driver-docs devtest/inf2cat.md"


def catalog_claims(catalog: Catalog | None, versions: tuple[tuple[int, int], ...] | None, target: Target) -> bool:
    """Tell whether a catalog is for a target.

    A name such as 10_RS3_X64 is for that release and later ones with the same kernel version, of the same architecture
    and edition (client or server). Without known names, the kernel versions in the OSAttr decide; without both, and
    without a catalog, any target is claimed.
    """
    names = _names(catalog) if catalog is not None else ()
    if names:
        return any(_is_for(name, target) for name in names)
    return versions is None or target.kernel in versions


def not_claimed(package: str, catalog: str, target: Target) -> Finding:
    """Return the finding about a target that the catalog is not for."""
    return Finding(
        "catalog-not-for-target",
        "info",
        f"the catalog {catalog!r} of {package!r} is not for {target.title}",
        _SOURCE,
        "Check it with --all-releases, or build the catalog for this release: drvsign package --os NAMES DIR",
    )


def contradiction(package: str, catalog: Catalog, driver: DriverInf) -> Finding | None:
    """Return the finding about releases that a catalog names and its INF installs nothing on; None without any."""
    idle = [name for name in _names(catalog) if not driver.installs_on(name)]
    if not idle:
        return None
    shown = ", ".join(name.option for name in idle)
    message = f"the catalog {catalog.name!r} names releases that {package!r} has no models for: {shown}"
    hint = "Build the catalog for the releases of the INF: drvsign package DIR. Or add models to the INF."
    return Finding("catalog-for-other-releases", "warning", message, _SOURCE, hint)


def _names(catalog: Catalog) -> tuple[OsName, ...]:
    """Return the releases that a catalog names; nothing if one of them is unknown."""
    return _named(catalog.attribute("OS") or "")


@lru_cache(maxsize=64)
def _named(tokens: str) -> tuple[OsName, ...]:
    try:
        return os_names.from_tokens(tokens)
    except UsageError:
        return ()


def _is_for(name: OsName, target: Target) -> bool:
    version = _WINDOWS_10 if name.release[:2] == _PREVIEW else name.release[:2]
    return (
        version == target.kernel
        and (name.release[2] <= target.build or name.release[:2] == _PREVIEW)
        and name.architecture == decoration(target)
        and name.server == target.server
    )

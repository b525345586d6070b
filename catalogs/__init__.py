"""Build, sign, read and compare catalogs; sign and verify driver packages.

`__all__` is the public API of this package; docs/api.md shows it in use. Every other module is private and may change
in any release. Names are imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catalogs.api import (
        BuiltCatalog,
        PackageResult,
        build_catalogs,
        compare_catalogs,
        read_catalog,
        sign_package,
        verify,
    )
    from catalogs.catalog.file import Catalog
    from catalogs.catalog.members import CatalogMember
    from catalogs.diff import Difference
    from catalogs.verification.assessment import Assessment

_MODULES = {
    "Assessment": "catalogs.verification.assessment",
    "BuiltCatalog": "catalogs.api",
    "Catalog": "catalogs.catalog.file",
    "CatalogMember": "catalogs.catalog.members",
    "Difference": "catalogs.diff",
    "PackageResult": "catalogs.api",
    "build_catalogs": "catalogs.api",
    "compare_catalogs": "catalogs.api",
    "read_catalog": "catalogs.api",
    "sign_package": "catalogs.api",
    "verify": "catalogs.api",
}

__all__ = [
    "Assessment",
    "BuiltCatalog",
    "Catalog",
    "CatalogMember",
    "Difference",
    "PackageResult",
    "build_catalogs",
    "compare_catalogs",
    "read_catalog",
    "sign_package",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use. Raises AttributeError for any other."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(module), name)
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)

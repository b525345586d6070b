"""Build, sign, read and compare catalogs; sign and verify driver packages.

`__all__` is the public API of this package; docs/api.md shows it in use. Every other module is private and may change
in any release. Names are imported on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from catalogs.api import (
        BuiltCatalog,
        PackageResult,
        build_catalogs,
        build_file_catalog,
        compare_catalogs,
        read_catalog,
        sign_package,
        verify,
    )
    from catalogs.catalog.file import Catalog
    from catalogs.catalog.members import CatalogMember
    from catalogs.diff import Difference
    from catalogs.inf.stamp import Stamp
    from catalogs.verification.assessment import Assessment

_MODULES = {
    "Assessment": "catalogs.verification.assessment",
    "BuiltCatalog": "catalogs.api",
    "Catalog": "catalogs.catalog.file",
    "CatalogMember": "catalogs.catalog.members",
    "Difference": "catalogs.diff",
    "PackageResult": "catalogs.api",
    "Stamp": "catalogs.inf.stamp",
    "build_catalogs": "catalogs.api",
    "build_file_catalog": "catalogs.api",
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
    "Stamp",
    "build_catalogs",
    "build_file_catalog",
    "compare_catalogs",
    "read_catalog",
    "sign_package",
    "verify",
]

__getattr__, __dir__ = lazy_exports(__name__, _MODULES)

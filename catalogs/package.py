"""An INF and its folder as driver packages: what one catalog each is to hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from catalogs.inf.problems import Problem
from catalogs.os_names import OsName


@dataclass(frozen=True)
class SignatureAttribute:
    """An attribute that [SignatureAttributes] asks for one file, such as PETrust = true."""

    name: str
    """`PETrust`, `DRMLevel`, `Elam`, `HalExt` or `WindowsHello`, in Microsoft's spelling where it is one of these."""
    value: str
    """What stands to the right of the equals sign, such as `true` or `1300`."""


@dataclass(frozen=True)
class PackageFile:
    """One file that the catalog vouches for."""

    name: str
    """The catalog's `File` value: the name that the file is installed under, in lower case, without directories."""
    path: Path
    """Where the file is."""
    relative: PurePosixPath
    """Where it is in the package's folder."""
    os: tuple[OsName, ...]
    """The releases that install the file, in catalog order: its `OSAttr`."""
    attributes: tuple[SignatureAttribute, ...] = ()
    """What the INF asks the catalog to say about this file."""


@dataclass(frozen=True)
class DriverPackage:
    """What one catalog is to hold."""

    infs: tuple[Path, ...]
    """The INFs that name this catalog: mostly one; several may share it."""
    catalog: Path
    """Where the catalog belongs: beside the INF, named as its CatalogFile directive says."""
    architecture: str
    """The decoration of the CatalogFile directive: `x86`, `amd64`, `ia64`, `arm`, `arm64`; `any` without one."""
    files: tuple[PackageFile, ...]
    """The members: the INFs first, then the files in the order in which the INFs name them."""
    hardware_ids: tuple[str, ...]
    """HWID1, HWID2, … in this order, in lower case."""
    os: tuple[OsName, ...]
    """The releases of the catalog's `OS` attribute, in its order."""
    os_chosen: bool
    """Whether the releases were chosen from the INF's own decorations, because none were given."""
    problems: tuple[Problem, ...] = ()
    """Warnings; with an error there is no package."""

    @property
    def inf(self) -> Path:
        """The INF, or the first of several."""
        return self.infs[0]

    @property
    def catalog_name(self) -> str:
        """The file name of the catalog, as the INF spells it."""
        return self.catalog.name

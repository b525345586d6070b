"""The CATALOG line: driver package, hashed files, members, certificate trust list."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path

from catalogs.catalog.file import Catalog
from catalogs.catalog.members import MEMBER_FLAGS, HashedFile, hash_file, subjects
from catalogs.catalog.os_names import OsName, os_attribute, tokens
from catalogs.catalog.trust_list import CertificateTrustList, NameValue, TrustedSubject
from catalogs.package.compressed import opened
from catalogs.package.driver_package import DriverPackage, PackageFile
from catalogs.package.signature_attributes import SignatureAttribute, is_true
from signer.errors import SignerError, UsageError

_Entries = list[TrustedSubject]
Each = Callable[[Callable[[PackageFile], _Entries], Sequence[PackageFile]], Iterable[_Entries]]
"""How to run over files: `map`, or something with threads and a progress bar."""

CATALOG_FLAGS = 0x10010001
_WINDOWS_8 = (6, 2)
_PE_TRUSTED = NameValue("PE", 0x00010001, "TRUSTED")
_WITH_PAGE_HASHES = ("PETrust", "DRMLevel", "WindowsHello")
"""Attributes that bring the page hashes of an image with them: so it is in the catalogs that have them."""


@dataclass(frozen=True, slots=True)
class CatalogOptions:
    """How a catalog is written."""

    now: datetime
    """Its date."""
    version: int | None = None
    """1 or 2; None for what Inf2Cat would choose for the package's releases, and 2 without any."""
    page_hashes: bool = False
    """With the page hashes of every image, not only where the INF asks for them."""
    list_identifier: bytes | None = None
    """16 bytes; None for some that follow from the content, so that the same input gives the same catalog."""


def build(package: DriverPackage, options: CatalogOptions, *, each: Each = map) -> Catalog:
    """The unsigned catalog of a package. Raises FileError, ImageError and MalformedInput, naming the file."""
    version = options.version or version_for(package.os)
    entries = each(lambda file: subjects(_hash(file, options), named_values(file), version), package.files)
    attributes = catalog_attributes(package)
    everything = chain.from_iterable(entries)
    return assemble(everything, attributes, replace(options, version=version), package.catalog_name)


def version_for(names: Iterable[OsName]) -> int:
    """The version that Inf2Cat chooses: 1 as soon as a release before Windows 8 is among them, which knows no other.

    So it is in every catalog of Inf2Cat's that we have seen.
    """
    return 1 if any(name.release < _WINDOWS_8 for name in names) else 2


def assemble(
    entries: Iterable[TrustedSubject], attributes: Iterable[NameValue], options: CatalogOptions, name: str
) -> Catalog:
    """The unsigned catalog of these entries, sorted by tag. Raises UsageError for an unknown version.

    Files of the same bytes have the same tag, and an entry each, even if their names are the same too: so Inf2Cat
    writes them, in an order that follows no rule.
    """
    version = options.version or 2
    if version not in (1, 2):
        raise UsageError(f"there is no catalog version {version}", hint="Versions are 1 and 2.")
    ordered = tuple(sorted(entries, key=lambda entry: entry.identifier))
    trust_list = CertificateTrustList(
        version=version,
        list_identifier=options.list_identifier or bytes(16),
        this_update=options.now.replace(microsecond=0),
        subjects=ordered,
        extensions=tuple(attributes),
    )
    if options.list_identifier is None:
        identifier = hashlib.sha256(trust_list.to_der()).digest()[:16]
        trust_list = replace(trust_list, list_identifier=identifier)
    return Catalog(trust_list, name)


def named_values(file: PackageFile) -> list[NameValue]:
    """What a catalog says about a member: its name, its releases, and what the INF's [SignatureAttributes] ask for."""
    values = [NameValue("File", MEMBER_FLAGS, file.name), NameValue("OSAttr", MEMBER_FLAGS, os_attribute(file.os))]
    return values + [_requested(attribute) for attribute in file.attributes if _is_wanted(attribute)]


def catalog_attributes(package: DriverPackage) -> list[NameValue]:
    """The catalog's own attributes: PE where an INF asks for it, OS, and the hardware IDs, the last one first."""
    numbered = list(enumerate(package.hardware_ids, 1))
    return [
        *([_PE_TRUSTED] if package.pe_trusted else ()),
        NameValue("OS", CATALOG_FLAGS, tokens(package.os)),
        *(NameValue(f"HWID{number}", CATALOG_FLAGS, value) for number, value in reversed(numbered)),
    ]


def _hash(file: PackageFile, options: CatalogOptions) -> HashedFile:
    wanted = any(_is(a, name) and _is_wanted(a) for a in file.attributes for name in _WITH_PAGE_HASHES)
    return hash_path(file.path, packed=file.packed, page_hashes=options.page_hashes or wanted)


def hash_path(path: Path, *, packed: bool = False, page_hashes: bool = False) -> HashedFile:
    """The digests of the file at `path`, or of what it unpacks to. Raises SignerError naming it."""
    try:
        with opened(path, packed) as data:
            return hash_file(data, page_hashes=page_hashes)
    except SignerError as error:
        raise error.at(path) from error


def _requested(attribute: SignatureAttribute) -> NameValue:
    """PETrust is written as PETrusted = 1, and DRMLevel with its number; the others follow PETrust's manner."""
    if _is(attribute, "DRMLevel"):
        return NameValue("DRMLevel", MEMBER_FLAGS, attribute.value)
    return NameValue("PETrusted" if _is(attribute, "PETrust") else attribute.name, MEMBER_FLAGS, "1")


def _is(attribute: SignatureAttribute, name: str) -> bool:
    return attribute.name.lower() == name.lower()


def _is_wanted(attribute: SignatureAttribute) -> bool:
    """Whether the catalog is to say it: `PETrust = false` asks for nothing, and of HalExt Inf2Cat says nothing."""
    return not _is(attribute, "HalExt") and (_is(attribute, "DRMLevel") or is_true(attribute.value))

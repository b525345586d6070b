"""Build the unsigned catalog of a driver package: hash the files, create members, assemble the trust list."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from pathlib import Path

from catalogs.catalog.file import Catalog
from catalogs.catalog.members import MEMBER_FLAGS, HashedFile, content_algorithm, hash_file, subjects
from catalogs.catalog.os_names import OsName, os_attribute, tokens
from catalogs.catalog.trust_list import CertificateTrustList, NameValue, TrustedSubject
from catalogs.package.compressed import open_decompressed
from catalogs.package.driver_package import DriverPackage, PackageFile
from catalogs.package.signature_attributes import SignatureAttribute, is_true
from signer.algorithms import DigestAlgorithm
from signer.errors import SignerError, UsageError
from signer.records import dataclass
from signer.storage.files import mapped
from signer.storage.staging import Opener

_Entries = list[TrustedSubject]
Each = Callable[[Callable[[PackageFile], _Entries], Sequence[PackageFile]], Iterable[_Entries]]
"""A function like `map` that processes files, perhaps with threads and a progress bar."""

CATALOG_FLAGS = 0x10010001
_WINDOWS_8 = (6, 2)
_PE_TRUSTED = NameValue("PE", 0x00010001, "TRUSTED")
_WITH_PAGE_HASHES = ("PETrust", "DRMLevel", "WindowsHello")
"""Attributes that require page hashes of an image, as in real catalogs with these attributes."""


@dataclass(frozen=True, slots=True)
class CatalogOptions:
    """Options of a catalog."""

    now: datetime
    """Creation time of the catalog."""
    version: int | None = None
    """1 or 2; None for Inf2Cat's choice for the package's releases, or 2 without releases."""
    page_hashes: bool = False
    """Add page hashes for every image, not only if the INF requests an attribute that requires them."""
    list_identifier: bytes | None = None
    """16 bytes; None to derive them from the content, so that builds are reproducible."""


def build(package: DriverPackage, options: CatalogOptions, *, each: Each = map, opened: Opener = mapped) -> Catalog:
    """Build the unsigned catalog of a package. Raises FileError, ImageError and MalformedInput with the path.

    `opened` provides the bytes of its files.
    """
    version = options.version or version_for(package.os)

    def entries(file: PackageFile) -> _Entries:
        paged = content_algorithm(version) if options.page_hashes or _requires_page_hashes(file) else None
        hashed = hash_path(file.path, compressed=file.compressed, page_hashes=paged, opened=opened)
        return subjects(hashed, named_values(file), version)

    everything = chain.from_iterable(each(entries, package.files))
    return assemble(everything, catalog_attributes(package), replace(options, version=version), package.catalog_name)


def version_for(names: Iterable[OsName]) -> int:
    """Return the version that Inf2Cat chooses: 1 if a release before Windows 8 (which requires it) is a target.

    All known catalogs of Inf2Cat follow this rule.
    """
    return 1 if any(name.release < _WINDOWS_8 for name in names) else 2


def assemble(
    entries: Iterable[TrustedSubject], attributes: Iterable[NameValue], options: CatalogOptions, name: str
) -> Catalog:
    """Assemble entries, sorted by tag, into an unsigned catalog. Raises UsageError for an unknown version.

    As in Inf2Cat, files with the same content have separate entries with the same tag, even if their names are the
    same. Inf2Cat's order of such entries is arbitrary.
    """
    version = options.version or 2
    if version not in (1, 2):
        raise UsageError(f"unknown catalog version {version}", hint="Use 1 or 2.")
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
    """Return a member's attributes: File, OSAttr, and those that the INF's [SignatureAttributes] request."""
    values = [NameValue("File", MEMBER_FLAGS, file.name), NameValue("OSAttr", MEMBER_FLAGS, os_attribute(file.os))]
    return values + [_requested(attribute) for attribute in file.attributes if _is_included(attribute)]


def catalog_attributes(package: DriverPackage) -> list[NameValue]:
    """Return the catalog attributes: PE if an INF requests it, OS, and the hardware IDs in descending order."""
    numbered = list(enumerate(package.hardware_ids, 1))
    return [
        *([_PE_TRUSTED] if package.pe_trusted else ()),
        NameValue("OS", CATALOG_FLAGS, tokens(package.os)),
        *(NameValue(f"HWID{number}", CATALOG_FLAGS, value) for number, value in reversed(numbered)),
    ]


def _requires_page_hashes(file: PackageFile) -> bool:
    return any(_is(one, name) and _is_included(one) for one in file.attributes for name in _WITH_PAGE_HASHES)


def hash_path(
    path: Path,
    *,
    compressed: bool = False,
    page_hashes: DigestAlgorithm | None = None,
    opened: Opener = mapped,
) -> HashedFile:
    """Hash the file at `path`, decompressed if it is `compressed`. Raises SignerError with the path."""
    try:
        with open_decompressed(path, compressed, opened) as data:
            return hash_file(data, page_hashes=page_hashes)
    except SignerError as error:
        raise error.at(path) from error


def _requested(attribute: SignatureAttribute) -> NameValue:
    """Convert a requested attribute: PETrust to PETrusted = 1, DRMLevel with its number, others to NAME = 1."""
    if _is(attribute, "DRMLevel"):
        return NameValue("DRMLevel", MEMBER_FLAGS, attribute.value)
    return NameValue("PETrusted" if _is(attribute, "PETrust") else attribute.name, MEMBER_FLAGS, "1")


def _is(attribute: SignatureAttribute, name: str) -> bool:
    return attribute.name.lower() == name.lower()


def _is_included(attribute: SignatureAttribute) -> bool:
    """Tell whether the catalog gets the attribute: not for `PETrust = false`, and never for HalExt (as Inf2Cat)."""
    return not _is(attribute, "HalExt") and (_is(attribute, "DRMLevel") or is_true(attribute.value))

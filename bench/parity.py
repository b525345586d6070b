"""Parity report: compare a catalog that drvsign builds for every real package with the original of Microsoft's tools.

Run by `make parity`. Differences that can't be derived from the package folder are explained here; any other difference
is a defect of drvsign.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench._corpus import corpus_root
from catalogs.build import CatalogOptions, build
from catalogs.catalog import os_names
from catalogs.catalog.file import Catalog
from catalogs.diff import Difference, differences
from catalogs.package.driver_package import DriverPackage, read_packages
from signer.errors import PackageError, SignerError

PORTAL = (
    "Qualification Level",
    "DTC",
    "Submission ID",
    "BundleID",
    "Universal",
    "Declarative",
    "PackageId",
    "SigningType",
)
BY_HAND = {"stmcdc.cat": "made by hand, with SHA-256 in version 1", "ubloxusb.cat": "made by an Inf2Cat of 2013"}
OTHER_IDS = {f"Neo6_x64_VPN{number}.cat" for number in (11, 101, 102, 111, 112)} | {
    "ftdibus.cat",
    "ftdiport.cat",
    "arduino_gemma.cat",
    "pvpanic.cat",
}
"""Catalogs with hardware IDs of INFs outside their folder: several packages were built together."""


@dataclass
class Parity:
    """Result for one package."""

    path: Path
    explained: Counter[str] = field(default_factory=Counter)
    defects: list[Difference] = field(default_factory=list)
    identical: bool = False
    error: str | None = None
    """Why the catalog can't be rebuilt."""


def real_catalogs() -> list[Path]:
    return sorted(path for kind in ("packages", "packages-media") for path in corpus_root().glob(f"{kind}/*/*.cat"))


def compare(path: Path) -> Parity:
    """Rebuild the catalog at `path` from its folder, and list the differences."""
    try:
        real = Catalog.parse(path.read_bytes(), path.name)
        built = rebuild(path, real)
    except SignerError as error:
        return Parity(path, error=str(error))
    result = Parity(path, identical=built.to_bytes() == real.unsigned().to_bytes())
    for difference in differences(built, real.unsigned()):
        reason = explain(difference, path, real, built)
        if reason is None:
            result.defects.append(difference)
        else:
            result.explained[reason] += 1
    return result


def rebuild(path: Path, real: Catalog) -> Catalog:
    names = os_names.from_tokens(real.attribute("OS") or "")
    fitting = [p for p in read_packages(path.parent, names) if p.catalog_name.lower() == path.name.lower()]
    if len(fitting) != 1:
        raise PackageError(f"{len(fitting)} packages have the catalog {path.name}", path=path.parent)
    (package,) = fitting
    options = CatalogOptions(real.this_update, real.version, list_identifier=real.list_identifier)
    with tempfile.TemporaryDirectory(prefix="parity") as scratch:
        return build(with_windows_newlines(package, real, scratch), options)


def with_windows_newlines(package: DriverPackage, real: Catalog, scratch: str) -> DriverPackage:
    """Return the package with the CR LF newlines of its text files restored where Git removed them."""
    files = []
    folder = Path(scratch)
    for number, file in enumerate(package.files):
        data = file.path.read_bytes()
        restored = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        if (
            file.path.suffix.lower() in (".inf", ".xml", ".txt")
            and not real.contains(sha(data))
            and real.contains(sha(restored))
        ):
            copy = folder / f"{number}{file.path.suffix}"
            copy.write_bytes(restored)
            files.append(replace(file, path=copy))
        else:
            files.append(file)
    return replace(package, files=tuple(files))


def sha(data: bytes) -> bytes:
    return hashlib.sha1(data).digest()


def explain(difference: Difference, path: Path, real: Catalog, built: Catalog) -> str | None:
    """Return the reason for an expected difference, or None."""
    if path.name in BY_HAND:
        return BY_HAND[path.name]
    if difference.what == "attribute" and difference.subject in PORTAL:
        return "attribute that Microsoft's portal adds"
    if difference.what == "attribute" and difference.subject.startswith("HWID") and path.name in OTHER_IDS:
        return "hardware IDs of packages that were built together"
    return None


def main() -> int:
    """Print the report; return 1 if there is an unexplained difference."""
    results = [compare(path) for path in real_catalogs()]
    reasons: Counter[str] = Counter()
    for result in results:
        reasons.update(result.explained)
        if result.error is not None:
            print(f"{result.path}: can't be built: {result.error}")
        for defect in result.defects:
            print(
                f"{result.path.name}: {defect.what} {defect.subject}: drvsign {defect.first}, original {defect.second}"
            )
    equal = sum(not result.defects and result.error is None for result in results)
    print(f"{equal} of {len(results)} catalogs agree in members, attributes, hardware IDs, releases and order")
    print(f"{sum(result.identical for result in results)} of them are identical except for the signature")
    for reason, count in reasons.most_common():
        print(f"{count:6} differences: {reason}")
    return 0 if equal == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())

"""The PACKAGE line: sign the drivers, catalogue what came of it, sign the catalogs, verify, change all files at once.

Images come first, because a catalog made before they are signed may hold another file than the one that is shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from catalogs.build import CatalogOptions, build
from catalogs.catalog.file import Catalog
from catalogs.catalog.sign import sign_catalog
from catalogs.inf.problems import Problem
from catalogs.package.driver_package import DriverPackage, PackageFile
from catalogs.verify_package import evidence_of
from signer.algorithms import DigestAlgorithm
from signer.errors import PackageError, SignerError
from signer.formats.detect import detect
from signer.formats.table import IMAGE
from signer.keys.identity import SigningIdentity
from signer.operations.sign import Signed, sign_image
from signer.pe.image import Image
from signer.pkcs7.signed_data import SigningOptions, Timestamper
from signer.storage.files import mapped, read
from signer.storage.transaction import Transaction, atomic_update
from signer.verify.gather import gather_catalog

Each = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""How to run over files: `map`, or something with threads and a progress bar."""

Accept = Callable[[DriverPackage, Catalog], None]
"""Looks at a package that is signed, its files being where they wait to take their places; what it raises stops all."""


@dataclass(frozen=True, slots=True)
class PackagingOptions:
    """How packages are signed."""

    signing: SigningOptions
    catalog: CatalogOptions
    page_hashes: bool = False
    """Sign images with page hashes."""
    timestamper: Timestamper | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """One file of a package, and what was done to it."""

    path: Path
    action: Literal["signed", "skipped", "built"]
    algorithm: DigestAlgorithm | None = None
    digest: bytes | None = None
    note: str = ""


def sign_packages(
    folder: Path,
    packages: Sequence[DriverPackage],
    identity: SigningIdentity,
    options: PackagingOptions,
    *,
    each: Each = map,
    accept: Accept | None = None,
    recovered: Callable[[str], None] | None = None,
) -> list[Made]:
    """Sign images and catalogs of packages below `folder`. All of their files change together, or none does.

    What was made is read again first: each file has to be in its catalog, and each signature intact. Raises SignerError
    naming the file that could not be signed.
    """
    with atomic_update(folder, recovered=recovered) as staging:
        made: list[Made] = list(each(lambda path: _sign_image(path, staging, identity, options), images(packages)))
        for package in packages:
            catalog = build(_as_staged(package, staging), options.catalog, each=each)
            signed = sign_catalog(catalog, identity, options.signing, options.timestamper)
            staging.write(package.catalog, signed.to_bytes())
            made.append(_built(package, signed.content.der, options.signing.digest))
            _require_sound(package, staging, each)
            if accept is not None:
                accept(_as_staged(package, staging), signed)
    return made


def _require_sound(package: DriverPackage, staging: Transaction, each: Each) -> None:
    """Read the staged package again. Raises PackageError unless its catalog covers every file and all is intact."""
    data = read(staging.current(package.catalog))
    own = gather_catalog(data, package.catalog_name)
    problems = [Problem(one.code, one.message, package.catalog) for sig in own.signatures for one in sig.problems]
    catalog = Catalog.parse(data, package.catalog_name)
    for found in each(lambda file: list(_unsound(file, staging.current(file.path), catalog)), package.files):
        problems += found
    if problems or not own.signatures:
        raise PackageError(
            "what was made does not verify, so nothing was changed",
            problems=tuple(problems),
            path=package.catalog,
            hint="This should not happen unless files are changed meanwhile: please report it.",
        )


def _unsound(file: PackageFile, staged: Path, catalog: Catalog) -> Iterator[Problem]:
    evidence = evidence_of(staged, [catalog], file.packed)
    if not any(signature.source == "catalog" for signature in evidence.signatures):
        yield Problem("not-catalogued", "the new catalog does not list it", file.path)
    own = (
        [signature for signature in evidence.signatures if signature.source != "catalog"] if staged != file.path else []
    )
    yield from (Problem(one.code, one.message, file.path) for signature in own for one in signature.problems)


def images(packages: Iterable[DriverPackage]) -> list[Path]:
    """The drivers of the packages, each once: the PE images that the kernel loads. Raises SignerError naming a file."""
    paths = dict.fromkeys(file.path for package in packages for file in package.files)
    return [path for path in paths if _is_driver(path)]


def _sign_image(path: Path, staging: Transaction, identity: SigningIdentity, options: PackagingOptions) -> Made:
    """Sign one driver into the staging folder; one that somebody else signed is left as it is."""
    try:
        with mapped(path) as data:
            other = _other_signer(data, identity)
        if other is not None:
            return Made(path, "skipped", note=f"signed by {other}")
        signed = staging.change(path, path, lambda copy: _signed(copy, identity, options))
    except SignerError as error:
        raise error.at(path) from error
    return Made(path, "signed", signed.algorithm, signed.digest)


def _signed(data: memoryview, identity: SigningIdentity, options: PackagingOptions) -> Signed:
    return sign_image(data, identity, options.signing, page_hashes=options.page_hashes, timestamper=options.timestamper)


def _other_signer(data: memoryview, identity: SigningIdentity) -> str | None:
    """Who else signed an image; None when nobody did, or the same signer, whose signature is renewed."""
    from signer.certificates import common_name
    from signer.pe import certificate_table
    from signer.pkcs7.parse import parse

    for entry in certificate_table.read(Image.parse(data)):
        parsed = parse(entry.signed_data())
        for signer in parsed.signers:
            certificate = parsed.certificate_of(signer)
            if certificate is None:
                return "an unknown signer"
            if certificate.subject != identity.certificate.subject:
                return common_name(certificate)
    return None


def _as_staged(package: DriverPackage, staging: Transaction) -> DriverPackage:
    """The package with the staged file in the place of each that is to change."""
    files: list[PackageFile] = [replace(file, path=staging.current(file.path)) for file in package.files]
    return replace(package, files=tuple(files))


def _built(package: DriverPackage, content: bytes, algorithm: DigestAlgorithm) -> Made:
    from signer.asn1 import der

    digest = algorithm.hash(der.read(content).contents(content))
    count = len(package.files)
    return Made(package.catalog, "built", algorithm, digest, f"{count} file{'s' if count != 1 else ''}")


def _is_driver(path: Path) -> bool:
    """Whether a file is an image for the kernel: by its name, or by the subsystem that it was linked for."""
    try:
        with mapped(path) as data:
            return detect(data) is IMAGE and (path.suffix.lower() == ".sys" or Image.parse(data).is_native)
    except SignerError as error:
        raise error.at(path) from error

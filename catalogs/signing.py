"""Sign driver packages: sign drivers, build and sign catalogs, verify them, and replace all files together.

Drivers are signed first, so that the catalog lists the files that are shipped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from catalogs.build import CatalogOptions, build
from catalogs.catalog.file import Catalog
from catalogs.catalog.sign import sign_catalog
from catalogs.inf.problems import PackageProblem
from catalogs.package.driver_package import DriverPackage, PackageFile
from catalogs.verification.checked_package import evidence_of
from signer.algorithms import DigestAlgorithm
from signer.errors import ForeignSignatures, PackageError, SignerError
from signer.formats.detect import detect
from signer.formats.table import IMAGE
from signer.keys.identity import SigningIdentity
from signer.operations.ownership import NOBODY, Ownership, Signer, names_of, signers_of_file
from signer.operations.sign import Signed, sign_file
from signer.pe.image import Image
from signer.pkcs7.signed_data import SigningOptions, Timestamper
from signer.storage.files import mapped, read
from signer.storage.transaction import Transaction, atomic_update
from signer.verify.gather import gather

Each = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""A function like `map` that processes files, perhaps with threads and a progress bar."""

Accept = Callable[[DriverPackage, Catalog], None]
"""Checks a staged package before its files are replaced; raises an error to cancel the whole operation."""


@dataclass(frozen=True, slots=True)
class PackagingOptions:
    """Options of package signing."""

    signing: SigningOptions
    catalog: CatalogOptions
    page_hashes: bool = False
    """Sign images with page hashes."""
    timestamper: Timestamper | None = None
    replace: bool = False
    """Replace drivers' and catalogs' signatures of other signers too."""
    skip_signed: bool = False
    """Leave drivers unchanged that have a signature of another signer."""
    known: Ownership = NOBODY
    """The authorities whose signatures are replaced without `replace`."""


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """Result for one file of a package."""

    path: Path
    action: Literal["signed", "skipped", "built"]
    algorithm: DigestAlgorithm | None = None
    digest: bytes | None = None
    note: str = ""
    replaced: tuple[str, ...] = ()
    """The names of the signers whose signatures were replaced."""


def sign_packages(
    folder: Path,
    packages: Sequence[DriverPackage],
    identity: SigningIdentity,
    options: PackagingOptions,
    *,
    each: Each = map,
    accept: Accept | None = None,
    recovered: Callable[[str], None] | None = None,
) -> list[FileOutcome]:
    """Sign the drivers and catalogs of packages below `folder`, and replace all of their files or none.

    Before files are replaced, the results are read back: each file must be in its catalog, and each signature must be
    intact. Raises ForeignSignatures for signatures of other signers, SignerError with the path of the file that can't
    be signed.
    """
    ownership = options.known.of(identity.certificate)
    if not options.replace:
        require_no_foreign(packages, ownership, drivers=not options.skip_signed)
    with atomic_update(folder, recovered=recovered) as transaction:
        results: list[FileOutcome] = list(
            each(lambda path: _sign_image(path, transaction, identity, options), images(packages))
        )
        for package in packages:
            catalog = build(_staged(package, transaction), options.catalog, each=each)
            signed = sign_catalog(catalog, identity, options.signing, options.timestamper)
            transaction.write(package.catalog, signed.to_bytes())
            replaced = names_of(one for one in signers_of_file(package.catalog, ownership) if not one.is_own)
            results.append(replace(_built(package, signed.content.der, options.signing.digest), replaced=replaced))
            _verify_staged(package, transaction, each)
            if accept is not None:
                accept(_staged(package, transaction), signed)
    return results


def require_no_foreign(packages: Sequence[DriverPackage], ownership: Ownership, *, drivers: bool) -> None:
    """Raise ForeignSignatures if the catalogs, or the drivers, of packages have signatures of other signers."""
    problems = []
    for path in [*(images(packages) if drivers else ()), *(package.catalog for package in packages)]:
        others = [one for one in signers_of_file(path, ownership) if not one.is_own]
        if others:
            problems.append(_foreign_problem(path, others))
    if problems:
        raise ForeignSignatures(
            "the package has signatures of other signers; no files were changed",
            problems=tuple(problems),
            hint="Replace them with --replace, or leave the originals unchanged with --output-dir. To keep drivers as "
            "they are: --skip-signed.",
        )


def require_no_foreign_results(
    packages: Sequence[DriverPackage], results: Sequence[DriverPackage], ownership: Ownership
) -> None:
    """Raise ForeignSignatures if signed packages would replace files in another folder that only others have signed.

    `results` are `packages` with the paths in that folder. A catalog with an own signature shows that an earlier call
    wrote the package; its files may have the signatures of other signers. An unchanged copy loses nothing.
    """
    problems = []
    for package, result in zip(packages, results, strict=True):
        if any(one.is_own for one in signers_of_file(result.catalog, ownership)):
            continue
        places = [(None, result.catalog), *((a.path, b.path) for a, b in zip(package.files, result.files, strict=True))]
        for source, place in places:
            signers = signers_of_file(place, ownership)
            is_copy = source is not None and bool(signers) and read(source) == read(place)
            if signers and not is_copy and not any(one.is_own for one in signers):
                problems.append(_foreign_problem(place, signers))
    if problems:
        raise ForeignSignatures(
            "the output folder has files that other signers signed; no files were changed",
            problems=tuple(problems),
            hint="Replace them with --replace, or name another folder.",
        )


def _foreign_problem(path: Path, others: Iterable[Signer]) -> PackageProblem:
    names = " and ".join(dict.fromkeys(map(str, others)))
    return PackageProblem("foreign-signature", f"signed by {names}", path)


def _verify_staged(package: DriverPackage, transaction: Transaction, each: Each) -> None:
    """Read back a staged package. Raises PackageError if a file is not in the catalog or a signature is not intact."""
    data = read(transaction.current(package.catalog))
    own = gather(data, "catalog", package.catalog_name)
    problems = [
        PackageProblem(one.code, one.message, package.catalog) for sig in own.signatures for one in sig.problems
    ]
    catalog = Catalog.parse(data, package.catalog_name)
    for found in each(lambda file: list(_problems_of(file, transaction.current(file.path), catalog)), package.files):
        problems += found
    if problems or not own.signatures:
        raise PackageError(
            "the signed package does not verify; no files were changed",
            problems=tuple(problems),
            path=package.catalog,
            hint="Run the command again. If no other program changes the files meanwhile, report this error as a bug.",
        )


def _problems_of(file: PackageFile, staged: Path, catalog: Catalog) -> Iterator[PackageProblem]:
    evidence = evidence_of(staged, [catalog], file.packed)
    if not any(signature.source == "catalog" for signature in evidence.signatures):
        yield PackageProblem("not-catalogued", "the new catalog does not list it", file.path)
    own = (
        [signature for signature in evidence.signatures if signature.source != "catalog"] if staged != file.path else []
    )
    yield from (PackageProblem(one.code, one.message, file.path) for signature in own for one in signature.problems)


def images(packages: Iterable[DriverPackage]) -> list[Path]:
    """Return the drivers (kernel-mode PE images) of the packages, each file under one of its names.

    Raises SignerError.
    """
    named: dict[str, Path] = {}
    for package in packages:
        for file in package.files:
            named.setdefault(os.path.realpath(file.path), file.path)
    return [path for path in named.values() if _is_driver(path)]


def _sign_image(
    path: Path, transaction: Transaction, identity: SigningIdentity, options: PackagingOptions
) -> FileOutcome:
    """Sign one driver in the transaction, or skip one that has a signature of another signer."""
    try:
        if options.skip_signed:
            signers = signers_of_file(path, options.known.of(identity.certificate))
            others = [one.name for one in signers if not one.is_own]
            if others:
                return FileOutcome(path, "skipped", note=f"signed by {others[0]}")
        signed = transaction.change(path, path, lambda copy: _signed(copy, identity, options))
    except SignerError as error:
        raise error.at(path) from error
    return FileOutcome(path, "signed", signed.algorithm, signed.digest, replaced=signed.replaced)


def _signed(data: memoryview, identity: SigningIdentity, options: PackagingOptions) -> Signed:
    return sign_file(
        data,
        identity,
        options.signing,
        page_hashes=options.page_hashes,
        replace=options.replace,
        known=options.known,
        timestamper=options.timestamper,
    )


def _staged(package: DriverPackage, transaction: Transaction) -> DriverPackage:
    """Return the package with the paths of the staged files."""
    files: list[PackageFile] = [replace(file, path=transaction.current(file.path)) for file in package.files]
    return replace(package, files=tuple(files))


def _built(package: DriverPackage, content: bytes, algorithm: DigestAlgorithm) -> FileOutcome:
    from signer.asn1 import der

    digest = algorithm.hash(der.read(content).contents(content))
    count = len(package.files)
    return FileOutcome(package.catalog, "built", algorithm, digest, f"{count} file{'s' if count != 1 else ''}")


def _is_driver(path: Path) -> bool:
    """Tell whether a file is a kernel-mode image, by its extension (.sys) or its PE subsystem (native)."""
    try:
        with mapped(path) as data:
            return detect(data) is IMAGE and (path.suffix.lower() == ".sys" or Image.parse(data).is_native)
    except SignerError as error:
        raise error.at(path) from error

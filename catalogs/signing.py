"""Sign driver packages: sign drivers, build and sign catalogs, verify them, and replace all files together.

Drivers are signed first, so that the catalog lists the files that are shipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from catalogs.build import CatalogOptions, build
from catalogs.catalog.file import Catalog
from catalogs.catalog.sign import sign_catalog
from catalogs.foreign_signatures import require_no_foreign
from catalogs.inf.problems import PackageProblem
from catalogs.package.driver_package import DriverPackage, PackageFile
from catalogs.package.images import kernel_images
from catalogs.verification.contents import Contents
from catalogs.verification.gathered import Findings, Gathered
from signer.algorithms import DigestAlgorithm
from signer.errors import PackageError, SignerError
from signer.keys.identity import SigningIdentity
from signer.operations.ownership import NOBODY, Ownership, names_of, signers_of_file
from signer.operations.sign import Signed, sign_file
from signer.pkcs7.signed_data import SigningOptions, Timestamper
from signer.records import dataclass
from signer.storage.staging import Staging
from signer.storage.transaction import atomic_update

Each = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""A function like `map` that processes files, perhaps in other processes: its results are picklable."""

Accept = Callable[[DriverPackage, Catalog, Contents], None]
"""Checks a staged package before its files are replaced; raises an error to cancel the whole operation."""

Committing = Callable[[], AbstractContextManager[None]]
"""A context in which all files are replaced together; it may defer interrupts."""


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
    is_signed: bool = True
    """False for an INF that was made from a template, and for a file that was skipped."""
    replaced: tuple[str, ...] = ()
    """The names of the signers whose signatures were replaced."""


def sign_packages(
    folder: Path,
    packages: Sequence[DriverPackage],
    identity: SigningIdentity,
    options: PackagingOptions,
    *,
    each: Each = map,
    read_each: Each | None = None,
    accept: Accept | None = None,
    recovered: Callable[[str], None] | None = None,
    committing: Committing = nullcontext,
    gathered: Gathered | None = None,
) -> list[FileOutcome]:
    """Sign the drivers and catalogs of packages below `folder`, and replace all of their files or none.

    Before files are replaced, the results are read back: each file must be in its catalog, and each signature must be
    intact. `gathered` keeps their evidence for a later verification; `each` and `read_each` are those of `sign_into`.
    Raises ForeignSignatures for signatures of other signers, SignerError with the path of a file that can't be signed.
    """
    if not options.replace:
        require_no_foreign(packages, options.known.of(identity.certificate), drivers=not options.skip_signed)
    with atomic_update(folder, recovered=recovered, committing=committing) as transaction:
        contents = Contents(transaction.opened, gathered=gathered)
        return sign_into(
            transaction, packages, identity, options, contents, each=each, read_each=read_each, accept=accept
        )


def sign_into(
    staging: Staging,
    packages: Sequence[DriverPackage],
    identity: SigningIdentity,
    options: PackagingOptions,
    contents: Contents,
    *,
    each: Each = map,
    read_each: Each | None = None,
    accept: Accept | None = None,
) -> list[FileOutcome]:
    """Sign drivers and catalogs into `staging`, read them back as `contents`, and check each package with `accept`.

    `each` processes the files that are signed, `read_each` (by default the same) those that are only read. Raises
    SignerError with the path of the file that can't be signed.
    """
    ownership, read_each = options.known.of(identity.certificate), read_each or each
    results: list[FileOutcome] = list(_write_new_infs(packages, staging, options.signing.digest))
    results += _sign_images(kernel_images(packages), staging, identity, options, each)
    for package in packages:
        catalog = build(package, options.catalog, each=read_each, opened=staging.opened)
        signed = sign_catalog(catalog, identity, options.signing, options.timestamper)
        staging.write(package.catalog, signed.to_bytes())
        replaced = names_of(one for one in signers_of_file(package.catalog, ownership) if not one.is_own)
        results.append(replace(_built(package, signed.content.der, options.signing.digest), replaced=replaced))
        _verify_staged(package, staging, contents, read_each)
        if accept is not None:
            accept(package, signed, contents)
    return results


def _write_new_infs(
    packages: Sequence[DriverPackage], staging: Staging, algorithm: DigestAlgorithm
) -> Iterator[FileOutcome]:
    """Write the INFs that templates become."""
    files = {file.path: file.new for package in packages for file in package.files if file.new is not None}
    for path, new in files.items():
        staging.write(path, new.data)
        note = f"from {new.template.name}, DriverVer = {new.stamped.driver_ver}"
        yield FileOutcome(path, "built", algorithm, algorithm.hash(new.data), note, is_signed=False)


def _verify_staged(package: DriverPackage, staging: Staging, contents: Contents, each: Each) -> None:
    """Read back a staged package. Raises PackageError if a file is not in the catalog or a signature is not intact."""
    with staging.opened(package.catalog) as view:
        data = bytes(view)
    own = contents.evidence_of_catalog(data, package.catalog_name)
    problems = [
        PackageProblem(one.code, one.message, package.catalog) for sig in own.signatures for one in sig.problems
    ]
    catalog = Catalog.parse(data, package.catalog_name)
    for found, news in each(lambda file: _checked(file, staging, contents, catalog), package.files):
        problems += found
        if contents.gathered is not None:
            contents.gathered.learn(news)
    if problems or not own.signatures:
        raise PackageError(
            "the signed package does not verify; no files were changed",
            problems=tuple(problems),
            path=package.catalog,
            hint="Run the command again. If no other program changes the files meanwhile, report this error as a bug.",
        )


def _checked(
    file: PackageFile, staging: Staging, contents: Contents, catalog: Catalog
) -> tuple[list[PackageProblem], Findings]:
    """Check a staged file, perhaps in another process. Returns its problems and what was gathered."""
    problems = list(_problems_of(file, staging, contents, catalog))
    return problems, contents.gathered.news() if contents.gathered is not None else []


def _problems_of(file: PackageFile, staging: Staging, contents: Contents, catalog: Catalog) -> Iterator[PackageProblem]:
    evidence = contents.evidence_of(file.path, [catalog], file.compressed, file.relative.name)
    if not any(signature.source == "catalog" for signature in evidence.signatures):
        yield PackageProblem("not-catalogued", "the new catalog does not list it", file.path)
    new = evidence.signatures if staging.is_staged(file.path) else ()
    own = (signature for signature in new if signature.source != "catalog")
    yield from (PackageProblem(one.code, one.message, file.path) for signature in own for one in signature.problems)


def _sign_images(
    images: Sequence[Path], staging: Staging, identity: SigningIdentity, options: PackagingOptions, each: Each
) -> list[FileOutcome]:
    """Sign drivers into the staging, except those to skip. `each` may do so in other processes."""
    ownership = options.known.of(identity.certificate)
    skipped = _signed_by_others(images, ownership) if options.skip_signed else {}
    left = [path for path in images if path not in skipped]
    staging.reserve(left)
    signed = dict(zip(left, each(lambda path: _sign_image(path, staging, identity, options), left), strict=True))
    return [skipped.get(path) or signed[path] for path in images]


def _signed_by_others(images: Sequence[Path], ownership: Ownership) -> dict[Path, FileOutcome]:
    """Return the outcome of each driver that is skipped because it has a signature of another signer."""
    found = {}
    for path in images:
        others = [one.name for one in signers_of_file(path, ownership) if not one.is_own]
        if others:
            found[path] = FileOutcome(path, "skipped", note=f"signed by {others[0]}", is_signed=False)
    return found


def _sign_image(path: Path, staging: Staging, identity: SigningIdentity, options: PackagingOptions) -> FileOutcome:
    """Sign one driver into the staging. Raises SignerError with its path."""
    try:
        signed = staging.change(path, path, lambda copy: _signed(copy, identity, options))
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


def _built(package: DriverPackage, content: bytes, algorithm: DigestAlgorithm) -> FileOutcome:
    from signer.asn1 import der

    digest = algorithm.hash(der.read(content).contents(content))
    count = len(package.files)
    return FileOutcome(package.catalog, "built", algorithm, digest, f"{count} file{'s' if count != 1 else ''}")

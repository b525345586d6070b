"""The functions that `catalogs` exports. Each takes natural arguments, converts them, and calls one pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from cryptography import x509

from catalogs.build import CatalogOptions, build
from catalogs.catalog import os_names
from catalogs.catalog.file import Catalog
from catalogs.catalog.os_names import OsName
from catalogs.diff import Difference, differences
from catalogs.inf.stamp import Stamp
from catalogs.loose_files import build_loose, files_to_list
from catalogs.package.driver_package import DriverPackage, survey_packages
from catalogs.package.templates import NewInf, stamp_templates
from catalogs.signing import PackagingOptions, sign_packages
from catalogs.verification.assessment import Assessment
from catalogs.verification.query import VerifyQuery
from catalogs.verification.verify import verify as verify_paths
from signer.api import Timestamps, timestamper_for
from signer.arguments import (
    PathLike,
    Paths,
    require_choices,
    to_digest,
    to_flag,
    to_path,
    to_paths,
    to_strings,
    to_time,
)
from signer.certificates import load_all
from signer.errors import SignerError, UsageError
from signer.keys.identity import SigningIdentity
from signer.operations.ownership import NOBODY, require_replaceable_target
from signer.pkcs7.signed_data import SigningOptions
from signer.policy.machine_state import MachineState
from signer.policy.trust import Trust
from signer.records import dataclass
from signer.storage.files import read, write_atomically
from signer.trust.revocation import load_crls

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class BuiltCatalog:
    """A catalog that was built and written."""

    path: Path
    catalog: Catalog


@dataclass(frozen=True, slots=True)
class PackageResult:
    """What `sign_package` did with one file of a package."""

    path: Path
    action: str
    """signed, built, or skipped."""
    digest_algorithm: str | None
    digest: bytes | None
    note: str
    """Why a file was skipped, and how many files a catalog lists."""


def build_catalogs(
    source: PathLike,
    *,
    os: Iterable[str] | None = None,
    version: int | None = None,
    page_hashes: bool = False,
    replace: bool = False,
    identity: SigningIdentity | None = None,
    now: datetime | None = None,
) -> list[BuiltCatalog]:
    """Build the unsigned catalogs that the INFs of a folder, or one INF, name, and write them where the INFs say.

    `os` lists releases as Inf2Cat names them, such as `["10_X64"]`; None takes them from the INFs. `version` is 1 or
    2; None chooses as Inf2Cat does. A signed catalog is replaced only with `replace`, or if `identity` signed it. `now`
    is the creation time; None is the present. After an error no catalog is written. Raises TypeError, UsageError,
    ForeignSignature, and PackageError with every problem.
    """
    if identity is not None:
        _require_identity(identity)
    options = CatalogOptions(to_time(now), _version(version), to_flag(page_hashes, "page_hashes"))
    packages = _packages(to_path(source, "source"), os, options.now)
    own = NOBODY.of(identity.certificate if identity is not None else None)
    for package in packages:
        require_replaceable_target(package.catalog, own, replace=to_flag(replace, "replace"))
    built = [BuiltCatalog(package.catalog, build(package, options)) for package in packages]
    for one in built:
        write_atomically(one.path, one.catalog.to_bytes())
    return built


def build_file_catalog(
    paths: Paths,
    target: PathLike,
    *,
    version: int = 2,
    replace: bool = False,
    identity: SigningIdentity | None = None,
    now: datetime | None = None,
) -> BuiltCatalog:
    """Build the unsigned catalog of files and of all files in folders, as New-FileCatalog does, and write it.

    The files are listed by their path below the folder, or by their name. `version`, `replace`, `identity` and `now`
    are those of `build_catalogs`. Raises TypeError, UsageError for files with the same path or without files,
    ForeignSignature, FileError.
    """
    if identity is not None:
        _require_identity(identity)
    place, options = to_path(target, "target"), CatalogOptions(to_time(now), _version(version))
    own = NOBODY.of(identity.certificate if identity is not None else None)
    require_replaceable_target(place, own, replace=to_flag(replace, "replace"))
    files = files_to_list(to_paths(paths, "a path"), place)
    built = BuiltCatalog(place, build_loose(files, options, place.name))
    write_atomically(place, built.catalog.to_bytes())
    return built


def read_catalog(path: PathLike) -> Catalog:
    """Read a catalog. Raises TypeError, FileError, CatalogError, SignatureFormatError."""
    source = to_path(path, "path")
    try:
        return Catalog.parse(read(source), source.name)
    except SignerError as error:
        raise error.at(source) from error


def compare_catalogs(first: PathLike | Catalog, second: PathLike | Catalog) -> list[Difference]:
    """Return the differences of two catalogs; an empty list if they have the same content and signer.

    Raises TypeError, FileError, CatalogError, SignatureFormatError.
    """
    one, other = (value if isinstance(value, Catalog) else read_catalog(value) for value in (first, second))
    return differences(one, other)


def sign_package(
    folder: PathLike,
    identity: SigningIdentity,
    *,
    os: Iterable[str] | None = None,
    digest: str = "sha256",
    page_hashes: bool = False,
    version: int | None = None,
    replace: bool = False,
    timestamp: Timestamps = (),
    stamp: Stamp | None = None,
    now: datetime | None = None,
) -> list[PackageResult]:
    """Sign the drivers of the packages in a folder, build their catalogs, and sign these.

    With `stamp`, templates (.inx) without an INF become INFs with its values. All files change together, or none does.
    Signatures of other signers are replaced only with `replace`. `os`, `version` and `now` are those of
    `build_catalogs`; `timestamp` names RFC 3161 authorities. Raises TypeError, UsageError, PackageError with every
    problem, InfError with the line of a template, SigningError, TimestampError.
    """
    _require_identity(identity)
    if stamp is not None and not isinstance(stamp, Stamp):
        raise TypeError(f"stamp must be a Stamp, not {type(stamp).__name__}")
    root, algorithm, time = to_path(folder, "folder"), to_digest(digest), to_time(now)
    options = PackagingOptions(
        SigningOptions(algorithm),
        CatalogOptions(time, _version(version), to_flag(page_hashes, "page_hashes")),
        page_hashes,
        timestamper_for(timestamp, algorithm),
        replace=to_flag(replace, "replace"),
    )
    new_infs = stamp_templates(root, stamp).new if stamp is not None else ()
    made = sign_packages(root, _packages(root, os, time, new_infs), identity, options)
    return [
        PackageResult(one.path, one.action, one.algorithm.label if one.algorithm else None, one.digest, one.note)
        for one in made
    ]


def verify(
    paths: Paths,
    *,
    policy: str | None = None,
    targets: str | Iterable[str] = (),
    matrix: bool = False,
    roots: Paths = (),
    intermediates: Paths = (),
    crls: Paths = (),
    catalogs: Paths = (),
    testsigning: bool = False,
    machine: MachineState | None = None,
    at: datetime | None = None,
) -> list[Assessment]:
    """Check whether Windows installs and loads files, folders and driver packages, for each target.

    `policy` is kernel, pnp, protected-media or authenticode; None is kernel for packages and kernel-mode images, and
    authenticode for all other files. `targets` are names such as `win11-24h2-x64`; without any,
    the newest release for the architecture. With `roots` (certificate files) the test-signing roots are trusted, else
    Microsoft's production roots. `testsigning` is a machine with `TESTSIGNING ON`; `machine` gives its whole state
    instead. `at` is the time of the check; None is the present. A file that can't be verified has an assessment with
    its error. Raises TypeError, UsageError, FileError, CertificateError for the arguments.
    """
    to_flag(testsigning, "testsigning")
    to_flag(matrix, "matrix")
    if machine is not None:
        _require_machine(machine)
    trust = _trust(roots, intermediates, crls, test=testsigning or (machine is not None and machine.roots != "release"))
    if machine is None:
        machine = MachineState(to_time(at), trust.mode, testsigning=testsigning)
    elif at is not None or testsigning:
        raise UsageError("machine can't be combined with at or testsigning", hint="Set them in the MachineState.")
    query = VerifyQuery.create(
        policy,
        trust,
        machine,
        targets=to_strings(targets, "targets"),
        matrix=matrix,
        catalogs=to_paths(catalogs, "a catalog"),
    )
    return verify_paths(to_paths(paths, "a path"), query)


def _packages(
    source: Path, os: Iterable[str] | None, now: datetime, new_infs: Sequence[NewInf] = ()
) -> Sequence[DriverPackage]:
    survey = survey_packages(source, _releases(os), today=now.date(), new_infs=new_infs)
    survey.require_sound(source)
    return survey.packages


def _releases(names: Iterable[str] | None) -> tuple[OsName, ...] | None:
    if names is None:
        return None
    found = [part for name in to_strings(names, "os") for part in name.split(",") if part.strip()]
    if not found:
        raise UsageError("os names no release", hint='Pass names such as os=["10_X64"].')
    return os_names.parse_names(name.strip() for name in found)


def _version(value: int | None) -> int | None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise TypeError(f"version must be 1, 2 or None, not {type(value).__name__}")
    if value not in (None, 1, 2):
        raise UsageError(f"unknown catalog version {value!r}", hint="Use version=1 or version=2.")
    return value


def _require_identity(identity: SigningIdentity) -> None:
    if not isinstance(identity, SigningIdentity):
        raise TypeError(f"identity must be a SigningIdentity, not {type(identity).__name__}")


def _require_machine(machine: MachineState) -> None:
    if not isinstance(machine, MachineState):
        raise TypeError(f"machine must be a MachineState, not {type(machine).__name__}")
    if machine.at is None:
        raise TypeError("machine.at must be a datetime, not NoneType")
    to_time(machine.at)
    require_choices(machine, "machine")


def _trust(roots: Paths, intermediates: Paths, crls: Paths, *, test: bool) -> Trust:
    """Return test-signing trust if there are own roots or the machine is a test machine, else release trust."""
    own, helpers = _certificates(roots, "a root"), _certificates(intermediates, "an intermediate certificate")
    lists = [crl for path in to_paths(crls, "a CRL") for crl in _read(path, load_crls)]
    if own or test:
        return Trust.test_signing(own, intermediates=helpers, crls=lists)
    return Trust.release(intermediates=helpers, crls=lists)


def _certificates(paths: Paths, what: str) -> list[x509.Certificate]:
    return [certificate for path in to_paths(paths, what) for certificate in _read(path, load_all)]


def _read(path: Path, load: Callable[[bytes], list[Item]]) -> list[Item]:
    try:
        return load(read(path))
    except SignerError as error:
        raise error.at(path) from error

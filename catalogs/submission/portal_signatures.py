"""Classify the signatures of a returned package's drivers and catalogs, with the release roots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath, PurePosixPath

from catalogs.catalog.file import Catalog
from catalogs.catalog.members import hash_file
from catalogs.inf.problems import PackageProblem, Severity
from catalogs.package.driver_package import DriverPackage, survey_packages
from catalogs.package.folder import Folder
from signer.certificates import common_name
from signer.errors import SignerError
from signer.policy.classify import classify
from signer.policy.findings import Classification
from signer.policy.judge import paths_of
from signer.records import dataclass
from signer.storage.files import mapped, read
from signer.trust.store import TrustStore
from signer.verify.evidence import Evidence
from signer.verify.gather import gather

MICROSOFT = ("whql", "attested", "windows")
"""Classes of the portal's release signatures."""


@dataclass(frozen=True, slots=True)
class PortalSignatures:
    """The signatures of a file."""

    signers: tuple[tuple[Classification, str], ...]
    """Class and signer name of each intact signature."""
    broken: tuple[str, ...] = ()
    """Problems of the other signatures."""

    @property
    def microsoft(self) -> Classification | None:
        """The class of Microsoft's signature; None without one."""
        return next((kind for kind, _ in self.signers if kind in MICROSOFT), None)

    def problems(self, path: PurePath) -> Iterator[PackageProblem]:
        """Yield the problems of a file that the portal should have signed."""
        for text in self.broken:
            yield PackageProblem(
                "signature-broken", f"a signature is invalid: {text}", path, hint="Download the package again."
            )
        if self.microsoft is not None:
            return
        if any(kind == "preproduction" for kind, _ in self.signers):
            yield PackageProblem(
                "preproduction",
                "Microsoft signed the file only for test machines",
                path,
                hint="Submit it again with both test-signing options of the portal unchecked.",
            )
        else:
            who = ", ".join(name for _, name in self.signers)
            yield PackageProblem(
                "not-signed-by-microsoft",
                f"the file is signed by {who}, not by Microsoft" if self.signers else "the file is not signed",
                path,
                hint="Specify the package that the portal returned.",
            )


def image_signatures(data: memoryview, name: str) -> PortalSignatures:
    """Return the embedded signatures of an image. Raises ImageError."""
    return _portal_signatures(gather(data, "image", name))


def catalog_signatures(folder: Path) -> tuple[dict[Path, PortalSignatures], list[PackageProblem]]:
    """Return the signatures of the catalogs that INFs name, and the catalogs' problems. Raises FileError."""
    found: dict[Path, PortalSignatures] = {}
    survey = survey_packages(folder)
    problems = [_below(problem, folder) for problem in survey.errors]
    for package in survey.packages:
        path = Folder(package.catalog.parent).find([package.catalog_name])
        name = PurePosixPath(package.catalog.relative_to(folder).as_posix())
        if path is None:
            problems.append(
                PackageProblem("catalog-missing", "the catalog is missing", name, hint="Download the package again.")
            )
            continue
        try:
            catalog = Catalog.parse(read(path), path.name)
            found[path] = _portal_signatures(gather(catalog.signed_data, "catalog", path.name))
            problems += found[path].problems(name)
            problems += _incomplete(package, catalog, name)
        except SignerError as error:
            problems.append(PackageProblem(error.code, error.message, name, hint=error.hint))
    return found, problems


def _portal_signatures(evidence: Evidence) -> PortalSignatures:
    paths = paths_of(evidence, TrustStore.release())
    signers: list[tuple[Classification, str]] = []
    broken = [problem.message for problem in evidence.problems]
    for signature, found in zip(evidence.signatures, paths, strict=True):
        stamp = signature.timestamp
        if stamp is not None and not stamp.intact:
            broken.append(f"its timestamp: {stamp.problems[0].message}")
        if signature.intact:
            name = common_name(signature.signer) if signature.signer is not None else "an unknown signer"
            signers.append((classify(signature, found.signer), name))
        else:
            broken.append(signature.problems[0].message)
    return PortalSignatures(tuple(signers), tuple(broken))


def _incomplete(package: DriverPackage, catalog: Catalog, name: PurePosixPath) -> Iterator[PackageProblem]:
    """Yield a problem for each file that the catalog does not list."""
    for file in package.files:
        with mapped(file.path) as data:
            listed = any(catalog.contains(digest) for digest in hash_file(data).digests.values())
        if not listed:
            yield PackageProblem(
                "catalog-incomplete",
                f"the catalog does not list {file.relative}",
                name,
                hint="Submit the package again: Windows does not install files that the catalog does not list.",
            )


def _below(problem: PackageProblem, folder: Path) -> PackageProblem:
    path = problem.path
    if path is not None and path.is_relative_to(folder):
        path = PurePosixPath(path.relative_to(folder).as_posix())
    return PackageProblem(problem.code, problem.message, path, problem.line, problem.hint, Severity.ERROR)

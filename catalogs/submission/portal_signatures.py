"""Who vouches for what came back: the class of the signatures of its drivers and catalogs, under the release roots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from catalogs.catalog.file import Catalog
from catalogs.catalog.members import hash_file
from catalogs.inf.problems import Problem, Severity
from catalogs.package.driver_package import DriverPackage, survey_packages
from catalogs.package.folder import Folder
from signer.certificates import common_name
from signer.errors import SignerError
from signer.policy.classify import classify
from signer.policy.findings import Classification
from signer.policy.judge import paths_of
from signer.storage.files import mapped, read
from signer.trust.store import TrustStore
from signer.verify.evidence import Evidence
from signer.verify.gather import gather_catalog, gather_image

MICROSOFT = ("whql", "attested", "windows")
"""The classes of signatures that the portal makes for release."""


@dataclass(frozen=True, slots=True)
class PortalSignatures:
    """The signatures of a file that are intact, by class, and whose they are."""

    signers: tuple[tuple[Classification, str], ...]
    broken: tuple[str, ...] = ()
    """What is wrong with those that are not."""

    @property
    def microsoft(self) -> Classification | None:
        """The class of Microsoft's signature; None without one."""
        return next((kind for kind, _ in self.signers if kind in MICROSOFT), None)

    def problems(self, path: PurePath) -> Iterator[Problem]:
        """What is wrong with the signatures of a file that the portal is to have signed."""
        for text in self.broken:
            yield Problem("signature-broken", f"a signature is broken: {text}", path, hint="Download it again.")
        if self.microsoft is not None:
            return
        if any(kind == "preproduction" for kind, _ in self.signers):
            yield Problem(
                "preproduction",
                "Microsoft signed it for tests alone",
                path,
                hint="Submit it again, with both test-signing options of the portal unchecked.",
            )
        else:
            who = ", ".join(name for _, name in self.signers) or "nobody"
            yield Problem(
                "not-signed-by-microsoft",
                f"it is not signed by Microsoft but by {who}",
                path,
                hint="Is this what the portal gave back?",
            )


def sealed_image(data: memoryview, name: str) -> PortalSignatures:
    """The signatures in an image. Raises ImageError."""
    return _sealed(gather_image(data, name))


def sealed_catalogs(folder: Path) -> tuple[dict[Path, PortalSignatures], list[Problem]]:
    """The catalogs that the INFs of a folder name, and what is wrong with them. Raises FileError."""
    found: dict[Path, PortalSignatures] = {}
    survey = survey_packages(folder)
    problems = [_below(problem, folder) for problem in survey.errors]
    for package in survey.packages:
        path = Folder(package.catalog.parent).find([package.catalog_name])
        name = PurePosixPath(package.catalog.relative_to(folder).as_posix())
        if path is None:
            problems.append(
                Problem(
                    "catalog-missing", "there is no such catalog", name, hint="The portal makes one: download again."
                )
            )
            continue
        try:
            catalog = Catalog.parse(read(path), path.name)
            found[path] = _sealed(gather_catalog(catalog.signed_data, path.name))
            problems += found[path].problems(name)
            problems += _incomplete(package, catalog, name)
        except SignerError as error:
            problems.append(Problem(error.code, error.message, name, hint=error.hint))
    return found, problems


def _sealed(evidence: Evidence) -> PortalSignatures:
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


def _incomplete(package: DriverPackage, catalog: Catalog, name: PurePosixPath) -> Iterator[Problem]:
    """The files of a package that its catalog does not list."""
    for file in package.files:
        with mapped(file.path) as data:
            listed = any(catalog.contains(digest) for digest in hash_file(data).digests.values())
        if not listed:
            yield Problem(
                "catalog-incomplete",
                f"the catalog does not list {file.relative}",
                name,
                hint="Windows will not install the file: submit the package again.",
            )


def _below(problem: Problem, folder: Path) -> Problem:
    path = problem.path
    shown = PurePosixPath(path.relative_to(folder)) if path is not None and path.is_relative_to(folder) else path
    return Problem(problem.code, problem.message, shown, problem.line, problem.hint, Severity.ERROR)

"""Refuse to replace drivers and catalogs that other signers signed, before a package is signed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from catalogs.inf.problems import PackageProblem
from catalogs.package.driver_package import DriverPackage
from catalogs.package.images import kernel_images
from signer.errors import ForeignSignatures
from signer.operations.ownership import Ownership, Signer, signers_of_file
from signer.storage.files import read


def require_no_foreign(packages: Sequence[DriverPackage], ownership: Ownership, *, drivers: bool) -> None:
    """Raise ForeignSignatures if the catalogs, or the drivers, of packages have signatures of other signers."""
    signed_drivers = _foreign(kernel_images(packages) if drivers else (), ownership)
    catalogs = _foreign((package.catalog for package in packages), ownership)
    if signed_drivers or catalogs:
        options = "--skip-signed --replace" if catalogs else "--skip-signed"
        keep = f" To keep drivers as they are: {options}." if signed_drivers else ""
        raise ForeignSignatures(
            "the package has signatures of other signers; no files were changed",
            problems=(*signed_drivers, *catalogs),
            hint=f"Replace them with --replace, or leave the originals unchanged with --output-dir.{keep}",
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
        files = zip(package.files, result.files, strict=True)
        for source, place in [(None, result.catalog), *((old.path, new.path) for old, new in files)]:
            signers = signers_of_file(place, ownership)
            is_copy = source is not None and bool(signers) and read(source) == read(place)
            if signers and not is_copy and not any(one.is_own for one in signers):
                problems.append(_problem(place, signers))
    if problems:
        raise ForeignSignatures(
            "the output folder has files that other signers signed; no files were changed",
            problems=tuple(problems),
            hint="Replace them with --replace, delete them, or name another folder.",
        )


def _foreign(paths: Iterable[Path], ownership: Ownership) -> list[PackageProblem]:
    """Return a problem for each file with a signature of another signer."""
    signers = ((path, [one for one in signers_of_file(path, ownership) if not one.is_own]) for path in paths)
    return [_problem(path, others) for path, others in signers if others]


def _problem(path: Path, others: Iterable[Signer]) -> PackageProblem:
    names = " and ".join(dict.fromkeys(map(str, others)))
    return PackageProblem("foreign-signature", f"signed by {names}", path)

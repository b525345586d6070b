"""Verify driver packages: an assessment of each installation, and of each driver that the kernel would load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from catalogs.inf.problems import PackageProblem
from catalogs.package.driver_package import DriverPackage
from catalogs.verification.assessment import Assessment
from catalogs.verification.checked_package import CheckedFile, CheckedPackage, Each
from catalogs.verification.contents import ON_DISK, Contents
from catalogs.verification.default_target import target_for
from catalogs.verification.files import assess, verify_file
from catalogs.verification.package_evidence import check_packages
from catalogs.verification.query import KERNEL_POLICIES, VerifyQuery
from signer.codeintegrity.consequences import consequences
from signer.errors import PackageError, SignerError
from signer.policy.findings import Finding, Verdict
from signer.policy.subjects import CertificatePaths
from signer.policy.targets import Target
from signer.verify.evidence import Evidence


def verify_packages(
    where: Path | Sequence[Path], query: VerifyQuery, each: Each = map, *, contents: Contents = ON_DISK
) -> Iterator[Assessment]:
    """Verify the packages of a folder, or of INFs. `each` is a `map` over the files. Raises SignerError."""
    query = query.for_packages()
    left_out: list[PackageProblem] = []
    failures: list[Assessment] = []

    def failed(package: DriverPackage, error: SignerError) -> None:
        failures.append(Assessment(package.inf, "package", error=error.at(package.inf)))

    checked = check_packages(
        where, query.catalogs, query.paths_of, contents=contents, each=each, left_out=left_out.append, failed=failed
    )
    yield from assess_packages(checked, where if isinstance(where, Path) and not failures else None, query)
    yield from failures
    yield from (_left_out(problem) for problem in left_out)


def assess_packages(checked: Iterable[CheckedPackage], folder: Path | None, query: VerifyQuery) -> Iterator[Assessment]:
    """Assess packages whose evidence was gathered with the query's trust. `folder` names the only package in it."""
    query = query.for_packages()
    variants: dict[tuple[Path, ...], list[CheckedPackage]] = {}
    for package in checked:
        variants.setdefault(package.package.infs, []).append(package)
    for infs, packages in variants.items():
        path = folder if folder is not None and len(variants) == 1 else infs[0]
        yield from _verify_variants(path, packages, query)


def _verify_variants(path: Path, variants: list[CheckedPackage], query: VerifyQuery) -> Iterator[Assessment]:
    """Verify the packages of the same INFs: one for each catalog that they name."""
    targets = _targets_of(variants, query)
    left_out = _unclaimed(variants, targets) if query.matrix and not query.all_releases else {}
    files = list(_files_of(variants, [target for target in targets if target not in left_out], query))
    if query.policy != "authenticode" or not files:
        yield _installation(path, variants, targets, query, left_out)
    yield from files


def _unclaimed(variants: Sequence[CheckedPackage], targets: Sequence[Target]) -> dict[Target, Finding]:
    """Return the targets that the INFs or their catalogs are not for, each with the reason."""
    found: dict[Target, Finding] = {}
    for target in targets:
        reasons = [(one, one.unclaimed(target)) for one in variants]
        if all(reason for _, reason in reasons):
            chosen = _variant_for(target, variants)
            found[target] = next(reason for one, reason in reasons if one is chosen and reason)
    return found


def _installation(
    path: Path,
    variants: list[CheckedPackage],
    targets: Sequence[Target],
    query: VerifyQuery,
    left_out: Mapping[Target, Finding],
) -> Assessment:
    """Assess whether Plug and Play installs the package on each target; those in `left_out` are not asked."""
    chosen = [_variant_for(target, variants) for target in targets]
    verdicts = [
        Verdict.not_applicable(target.name, left_out[target])
        if target in left_out
        else package.judge(target, query.machine)
        for package, target in zip(chosen, targets, strict=True)
    ]
    found = tuple(
        consequences("pnp", verdict, package.files[0].evidence, target)
        for verdict, package, target in zip(verdicts, chosen, targets, strict=True)
    )
    signature, paths = _signature(chosen[0], query)
    first = variants[0]
    line = first.drivers[0].version.line if first.drivers else None
    return Assessment(
        path, "package", signature, paths, found, inf=first.name, inf_line=line, policy=query.policy or "kernel"
    )


def _variant_for(target: Target, variants: Sequence[CheckedPackage]) -> CheckedPackage:
    return next((one for one in variants if one.fits(target)), variants[0])


def _signature(package: CheckedPackage, query: VerifyQuery) -> tuple[Evidence | None, tuple[CertificatePaths, ...]]:
    """Return the signature of a package, which is that of its catalog."""
    evidence = package.signature
    if evidence is None:
        return None, ()
    named = tuple(replace(one, source="catalog", catalog=evidence.name) for one in evidence.signatures)
    return replace(evidence, signatures=named), query.paths_of(evidence)


def _files_of(
    variants: Sequence[CheckedPackage], targets: Sequence[Target], query: VerifyQuery
) -> Iterator[Assessment]:
    """Assess single files of the package, unless the policy covers only the installation."""
    if query.policy == "pnp":
        return
    if query.policy == "authenticode":
        yield from (verify_file(one.catalog_path, query) for one in variants if one.catalog_path is not None)
    lookups = [package.catalog for package in variants if package.catalog is not None]
    for one, fitting in _files_to_judge(variants, targets, drivers_only=query.policy in KERNEL_POLICIES):
        yield assess(
            one.file.path,
            one.evidence,
            one.paths,
            replace(query, machine=one.started_on(query.machine)),
            fitting,
            (*lookups, *query.catalogs),
        )


def _files_to_judge(
    variants: Sequence[CheckedPackage], targets: Sequence[Target], *, drivers_only: bool
) -> Iterator[tuple[CheckedFile, tuple[Target, ...]]]:
    """Yield each file that the policy covers, with the targets that install it. The INF decides, not the catalog."""
    found: dict[Path, tuple[CheckedFile, list[Target]]] = {}
    for target in targets:
        for package in variants:
            if not package.installs_on(target):
                continue
            files = package.drivers_on(target) if drivers_only else package.files_on(target)
            images = [file for file in files if file.evidence.kind != "file"]
            fitting = [one for one in images if one.evidence.architecture in (None, target.architecture)]
            # A package may contain drivers for other kernels, but not only those.
            for one in fitting or images:
                found.setdefault(one.file.path, (one, []))[1].append(target)
    yield from ((one, tuple(dict.fromkeys(named))) for one, named in found.values())


def _targets_of(variants: Sequence[CheckedPackage], query: VerifyQuery) -> tuple[Target, ...]:
    """Return the query's targets, or else all that fit (matrix), or the one that fits the INF best."""
    if query.targets:
        return query.targets
    if query.matrix:
        fitting = (target for target in query.targets_for(None) if any(one.fits(target) for one in variants))
        return tuple(fitting) or query.targets_for(None)
    drivers = {driver.path: driver for one in variants for driver in one.drivers}
    target = target_for(tuple(drivers.values()), (name for one in variants for name in one.package.os))
    return query.targets_for(None) if target is None else (target,)


def _left_out(problem: PackageProblem) -> Assessment:
    """Return the failure of an INF that is in no package, so that it is not silently ignored."""
    assert problem.path is not None
    error = PackageError(f"{problem.code}: {problem.message}", path=problem.path, line=problem.line, hint=problem.hint)
    return Assessment(Path(problem.path), "package", error=error)

"""Examine the files of one unit: gather evidence, judge it with and without the policies, and note where it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePath

from catalogs.inf.driver import DriverInf
from catalogs.package.driver_package import DriverPackage
from catalogs.verification.checked_package import CheckedFile, CheckedPackage
from catalogs.verification.package_evidence import check_packages
from catalogs.verification.query import VerifyQuery, load_catalog
from signer.algorithms import DigestAlgorithm
from signer.audit.answer import answer_of, without_policies
from signer.audit.rows import Identity, PackageUse, Reason, Sighting, inf_link
from signer.audit.units import Unit
from signer.errors import SignerError, UsageError, unexpected_as_internal
from signer.formats.detect import expected
from signer.pe.file_facts import FileFacts
from signer.policy.classify import publisher, submitter
from signer.policy.findings import SignatureVerdict, Verdict
from signer.policy.judge import judge_all
from signer.policy.machine_state import MachineState
from signer.policy.subjects import CertificatePaths
from signer.policy.targets import Target, default_target
from signer.storage.files import mapped
from signer.verify.evidence import CatalogLookup, Evidence
from signer.verify.gather import gather, read_facts

_FLAT = (DigestAlgorithm.SHA256, DigestAlgorithm.SHA1)
"""The algorithms of the hashes of whole files by which events and inventories name them."""


@dataclass(frozen=True)
class Question:
    """What an audit asks about every driver."""

    query: VerifyQuery
    """The trusted roots, the machine's state with its policies, at most one target, and further catalogs."""

    def target_for(self, architecture: str | None) -> Target:
        """Return the target for a driver: the one that was given, or the newest release of the architecture."""
        return self.query.targets[0] if self.query.targets else default_target(architecture)

    @cached_property
    def before(self) -> MachineState:
        """The state of the machine before policies stop drivers."""
        return without_policies(self.query.machine)


def examine(unit: Unit, question: Question) -> list[Sighting]:
    """Return a sighting of each image of a unit. A file that can't be read is one too, with the answer needs-file."""
    if unit.unreadable:
        reason = Reason("needs-file", rule="file", remedy=unit.unreadable)
        return [Sighting(str(unit.folder), "", reason, machine=unit.machine)]
    found = list(_of_packages(unit, question))
    known = {one.path for one in found}
    found += _of_files([path for path in unit.files if str(path) not in known], unit, question)
    return [replace(one, machine=unit.machine) for one in found]


def _of_packages(unit: Unit, question: Question) -> Iterator[Sighting]:
    """Yield the drivers that the INFs of the unit name, and the INFs that can't be read."""
    failures: list[Sighting] = []

    def failed(package: DriverPackage, error: SignerError) -> None:
        failures.append(_unreadable(package.inf, error))

    packages: Sequence[CheckedPackage] = ()
    if unit.infs:
        try:
            with unexpected_as_internal():
                query = question.query
                packages = check_packages(unit.infs, query.catalogs, query.paths_of, failed=failed)
        except SignerError as error:
            failures.append(_unreadable(unit.infs[0], error))
    for package in packages:
        uses = tuple(map(_use, package.drivers))
        lookups = _lookups(package, question)
        for one in package.files:
            if one.evidence.traits.loaded_as_code:
                yield from _guarded(one.file.path, _of_checked(one, uses, lookups, question))
    yield from failures


def _lookups(package: CheckedPackage, question: Question) -> tuple[CatalogLookup, ...]:
    return (*([package.catalog] if package.catalog is not None else ()), *question.query.catalogs)


def _of_checked(
    one: CheckedFile, uses: tuple[PackageUse, ...], lookups: Sequence[CatalogLookup], question: Question
) -> Iterator[Sighting]:
    machines = (one.started_on(question.before), one.started_on(question.query.machine))
    found = _judged(one.file.path, one.evidence, one.paths, machines, question)
    links = (inf_link(PurePath(use.inf).name, use.version) for use in uses if use.version)
    yield replace(found, packages=uses, links=(*found.links, *links))


def _of_files(files: Iterable[Path], unit: Unit, question: Question) -> Iterator[Sighting]:
    """Yield the sightings of loose files, which are looked up in the catalogs of their folder."""
    lookups: tuple[CatalogLookup, ...] | None = None
    for path in files:
        if lookups is None:
            lookups = (*question.query.catalogs, *_readable(unit.catalogs))
        yield from _guarded(path, _of_file(path, lookups, question))


def _of_file(path: Path, lookups: tuple[CatalogLookup, ...], question: Question) -> Iterator[Sighting]:
    row = expected(path)
    if row is None or not row.traits.loaded_as_code:
        yield Sighting(str(path), "", Reason("not-a-driver", rule="format"))
        return
    with mapped(path) as data:
        evidence = gather(data, row.name, path.name, lookups)
    machines = (question.before, question.query.machine)
    yield _judged(path, evidence, question.query.paths_of(evidence), machines, question)


def _judged(
    path: Path,
    evidence: Evidence,
    paths: tuple[CertificatePaths, ...],
    machines: tuple[MachineState, MachineState],
    question: Question,
) -> Sighting:
    """Judge a file on the machine before and with the policies."""
    with mapped(path) as data:
        facts = read_facts(data, evidence.kind)
    evidence = replace(evidence, digests={**evidence.digests, **facts.digests})
    targets = (question.target_for(evidence.architecture),)
    before, now = (judge_all("kernel", evidence, paths, targets, machine, facts=facts)[0] for machine in machines)
    digest = facts.digests[DigestAlgorithm.SHA256].hex()
    others = (facts.digests[DigestAlgorithm.SHA1], *(facts.flat_digests[one] for one in _FLAT))
    links = tuple(one.hex() for one in others)
    return Sighting(str(path), digest, answer_of(before, now), _identity(evidence, facts, now), links=links)


def _identity(evidence: Evidence, facts: FileFacts, verdict: Verdict) -> Identity:
    version = ".".join(map(str, facts.version)) if facts.version is not None else ""
    chosen = _deciding(verdict)
    if chosen is None:
        return Identity(version)
    signature = evidence.signatures[chosen.index]
    signer = signature.signer
    return Identity(
        version,
        publisher(signature, chosen.classification) or "",
        submitter(signature, chosen.classification) or "",
        chosen.classification,
        f"{signer.not_valid_before_utc:%Y-%m-%d}" if signer is not None else "",
    )


def _deciding(verdict: Verdict) -> SignatureVerdict | None:
    """Return the signature that an answer is about: the accepted one, or that of the deciding rule, or the first."""
    by_outcome = [one for one in verdict.signatures if one.outcome == verdict.outcome]
    return next(iter(by_outcome or verdict.signatures), None)


def _use(driver: DriverInf) -> PackageUse:
    entry = driver.version.entry("Class")
    name = entry.values[0] if entry is not None and entry.values else ""
    stated = driver.version.driver_version()
    version = ".".join(map(str, (*stated.version, 0, 0, 0)[:4])) if stated is not None and stated.version else ""
    date = f"{stated.date:%Y-%m-%d}" if stated is not None else ""
    return PackageUse(str(driver.path), name, driver.hardware_ids, version, date)


def _readable(catalogs: Iterable[Path]) -> Iterator[CatalogLookup]:
    """Yield the catalogs that can be read: a damaged one lists no file."""
    for path in catalogs:
        try:
            yield load_catalog(path)
        except SignerError:
            continue


def _guarded(path: Path, found: Iterator[Sighting]) -> Iterator[Sighting]:
    try:
        with unexpected_as_internal():
            yield from found
    except UsageError:
        raise
    except SignerError as error:
        yield _unreadable(path, error)


def _unreadable(path: Path, error: SignerError) -> Sighting:
    remedy = f"{error.message}. {error.hint or ''}".strip()
    return Sighting(str(path), "", Reason("needs-file", rule=error.code, remedy=remedy))

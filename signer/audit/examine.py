"""Examine the files of one unit: gather evidence, judge it with and without the policies, and note where it was."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from hashlib import sha256
from pathlib import Path, PurePath

from catalogs.inf.driver import DriverInf
from catalogs.inf.problems import PackageProblem
from catalogs.package.driver_package import DriverPackage
from catalogs.verification.checked_package import CheckedFile, CheckedPackage
from catalogs.verification.contents import Contents
from catalogs.verification.package_evidence import check_packages
from catalogs.verification.query import VerifyQuery, load_catalog
from signer.algorithms import DigestAlgorithm
from signer.audit.answer import answer_of, without_policies
from signer.audit.archives import LeftOut, unpack_drivers
from signer.audit.catroot import catalogs_of
from signer.audit.disk import published_names
from signer.audit.rows import Identity, PackageUse, Reason, Sighting, inf_link, published_link
from signer.audit.span import Span
from signer.audit.units import Place, Unit, units
from signer.errors import FileError, PackageError, SignerError, UsageError, unexpected_as_internal
from signer.formats.detect import expected
from signer.pe.file_facts import FileFacts
from signer.policy.classify import publisher, submitter
from signer.policy.findings import Finding, SignatureVerdict, Verdict
from signer.policy.judge import judge_all
from signer.policy.machine_state import MachineState
from signer.policy.moments import kernel_moments
from signer.policy.subjects import CertificatePaths
from signer.policy.targets import Target, default_target
from signer.records import dataclass
from signer.storage.files import mapped, read, temporary_folder
from signer.verify.evidence import CatalogLookup, Evidence
from signer.verify.gather import gather

_ARCHITECTURES = {"amd64": "x64"}
"""The architectures that an INF names otherwise than a target."""
_UNPACK = "Unpack it with another program or under another name, and audit the file."
_LOST = "Free some memory, and audit the files of its folder one by one."
_WITH_FACTS = Contents(with_facts=True)
_FLAT = (DigestAlgorithm.SHA256, DigestAlgorithm.SHA1)
"""The algorithms of the hashes of whole files by which events and inventories name them."""


@dataclass(frozen=True)
class Question:
    """What an audit asks about every driver."""

    query: VerifyQuery
    """The trusted roots, the machine's state with its policies, at most one target, and further catalogs."""
    machines: Mapping[str, Question] = field(default_factory=dict)
    """The questions about machines that have a state of their own, by name."""

    def of(self, machine: str) -> Question:
        """Return the question about the files of a machine."""
        return self.machines.get(machine, self)

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
    if unit.archive is not None:
        found = _guarded(unit.archive, _of_archive(unit.archive, unit.machine, question))
        return [replace(one, machine=unit.machine) for one in found]
    question = question.of(unit.machine)
    sightings = list(_of_packages(unit, question))
    known = {one.path for one in sightings}
    sightings += _of_files([path for path in unit.files if str(path) not in known], unit, question)
    return [replace(one, machine=unit.machine) for one in sightings]


def unread(unit: Unit) -> list[Sighting]:
    """Return a sighting of each file of a unit that can't be examined: the process that read it ended each time."""
    paths = (unit.archive,) if unit.archive is not None else (*unit.infs, *unit.files)
    error = FileError("unreadable: the process that read it ended", hint=_LOST)
    return [replace(_unreadable(path, error), machine=unit.machine) for path in paths]


def _of_archive(path: Path, machine: str, question: Question) -> Iterator[Sighting]:
    """Yield what is found in an archive. Paths begin with that of the archive, not of the temporary folder."""
    with temporary_folder() as folder:
        for left in unpack_drivers(path, folder):
            yield _not_unpacked(path, left)
        for unit in units([Place(folder, machine)]):
            for one in examine(unit, question):
                packages = tuple(replace(use, inf=_inside(use.inf, folder, path)) for use in one.packages)
                yield replace(one, path=_inside(one.path, folder, path), packages=packages)


def _not_unpacked(archive: Path, left: LeftOut) -> Sighting:
    """Return the sighting of a file that was left out. Path would lose a part of its name, such as a slash."""
    remedy = f"Not examined: {left.reason}. {left.remedy or _UNPACK}"
    name = left.name.replace("\\", "/").replace("/", os.sep)
    return Sighting(f"{archive}{os.sep}{name}", "", Reason("needs-file", rule="not-unpacked", remedy=remedy))


def _inside(name: str, folder: Path, archive: Path) -> str:
    return str(archive / Path(name).relative_to(folder))


def _of_packages(unit: Unit, question: Question) -> Iterator[Sighting]:
    """Yield the drivers that the INFs of the unit name, and the INFs that can't be read or are in no package."""
    failures: list[Sighting] = []

    def failed(package: DriverPackage, error: SignerError) -> None:
        failures.extend(_unreadable(inf, error) for inf in package.infs)

    for package in _checked(unit, question, failures, failed):
        uses = tuple(_use(driver, unit) for driver in package.drivers)
        lookups = _lookups(package, question)
        code = [one for one in package.files if one.evidence.traits.loaded_as_code]
        for one in code:
            yield from _guarded(one.file.path, _of_checked(one, uses, lookups, unit, question))
        if not code:
            yield from _guarded(package.package.inf, _without_drivers(package, uses, question))
    yield from failures


def _checked(
    unit: Unit, question: Question, failures: list[Sighting], failed: Callable[[DriverPackage, SignerError], None]
) -> Sequence[CheckedPackage]:
    """Return the packages of the INFs of a unit, and add the INFs without one to `failures`."""
    query = question.query
    if not unit.infs:
        return ()
    try:
        with unexpected_as_internal():
            return check_packages(
                unit.infs,
                query.catalogs,
                query.paths_of,
                contents=_WITH_FACTS,
                failed=failed,
                left_out=lambda problem: failures.append(_left_out(problem)),
            )
    except PackageError as error:
        first = {problem.path: problem for problem in reversed(error.problems)}
        failures += [_left_out(first[inf]) for inf in unit.infs if inf in first]
    except SignerError as error:
        failures += [_unreadable(inf, error) for inf in unit.infs]
    return ()


def _left_out(problem: PackageProblem) -> Sighting:
    return Sighting(str(problem.path), "", Reason("needs-file", rule=problem.code, remedy=_remedy(problem)))


def _remedy(problem: PackageProblem | Finding | SignerError) -> str:
    """Return the message and the hint as sentences. A name at the beginning keeps its case."""
    message, first = problem.message, problem.message.partition(" ")[0]
    if first.isalpha() and first.islower():
        message = message[:1].upper() + message[1:]
    return f"{message}. {problem.hint}" if problem.hint else message


def _without_drivers(package: CheckedPackage, uses: tuple[PackageUse, ...], question: Question) -> Iterator[Sighting]:
    """Yield the INF of a package whose drivers are not here; nothing for a package without drivers."""
    names = package.drivers[0].architectures if package.drivers else ()
    target = question.target_for(_ARCHITECTURES.get(names[0], names[0]) if names else None)
    missing = package.missing_on(target) if package.installs_on(target) else []
    drivers = [one for one in missing if ".sys" in one.message.lower()]
    if drivers:
        reason = Reason("needs-file", rule=drivers[0].code, remedy=_remedy(drivers[0]))
        yield Sighting(str(package.package.inf), "", reason, packages=uses)


def _lookups(package: CheckedPackage, question: Question) -> tuple[CatalogLookup, ...]:
    return (*([package.catalog] if package.catalog is not None else ()), *question.query.catalogs)


def _of_checked(
    one: CheckedFile, uses: tuple[PackageUse, ...], lookups: Sequence[CatalogLookup], unit: Unit, question: Question
) -> Iterator[Sighting]:
    """Yield a file of a package; the catalogs of the disk are searched for one that no catalog lists."""
    machines = (one.started_on(question.before), one.started_on(question.query.machine))
    path, evidence, paths = one.file.path, one.evidence, one.paths
    listed = any(signature.source == "catalog" for signature in evidence.signatures)
    further = () if listed or one.file.compressed else _of_disk(unit, evidence)
    if further:
        with mapped(path) as data:
            evidence = gather(data, evidence.kind, evidence.name, (*lookups, *further), with_facts=True)
        paths = question.query.paths_of(evidence)
    found = _judged(path, evidence, paths, machines, question)
    links = [inf_link(PurePath(use.inf).name, use.version) for use in uses if use.version]
    links += [published_link(unit.machine, use.published) for use in uses if use.published]
    yield replace(found, packages=uses, links=(*found.links, *links))


def _of_disk(unit: Unit, evidence: Evidence) -> tuple[CatalogLookup, ...]:
    """Return the catalogs of the unit's disk that list a file."""
    catalogs = catalogs_of(unit.disk) if unit.disk is not None else None
    return catalogs.find(evidence.digests.values()) if catalogs is not None else ()


def _of_files(files: Iterable[Path], unit: Unit, question: Question) -> Iterator[Sighting]:
    """Yield the sightings of loose files, which are looked up in the catalogs of their folder."""
    lookups: tuple[CatalogLookup, ...] | None = None
    for path in files:
        if lookups is None:
            lookups = (*question.query.catalogs, *_readable(unit.catalogs))
        yield from _guarded(path, _of_file(path, lookups, unit, question))


def _of_file(path: Path, lookups: tuple[CatalogLookup, ...], unit: Unit, question: Question) -> Iterator[Sighting]:
    row = expected(path)
    if row is None or not row.traits.loaded_as_code:
        yield Sighting(str(path), "", Reason("not-a-driver", rule="format"))
        return
    with mapped(path) as data:
        evidence = gather(data, row.name, path.name, lookups, with_facts=True)
        further = _of_disk(unit, evidence)
        if further:
            evidence = gather(data, row.name, path.name, (*lookups, *further), with_facts=True)
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
    facts = evidence.facts
    assert facts is not None  # gathered with facts
    targets = (question.target_for(evidence.architecture),)
    before, now = (judge_all("kernel", evidence, paths, targets, machine, facts=facts)[0] for machine in machines)
    digest = facts.digests[DigestAlgorithm.SHA256].hex()
    others = (facts.digests[DigestAlgorithm.SHA1], *(facts.flat_digests[one] for one in _FLAT))
    links = tuple(one.hex() for one in others)
    span = Span.around(question.query.machine.at, kernel_moments(evidence))
    return Sighting(str(path), digest, answer_of(before, now), _identity(evidence, facts, now), links=links, span=span)


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


def _use(driver: DriverInf, unit: Unit) -> PackageUse:
    entry = driver.version.entry("Class")
    name = entry.values[0] if entry is not None and entry.values else ""
    stated = driver.version.driver_version()
    version = ".".join(map(str, (*stated.version, 0, 0, 0)[:4])) if stated is not None and stated.version else ""
    date = f"{stated.date:%Y-%m-%d}" if stated is not None else ""
    infs = unit.disk.infs if unit.disk is not None else None
    published = published_names(infs).get(sha256(read(driver.path)).digest(), "") if infs is not None else ""
    return PackageUse(str(driver.path), name, driver.hardware_ids, version, date, published)


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
    return Sighting(str(path), "", Reason("needs-file", rule=error.code, remedy=_remedy(error)))

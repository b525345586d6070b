"""A driver package with the evidence of its INF, the files that it copies, and the catalogs that list them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path

from catalogs.catalog.file import Catalog
from catalogs.catalog.target_os import decoration, os_of, versions_in
from catalogs.inf.driver import DriverInf
from catalogs.inf.lookup import DEFAULT_INSTALL, MachineInstall
from catalogs.inf.problems import PackageProblem
from catalogs.package.driver_package import DriverPackage, PackageFile
from catalogs.package.images import Service
from catalogs.verification.claims import catalog_claims, contradiction, not_claimed
from catalogs.verification.inf_faults import infverif_faults, stopping_faults
from catalogs.verification.installed_files import locations, missing_files
from signer.policy import package as policy
from signer.policy.classify import classify
from signer.policy.findings import Finding, Place, Verdict
from signer.policy.inf_faults import InfFault
from signer.policy.machine_state import MachineState
from signer.policy.subjects import CertificatePaths
from signer.policy.targets import Target
from signer.records import dataclass
from signer.storage.files import shell_quote
from signer.verify.evidence import Evidence

Each = Callable[[Callable[[PackageFile], "CheckedFile"], Sequence[PackageFile]], Iterable["CheckedFile"]]
"""A function like `map` that processes files, perhaps with threads and a progress bar."""
PathsOf = Callable[[Evidence], tuple[CertificatePaths, ...]]
"""Builds the certificate paths of an evidence's signatures in the caller's trust store."""
Machine = tuple[MachineInstall, ...]
"""What a machine uses of each INF of a package."""

_CATALOGS = "windows-driver-docs install/catalog-files.md"
_BY_MICROSOFT = ("windows", "whql", "attested", "preproduction")
"""Classes of signatures for which Microsoft has checked the INF."""
_MODELS = "windows-driver-docs install/inf-manufacturer-section.md"


@dataclass(frozen=True)
class CheckedFile:
    """A file of the package with its evidence and paths."""

    file: PackageFile
    evidence: Evidence
    paths: tuple[CertificatePaths, ...]
    service: Service | None = None
    """The service that the INF installs for it."""
    newlines: PackageProblem | None = None
    """The problem that the catalog lists the file with other newlines."""

    @property
    def is_driver(self) -> bool:
        """True for a driver that the kernel loads: code in a .sys file."""
        return self.evidence.traits.loaded_as_code and self.file.path.suffix.lower() == ".sys"

    def started_on(self, machine: MachineState) -> MachineState:
        """Return the state of a machine that starts the file as the INF says."""
        if self.service is None:
            return machine
        return replace(
            machine,
            boot_start=machine.boot_start or self.service.boot_start,
            early_launch=machine.early_launch or self.service.early_launch,
        )


@dataclass(frozen=True)
class CheckedPackage:
    """The files of one catalog and their evidence."""

    package: DriverPackage
    catalog: Catalog | None
    """The catalog that the INF names; None if it does not exist."""
    signature: Evidence | None
    """The evidence of the catalog itself."""
    files: tuple[CheckedFile, ...]
    catalog_path: Path | None = None
    """Path of the catalog."""
    drivers: tuple[DriverInf, ...] = ()
    """The parsed INFs. Without them, the package is assumed to target every release of its architectures."""
    named: bool = True
    """True if the INF names a catalog."""

    @property
    def name(self) -> str:
        """Name for messages: the file name of its INF."""
        return self.package.inf.name

    def fits(self, target: Target) -> bool:
        """Tell whether the catalog is for the target's architecture."""
        return any(name.architecture == decoration(target) for name in self.package.os)

    def installs_on(self, target: Target) -> bool:
        """Tell whether an INF has something to install on the target, and the catalog is for its architecture."""
        os = os_of(target)
        return self.fits(target) and (not self.drivers or any(driver.installs_on(os) for driver in self.drivers))

    def files_on(self, target: Target) -> list[CheckedFile]:
        """Return the INFs and the files that the target installs."""
        if not self.drivers:
            return [one for one in self.files if any(os.architecture == decoration(target) for os in one.file.os)]
        return self._files_on(self._machine(target))

    def missing_on(self, target: Target) -> list[Finding]:
        """Return findings about files that the target installs and the package lacks. Raises FileError."""
        return self._missing_on(self._machine(target))

    def _machine(self, target: Target) -> Machine:
        """Return what the target uses of each INF. Many targets use the same, so that answers are kept for it."""
        os = os_of(target)
        return tuple(driver.lookup.on(os) for driver in self.drivers)

    @cached_property
    def _files_on(self) -> Callable[[Machine], list[CheckedFile]]:
        infs = {driver.path.name.lower() for driver in self.drivers}

        def find(machine: Machine) -> list[CheckedFile]:
            installed = {location for use in machine for location in locations(use)}
            return [
                one for one in self.files if one.file.location in installed or one.file.relative.name.lower() in infs
            ]

        return cache(find)

    @cached_property
    def _missing_on(self) -> Callable[[Machine], list[Finding]]:
        def find(machine: Machine) -> list[Finding]:
            uses = zip(self.drivers, machine, strict=True)
            return [finding for driver, use in uses for finding in missing_files(driver, use)]

        return cache(find)

    @cached_property
    def _stopping_faults(self) -> Callable[[Machine], list[InfFault]]:
        def find(machine: Machine) -> list[InfFault]:
            uses = zip(self.drivers, machine, strict=True)
            return [fault for driver, use in uses for fault in stopping_faults(driver, use)]

        return cache(find)

    def drivers_on(self, target: Target) -> list[CheckedFile]:
        """Return the drivers that the target installs."""
        return [one for one in self.files_on(target) if one.is_driver]

    def inapplicable(self, target: Target) -> Finding | None:
        """Return why the package is not for a target, whatever its signatures; None if the INF installs there."""
        if not self.fits(target):
            return _not_for(self, target)
        if not self.installs_on(target):
            return _not_for_release(self, target)
        return None

    def unclaimed(self, target: Target) -> Finding | None:
        """Return why the INF or the catalog is not for a target; None if both are."""
        if self.installs_on(target) and not catalog_claims(self.catalog, self._versions, target):
            return not_claimed(self.name, self.package.catalog_name, target)
        return self.inapplicable(target)

    def judge(self, target: Target, machine: MachineState) -> Verdict:
        """Judge whether Plug and Play installs the package on the target: the INF and every file that it copies."""
        unfit = self.inapplicable(target)
        if unfit is not None:
            return Verdict.not_applicable(target.name, unfit)
        infs = set(self.package.infs)
        members = [(one, policy.Member(one.evidence, one.paths)) for one in self.files_on(target)]
        first = next(member for one, member in members if one.file.path in infs)
        whole = policy.Package(
            self.name,
            first,
            tuple(member for _, member in members if member is not first),
            self.package.catalog_name if self.named else None,
            self.catalog is not None,
            self._versions,
            self.catalog is None or self.catalog.is_signed,
            shell_quote(self.package.catalog),
            tuple(self._faults(target)),
        )
        verdict = policy.judge_package(whole, target, machine)
        verdict = replace(verdict, findings=(*verdict.findings, *self._contradictions(target, verdict)))
        findings = (*self.missing_on(target), *self._newlines(target))
        if not findings:
            return verdict
        rule = verdict.rule if verdict.outcome == "rejected" else findings[0].code
        return Verdict(verdict.target, "rejected", rule, (*findings, *verdict.findings), verdict.signatures)

    def _contradictions(self, target: Target, verdict: Verdict) -> Iterator[Finding]:
        """Yield where the catalog, the INF and the target are for different releases, if no rule has said so."""
        if self.catalog is None:
            return
        told = any(code.startswith("os-attribute") for code in verdict.codes)
        if not told and not catalog_claims(self.catalog, self._versions, target):
            yield not_claimed(self.name, self.package.catalog_name, target)
        if len(self.drivers) == 1:  # Several INFs share the releases of their catalog.
            found = contradiction(self.name, self.catalog, self.drivers[0])
            yield from (found,) if found is not None else ()

    def _newlines(self, target: Target) -> Iterator[Finding]:
        for one in self.files_on(target):
            problem = one.newlines
            if problem is not None:
                yield Finding(problem.code, "error", problem.message, _CATALOGS, problem.hint)

    def _faults(self, target: Target) -> Iterator[InfFault]:
        """Yield the faults of the INFs for the target, and the InfVerif errors of a package that Microsoft has not
        signed."""
        stopping = self._stopping_faults(self._machine(target))
        yield from stopping
        kinds = [
            classify(signature, paths.classification_paths)
            for one in self.files
            if one.file.path in self.package.infs
            for signature, paths in zip(one.evidence.signatures, one.paths, strict=True)
        ]
        if not stopping and not any(kind in _BY_MICROSOFT for kind in kinds):
            yield from self._infverif

    @cached_property
    def _infverif(self) -> tuple[InfFault, ...]:
        return tuple(fault for driver in self.drivers for fault in infverif_faults(driver))

    @cached_property
    def _versions(self) -> tuple[tuple[int, int], ...] | None:
        """Return the kernel versions in the INF's OSAttr; None if the catalog has none for the INF."""
        inf = next(one for one in self.files if one.file.path == self.package.inf)
        members = (self.catalog.find(digest) for digest in inf.evidence.digests.values()) if self.catalog else ()
        text = next((member.os_attribute for member in members if member and member.os_attribute), None)
        return tuple(versions_in(text)) if text is not None else None


def _not_for(package: CheckedPackage, target: Target) -> Finding:
    names = ", ".join(name.option for name in package.package.os) or "no release"
    return Finding(
        "inf-not-for-target",
        "info",
        f"{package.name!r} has no models for {target.title}: it is for {names}",
        _MODELS,
        "drvsign has no target for 32-bit ARM, the architecture of Windows 10 Mobile and IoT Core."
        if package.package.os and all(name.architecture == "arm" for name in package.package.os)
        else f"Add a section with a decoration for it, such as [{_section_name(package)}.NT{decoration(target)}].",
        place=_models_place(package),
    )


def _not_for_release(package: CheckedPackage, target: Target) -> Finding:
    sections = (section.target.text for driver in package.drivers for section in driver.models if section.models)
    defaults = (one.text for driver in package.drivers for one in driver.default_installs)
    named = ", ".join(dict.fromkeys(text or "no decoration" for text in (*sections, *defaults))) or "none"
    return Finding(
        "inf-not-for-target",
        "info",
        f"{package.name!r} has no models for {target.title}: its sections are decorated for {named}",
        _MODELS,
        "Add a section with a decoration for the oldest release that the driver supports, such as "
        f"[{_section_name(package)}.NT{decoration(target)}.{'.'.join(map(str, target.kernel))}].",
        place=_models_place(package),
    )


def _models_place(package: CheckedPackage) -> Place | None:
    """Return the first line of [Manufacturer] that names a Models section."""
    lines = (Place(driver.path, section.line) for driver in package.drivers for section in driver.models)
    return next(lines, None)


def _section_name(package: CheckedPackage) -> str:
    """Return the name of the section that a release needs: `DefaultInstall` for an INF without models."""
    primitive = any(driver.default_installs and not driver.models for driver in package.drivers)
    return DEFAULT_INSTALL if primitive else "Models"

"""Verify a signed package before its files are replaced: intact, timestamped, accepted by its targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from catalogs.catalog.file import Catalog
from catalogs.package.driver_package import DriverPackage
from catalogs.verification.checked_package import CheckedPackage, PathsOf
from catalogs.verification.contents import ON_DISK, Contents
from catalogs.verification.package_evidence import check_package
from signer.certificates import common_name
from signer.errors import VerificationError
from signer.policy.classify import classify
from signer.policy.findings import Verdict
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from signer.records import dataclass
from signer.verify.evidence import Evidence


@dataclass(frozen=True, slots=True)
class ReleaseCheck:
    """Verdicts about a signed package and its drivers. No target rejects it."""

    targets: tuple[Target, ...]
    """The requested targets."""
    verdicts: tuple[Verdict, ...]
    """For each target on which the package installs: the verdict on the installation, then on each driver."""

    @property
    def accepted(self) -> tuple[str, ...]:
        """Targets that accept the package and every driver."""
        return tuple(name for name in self._checked if name not in self.undecided)

    @property
    def undecided(self) -> tuple[str, ...]:
        """Targets with an unknown verdict."""
        return tuple(dict.fromkeys(verdict.target for verdict in self.verdicts if not verdict.decided))

    @property
    def not_checked(self) -> tuple[str, ...]:
        """Targets for whose architecture the package installs nothing."""
        return tuple(target.name for target in self.targets if target.name not in self._checked)

    @property
    def _checked(self) -> dict[str, None]:
        return dict.fromkeys(verdict.target for verdict in self.verdicts)


def verify_signed(
    package: DriverPackage,
    catalog: Catalog,
    paths_of: PathsOf,
    targets: Sequence[Target],
    machine: MachineState,
    *,
    release: bool,
    contents: Contents = ON_DISK,
) -> ReleaseCheck:
    """Verify a signed package before its files replace the old ones; `contents` provides the new files.

    Raises VerificationError for a signature that is not intact or that a target rejects, and for a release also for a
    test signature or one without a timestamp. Raises other SignerErrors for unreadable files.
    """
    checked = check_package(package, catalog, paths_of, contents=contents)
    for name, evidence in _evidence(checked):
        _require_intact(name, evidence)
        if release:
            _require_timestamps(name, evidence)
    if release:
        _require_no_tests(checked)
    verdicts = tuple(verdict for target in targets for verdict in _verdicts(checked, target, machine))
    return ReleaseCheck(tuple(targets), verdicts)


def _evidence(checked: CheckedPackage) -> Iterator[tuple[str, Evidence]]:
    if checked.signature is not None:
        yield checked.package.catalog_name, checked.signature
    for one in checked.files:
        yield str(one.file.relative), one.evidence


def _require_intact(name: str, evidence: Evidence) -> None:
    if not evidence.signatures:
        raise VerificationError("the file has no signature and no catalog lists it", path=name)
    for signature in evidence.signatures:
        stamp = signature.timestamp
        if signature.problems:
            raise VerificationError(f"a signature is not intact: {signature.problems[0].message}", path=name)
        if stamp is not None and not stamp.intact:
            raise VerificationError(f"a timestamp is not intact: {stamp.problems[0].message}", path=name)


def _require_timestamps(name: str, evidence: Evidence) -> None:
    for signature in evidence.signatures:
        if signature.timestamp is None:
            who = common_name(signature.signer) if signature.signer is not None else "an unknown signer"
            raise VerificationError(f"the signature of {who!r} has no timestamp", path=name)


def _require_no_tests(checked: CheckedPackage) -> None:
    """Raise VerificationError if a file has a test signature, even in addition to others."""
    for one in checked.files:
        for signature, paths in zip(one.evidence.signatures, one.paths, strict=True):
            kind = classify(signature, paths.classification_paths)
            if kind in ("test", "self-signed", "preproduction") and signature.signer is not None:
                raise VerificationError(
                    f"the file has a {kind} signature by {common_name(signature.signer)!r}",
                    path=str(one.file.relative),
                    hint="Remove the signature first: drvsign strip FILE",
                )


def _verdicts(checked: CheckedPackage, target: Target, machine: MachineState) -> Iterator[Verdict]:
    """Yield the verdicts on the installation and on each driver. Raises VerificationError for a rejection."""
    if not checked.fits(target):
        return
    drivers = (
        judge("kernel", one.evidence, one.paths, target, one.started_on(machine)) for one in checked.drivers_on(target)
    )
    verdicts = [checked.judge(target, machine), *drivers]
    for verdict in verdicts:
        if verdict.outcome in ("rejected", "not-applicable"):
            verdict.require_accepted()
        yield verdict

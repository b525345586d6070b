"""The parameters of a verification: policy, targets, machine state and trusted certificates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Self

from signer.errors import SignerError, UsageError
from signer.policy.applicability import default_policy
from signer.policy.judge import policy as find_policy
from signer.policy.machine_state import MachineState
from signer.policy.subjects import CertificatePaths
from signer.policy.targets import Target, default_target, parse_targets, targets_for
from signer.policy.trust import Trust
from signer.records import dataclass
from signer.storage.files import read
from signer.storage.recovery import UnfinishedRuns
from signer.verify.evidence import CatalogLookup, Evidence

KERNEL_POLICIES = ("kernel", "protected-media")
"""The policies about drivers that the kernel loads."""


@dataclass(frozen=True)
class VerifyQuery:
    """Parameters for all files of a verification. Raises UsageError for contradictory settings."""

    policy: str | None
    """The policy; None for that of each file: kernel for packages and kernel-mode images, else authenticode."""
    trust: Trust
    machine: MachineState
    targets: tuple[Target, ...] = ()
    """Targets; empty for the default target of each architecture."""
    matrix: bool = False
    """Use the targets of the file's architecture instead of `targets`; of a package, those that its INF and catalog are
    for. S mode is left out."""
    all_releases: bool = False
    """Use every target in the matrix, also those that the catalog is not for, and S mode."""
    catalogs: tuple[CatalogLookup, ...] = ()
    """Catalogs that may list the files, in addition to those of packages."""
    verbose_events: bool = False
    """Include events of Code Integrity's verbose log."""

    def __post_init__(self) -> None:
        if self.policy is not None:
            find_policy(self.policy)
        if self.matrix and self.targets:
            raise UsageError("matrix and targets can't be combined", hint="Give one of them.")
        if self.machine.roots != self.trust.mode:
            raise UsageError(
                f"the machine state is for {self.machine.roots} roots, the trusted roots are for {self.trust.mode}",
                hint="Use MachineState(roots=trust.mode).",
            )

    @classmethod
    def create(
        cls,
        policy: str | None,
        trust: Trust,
        machine: MachineState,
        *,
        targets: Iterable[str] = (),
        matrix: bool = False,
        all_releases: bool = False,
        catalogs: Iterable[str | Path] = (),
        verbose_events: bool = False,
    ) -> Self:
        """Make a query from names of targets and paths of catalogs.

        Raises UsageError for an unknown policy or target; FileError, CatalogError and UnfinishedRun for a catalog.
        """
        query = cls(
            policy,
            trust,
            machine,
            parse_targets(targets),
            matrix or all_releases,
            all_releases,
            verbose_events=verbose_events,
        )
        return replace(query, catalogs=tuple(_finished_catalog(Path(path)) for path in catalogs))

    def policy_for(self, evidence: Evidence) -> str:
        """Return the policy for a file."""
        return self.policy if self.policy is not None else default_policy(evidence)

    def for_packages(self) -> Self:
        """Return the query for packages: without a policy, their installation and the loading of their drivers."""
        return self if self.policy is not None else replace(self, policy="kernel")

    def paths_of(self, evidence: Evidence) -> tuple[CertificatePaths, ...]:
        """Build the certificate paths of the evidence's signatures."""
        return self.trust.paths_of(evidence, self.machine.at)

    def targets_for(self, architecture: str | None) -> tuple[Target, ...]:
        """Return the targets for a file of this architecture (None for a file without one)."""
        if self.targets:
            return self.targets
        if not self.matrix:
            return (default_target(architecture),)
        return tuple(target for target in targets_for(architecture) if self.all_releases or not target.s_mode)


def load_catalog(path: Path) -> CatalogLookup:
    """Read a catalog for lookups. Raises SignerError with its path."""
    from catalogs.catalog.file import Catalog

    try:
        return Catalog.parse(read(path), path.name)
    except SignerError as error:
        raise error.at(path) from error


def _finished_catalog(path: Path) -> CatalogLookup:
    """Read a catalog. Raises UnfinishedRun for one that an interrupted run replaced."""
    UnfinishedRuns().require_none(path)
    return load_catalog(path)

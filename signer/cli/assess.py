"""From a path to assessments: evidence, certificate paths, and what follows on each target."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from signer.cli.options.verify import Trust
from signer.cli.paths import walk
from signer.errors import PackageError, SignerError, SigningError, UsageError
from signer.formats.detect import expected
from signer.storage.files import mapped

if TYPE_CHECKING:
    from catalogs.inf.problems import Problem
    from catalogs.verify_package import CheckedFile, CheckedPackage
    from signer.codeintegrity.consequences import Consequences
    from signer.policy.file_facts import FileFacts
    from signer.policy.machine_state import MachineState
    from signer.policy.subjects import CertificatePaths
    from signer.policy.targets import Target
    from signer.verify.evidence import CatalogLookup, Evidence

KERNEL_POLICIES = ("kernel", "protected-media")
_DEFAULTS = {"x86": "win10-22h2-x86", "ia64": "server2008r2-ia64", "arm64": "win11-25h2-arm64"}
_DEFAULT = "win11-25h2-x64"
"""The newest release that most machines run; Windows 11 26H1 comes with new hardware only."""


@dataclass(frozen=True)
class Assessment:
    """One entry of `files`: what was found, and what follows on each target; or why nothing could be said."""

    path: Path
    kind: str
    evidence: Evidence | None = None
    paths: tuple[CertificatePaths, ...] = ()
    consequences: tuple[Consequences, ...] = ()
    error: SignerError | None = None
    inf: str | None = None
    """The INF of a package, by its name."""
    policy: str = "kernel"
    """What was asked."""

    @property
    def accepted(self) -> bool:
        """Whether every target accepts it."""
        return bool(self.consequences) and all(one.verdict.accepted for one in self.consequences)

    @property
    def decided(self) -> bool:
        """Whether there is an answer for every target."""
        return self.error is None and all(one.verdict.decided for one in self.consequences)

    @property
    def rejected(self) -> bool:
        """Whether any target says no."""
        return any(one.verdict.outcome == "rejected" for one in self.consequences)


@dataclass(frozen=True)
class Assessor:
    """How every file of one call is assessed."""

    policy: str
    trust: Trust
    machine: MachineState
    targets: tuple[Target, ...]
    """Those that were named; none for the default of each architecture."""
    matrix: bool = False
    catalogs: tuple[CatalogLookup, ...] = ()
    verbose: bool = False

    def file(self, path: Path, catalogs: Sequence[CatalogLookup] = ()) -> Assessment:
        """One file. Raises SignerError."""
        from signer.verify.gather import gather

        kind = verifiable_kind(path)
        lookups = (*self.catalogs, *catalogs)
        if kind == "file" and not lookups:
            raise SigningError(
                "not an image, catalog or cabinet, so it carries no signature of its own",
                path=path,
                hint="Name the catalog that covers it with --catalog, or the folder of its driver package.",
            )
        with mapped(path) as data:
            evidence = gather(data, kind, path.name, lookups)
        paths = self.trust.paths_of(evidence)
        return self._assessed(path, evidence, paths, self._targets_for(evidence.architecture), lookups)

    def package(
        self,
        where: Path | Sequence[Path],
        each: Callable[[Callable[..., CheckedFile], Sequence[object]], Iterable[CheckedFile]],
    ) -> Iterator[Assessment]:
        """The packages of a folder: an assessment of each installation, and of each driver that would be loaded.

        Raises SignerError.
        """
        from catalogs.verify_package import check

        left_out: list[Problem] = []
        checked = check(where, self.catalogs, self.trust.paths_of, each=each, left_out=left_out.append)
        groups: dict[tuple[Path, ...], list[CheckedPackage]] = {}
        for package in checked:
            groups.setdefault(package.package.infs, []).append(package)
        for infs, variants in groups.items():
            folder = where if isinstance(where, Path) and len(groups) == 1 else infs[0]
            yield from self._package(folder, variants)
        yield from (_unread(problem) for problem in left_out)

    def _package(self, path: Path, variants: list[CheckedPackage]) -> Iterator[Assessment]:
        from signer.codeintegrity.consequences import consequences

        targets = self._targets_of(variants)
        found = list(self._files_of(variants, targets))
        if self.policy != "authenticode" or not found:
            said = []
            for target in targets:
                package = next((one for one in variants if one.fits(target)), variants[0])
                inf = package.files[0]
                verdict = package.judge(target, self.machine)
                said.append(consequences("pnp", verdict, inf.evidence, target))
            signature, paths = self._signature(next((one for one in variants if one.fits(targets[0])), variants[0]))
            yield Assessment(path, "package", signature, paths, tuple(said), inf=variants[0].name, policy=self.policy)
        yield from found

    def _files_of(self, variants: list[CheckedPackage], targets: Sequence[Target]) -> Iterator[Assessment]:
        """What the policy says about single files of a package, where it is about single files."""
        if self.policy == "pnp":
            return
        if self.policy == "authenticode":
            yield from (self.file(one.catalog_path) for one in variants if one.catalog_path is not None)
        for one, fitting in _files_to_judge(variants, targets, drivers_only=self.policy in KERNEL_POLICIES):
            lookups = [package.catalog for package in variants if package.catalog is not None]
            yield self._assessed(
                one.file.path, one.evidence, one.paths, fitting, (*lookups, *self.catalogs), boot_start=one.boot_start
            )

    def _signature(self, package: CheckedPackage) -> tuple[Evidence | None, tuple[CertificatePaths, ...]]:
        """The signature of a package is that of its catalog."""
        evidence = package.signature
        if evidence is None:
            return None, ()
        named = tuple(replace(one, source="catalog", catalog=evidence.name) for one in evidence.signatures)
        return replace(evidence, signatures=named), self.trust.paths_of(evidence)

    def _assessed(
        self,
        path: Path,
        evidence: Evidence,
        paths: tuple[CertificatePaths, ...],
        targets: Sequence[Target],
        catalogs: Sequence[CatalogLookup],
        *,
        boot_start: bool = False,
    ) -> Assessment:
        from signer.codeintegrity.consequences import consequences
        from signer.policy.judge import judge_all

        machine = replace(self.machine, boot_start=True) if boot_start else self.machine
        attributes = _attributes(evidence, catalogs) if self.policy == "protected-media" else None
        evidence, facts = self._for_lists(path, evidence)
        verdicts = judge_all(self.policy, evidence, paths, targets, machine, attributes=attributes, facts=facts)
        said = [
            consequences(self.policy, verdict, evidence, target, verbose=self.verbose)
            for verdict, target in zip(verdicts, targets, strict=True)
        ]
        return Assessment(path, evidence.kind, evidence, paths, tuple(said), policy=self.policy)

    def _for_lists(self, path: Path, evidence: Evidence) -> tuple[Evidence, FileFacts | None]:
        """The evidence with all digests and facts that lists of drivers go by, where a list was given."""
        if evidence.kind != "image" or (self.machine.allow_list is None and self.machine.block_list is None):
            return evidence, None
        from signer.algorithms import DigestAlgorithm
        from signer.pe.digest import digest_image
        from signer.pe.image import Image
        from signer.policy.file_facts import facts_of

        with mapped(path) as data:
            image = Image.parse(data)
            digests = digest_image(image, (DigestAlgorithm.SHA1, DigestAlgorithm.SHA256))
            return replace(evidence, digests={**evidence.digests, **digests}), facts_of(image)

    def _targets_for(self, architecture: str | None) -> tuple[Target, ...]:
        from signer.policy.targets import Target, targets_for

        if self.targets:
            return self.targets
        if self.matrix:
            return targets_for(architecture)
        return (Target.parse(_DEFAULTS.get(architecture or "", _DEFAULT)),)

    def _targets_of(self, variants: Sequence[CheckedPackage]) -> tuple[Target, ...]:
        """The targets of a package: those that were named, else for each architecture that it is for."""
        from signer.policy.targets import all_targets

        if self.targets:
            return self.targets
        if self.matrix:
            return tuple(target for target in all_targets() if any(one.fits(target) for one in variants)) or (
                self._targets_for(None)
            )
        fitting = [
            target
            for architecture in ("x64", "arm64", "x86", "ia64")
            for target in self._targets_for(architecture)
            if any(one.fits(target) for one in variants)
        ]
        return tuple(fitting[:1]) or self._targets_for(None)


def verifiable_kind(path: Path) -> str:
    """What to read a file as: what it is, else what its name says that it should be. Raises FileError."""
    row = expected(path)
    return row.name if row is not None else "file"


def is_package(path: Path) -> bool:
    """Whether a folder, or one below it, holds an INF. Raises FileError."""
    return any(file.suffix.lower() == ".inf" for file in walk(path))


def load_catalog(path: Path) -> CatalogLookup:
    """A catalog to look files up in. Raises SignerError naming it."""
    from catalogs.catalog.file import Catalog
    from signer.storage.files import read

    try:
        return Catalog.parse(read(path), path.name)
    except SignerError as error:
        raise error.at(path) from error


def parse_targets(names: Sequence[str]) -> tuple[Target, ...]:
    """The targets with these names, each of which may be a list with commas. Raises UsageError."""
    from signer.policy.targets import Target

    found = tuple(dict.fromkeys(Target.parse(part) for name in names for part in name.split(",") if part.strip()))
    if names and not found:
        raise UsageError("--target names no target", hint="Say <release>-<arch>, such as win11-25h2-x64.")
    return found


def _files_to_judge(
    variants: Sequence[CheckedPackage], targets: Sequence[Target], *, drivers_only: bool
) -> Iterator[tuple[CheckedFile, tuple[Target, ...]]]:
    """The files that the policy is about, each once with the targets that would install it on their architecture."""
    found: dict[Path, tuple[CheckedFile, list[Target]]] = {}
    for target in targets:
        for package in variants:
            files = package.drivers_on(target) if drivers_only else package.files_on(target)
            images = [file for file in files if file.evidence.kind != "file"] if package.fits(target) else []
            fitting = [one for one in images if one.evidence.architecture in (None, target.architecture)]
            # A package may bring drivers for other kernels along, but not those alone.
            for one in fitting or images:
                found.setdefault(one.file.path, (one, []))[1].append(target)
    yield from ((one, tuple(dict.fromkeys(theirs))) for one, theirs in found.values())


def _unread(problem: Problem) -> Assessment:
    """That an INF is in no package, and why: whatever else is in its folder is no answer for it."""
    assert problem.path is not None
    error = PackageError(
        f"{problem.code}: {problem.message}", problems=(problem,), path=problem.path, hint=problem.hint
    )
    return Assessment(Path(problem.path), "package", error=error)


def _attributes(evidence: Evidence, catalogs: Sequence[CatalogLookup]) -> dict[str, str] | None:
    """What the catalogs that list a file say about it; None where none does."""
    from catalogs.catalog.file import Catalog

    members = [
        catalog.find(digest)
        for catalog in catalogs
        if isinstance(catalog, Catalog)
        for digest in evidence.digests.values()
    ]
    known = [dict(member.attributes) for member in members if member is not None]
    return {name: value for attributes in known for name, value in attributes.items()} if known else None

"""The Plug and Play policy for a whole driver package: its INF, every file that it copies, and its catalog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from signer.policy import features, inf_faults, pnp, sources
from signer.policy.decide import AttributedResult, applicable, decide
from signer.policy.evaluation import EvaluationContext, naming
from signer.policy.findings import Outcome, Verdict, by_severity
from signer.policy.inf_faults import InfFault
from signer.policy.machine_state import MachineState
from signer.policy.rules import Rule, RuleResult, notes, rejects, rule, undecided
from signer.policy.subjects import CertificatePaths, FileSubject
from signer.policy.targets import Target
from signer.records import dataclass
from signer.verify.evidence import Evidence


@dataclass(frozen=True)
class Member:
    """One file of the package with the paths of its signatures, including that of a catalog that lists it."""

    evidence: Evidence
    paths: tuple[CertificatePaths, ...]

    @property
    def as_installed(self) -> FileSubject:
        """The file with its catalog signatures only: device installation ignores embedded ones."""
        pairs = zip(self.evidence.signatures, self.paths, strict=True)
        listed = [(signature, paths) for signature, paths in pairs if signature.source == "catalog"]
        evidence = replace(self.evidence, signatures=tuple(signature for signature, _ in listed))
        return FileSubject.of(evidence, tuple(paths for _, paths in listed))


@dataclass(frozen=True)
class Package:
    """A driver package for device installation."""

    name: str
    """The INF's file name."""
    inf: Member
    files: tuple[Member, ...]
    """Every file that the INF copies."""
    catalog_file: str | None
    """The value of the INF's CatalogFile entry for the target's architecture; None without an entry."""
    catalog_present: bool = True
    """Whether that catalog is in the INF's folder."""
    os_attributes: tuple[tuple[int, int], ...] | None = None
    """The kernel versions of the catalog's OSAttr, such as (10, 0); None without the attribute."""
    catalog_signed: bool = True
    """Whether that catalog has a signature."""
    catalog_path: str = ""
    """Path of that catalog for hints, quoted for a shell."""
    faults: tuple[InfFault, ...] = ()
    """The faults of the INF for the target."""

    @property
    def members(self) -> tuple[Member, ...]:
        """The INF and every copied file."""
        return (self.inf, *self.files)


@rule(
    "catalog-file",
    "The INF's Version section names a catalog, and the catalog is in the INF's folder.",
    source=sources.VERSION_SECTION,
)
def catalog_file(package: Package, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject a package without a CatalogFile entry: it is unsigned, even if a catalog is in its folder."""
    if package.catalog_file is None:
        yield rejects(
            "no-catalog-file",
            f"{package.name!r} has no CatalogFile entry for {context.architecture}: the package is unsigned",
            "Add CatalogFile = name.cat to the INF's [Version] section, then run: drvsign package FOLDER",
        )
    elif not package.catalog_present:
        message = f"the catalog {package.catalog_file!r} of {package.name!r} does not exist{_unlisted(package)}"
        yield rejects("catalog-missing", message, "Build the catalog: drvsign package FOLDER")


@rule("catalog-unsigned", "The catalog is signed.", source=sources.CATALOGS)
def catalog_unsigned(package: Package, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject a package whose catalog has no signature."""
    if package.catalog_file is not None and package.catalog_present and not package.catalog_signed:
        message = f"the catalog {package.catalog_file!r} is not signed{_unlisted(package)}"
        yield rejects("catalog-unsigned", message, f"Sign it: drvsign sign {package.catalog_path}")


def _unlisted(package: Package) -> str:
    """Say what follows from a catalog that does not count."""
    if any(signature.source == "catalog" for one in package.members for signature in one.evidence.signatures):
        return ""
    count = len(package.members)
    return f", so no signed catalog lists the {count} files of the package" if count > 1 else ""


@rule(
    "os-attribute",
    "The catalog is for this release or an older one.",
    source=f"{sources.WDD} devtest/inf2cat.md; SPAPI_E ERROR_SIGNATURE_OSATTRIBUTE_MISMATCH (0xE0000244)",
)
def os_attribute(package: Package, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject a catalog that is only for later releases, and note one that is only for older releases."""
    if package.os_attributes is None:
        return
    if not package.os_attributes:
        message = (
            "the OSAttr of the INF in the catalog names no Windows version; Microsoft does not document the result"
        )
        yield undecided("os-attribute-unreadable", message, "Build the catalog again: drvsign package FOLDER")
        return
    version = context.kernel
    shown = ", ".join(f"{major}.{minor}" for major, minor in package.os_attributes)
    if all(listed > version for listed in package.os_attributes):
        message = f"the catalog is for Windows {shown}, but the version of {context.title} is {version[0]}.{version[1]}"
        hint = "Build the catalog for this release as well: drvsign package --os VALUES FOLDER"
        yield rejects("os-attribute-mismatch", message, hint)
    elif version not in package.os_attributes:
        yield notes("os-attribute-older", f"the catalog is for Windows {shown}, older than {context.title}")


RULES: tuple[Rule[Package], ...] = (*inf_faults.RULES, catalog_file, catalog_unsigned, os_attribute)
_CATALOG_RULES = (catalog_file.name, catalog_unsigned.name)
"""Rules whose rejection explains that no signed catalog lists the files."""


def judge_package(package: Package, target: Target, machine: MachineState) -> Verdict:
    """Return whether a target installs a package: its catalog exists, is for this release and lists every file.

    The findings name each file that the catalog does not list; `rule` is the first deciding rule.
    """
    results = list(_results(package, target, EvaluationContext.of(target, machine)))
    members = [decide(pnp.POLICY, member.as_installed, (target,), machine)[0] for member in package.members]
    outcome, rule_name = _outcome(results, members)
    explained = any(one.rule in _CATALOG_RULES for one in results)
    of_members = (finding for one in members for finding in one.findings)
    findings = [*naming(target, (one.finding for one in results))]
    findings += [one for one in of_members if not (explained and one.code == "not-catalogued")]
    return Verdict(target.name, outcome, rule_name, tuple(by_severity(findings)), members[0].signatures)


def _results(package: Package, target: Target, context: EvaluationContext) -> Iterator[AttributedResult]:
    """Yield the results of the package's rules; before Windows 8 an administrator can install without a catalog."""
    for one in applicable(RULES, target):
        prompts = one.name in _CATALOG_RULES and context.has(features.ADMINISTRATOR_PROMPT)
        for result in one.check(package, context):
            lenient = prompts and result.effect == "rejects"
            yield AttributedResult(one.name, one.source, result._replace(effect="warns") if lenient else result)


def _outcome(results: list[AttributedResult], members: list[Verdict]) -> tuple[Outcome, str]:
    refused = next((one.rule for one in results if one.result.effect == "rejects"), None)
    if refused is not None:
        return "rejected", refused
    open_question = next((one.rule for one in results if one.result.effect == "undecided"), None)
    for outcome in ("rejected", "unknown"):
        worst = next((verdict for verdict in members if verdict.outcome == outcome), None)
        if worst is not None:
            return worst.outcome, worst.rule
        if open_question is not None:
            return "unknown", open_question
    prompted = next((one.rule for one in members if one.rule == pnp.administrator_prompt.name), None)
    return "accepted", prompted or members[0].rule

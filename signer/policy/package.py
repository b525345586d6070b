"""The Plug and Play policy for a whole driver package: its INF, every file that it copies, and its catalog."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from signer.policy import pnp, sources
from signer.policy.decide import AttributedResult, decide
from signer.policy.findings import Finding, Outcome, Verdict
from signer.policy.machine_state import EvaluationContext, MachineState
from signer.policy.rules import Rule, RuleResult, notes, rejects, rule
from signer.policy.subjects import CertificatePaths, FileSubject
from signer.policy.targets import Target
from signer.verify.evidence import Evidence

_VERSIONS = ((10240, (10, 0)), (9600, (6, 3)), (9200, (6, 2)), (7600, (6, 1)), (0, (6, 0)))


@dataclass(frozen=True)
class Member:
    """One file of the package with the paths of its signatures; the catalog's is among them where it is listed."""

    evidence: Evidence
    paths: tuple[CertificatePaths, ...]

    @property
    def as_installed(self) -> FileSubject:
        """The file as the installation sees it: it looks at catalogs only, so what is embedded is no news."""
        pairs = zip(self.evidence.signatures, self.paths, strict=True)
        listed = [(signature, paths) for signature, paths in pairs if signature.source == "catalog"]
        evidence = replace(self.evidence, signatures=tuple(signature for signature, _ in listed))
        return FileSubject.of(evidence, tuple(paths for _, paths in listed))


@dataclass(frozen=True)
class Package:
    """A driver package as the installation sees it."""

    name: str
    """What to call it: the INF's file name."""
    inf: Member
    files: tuple[Member, ...]
    """Every file that the INF copies."""
    catalog_file: str | None
    """What the INF's CatalogFile entry for the target's architecture names; None without an entry."""
    catalog_present: bool = True
    """Whether that catalog lies beside the INF."""
    os_attributes: tuple[tuple[int, int], ...] | None = None
    """The kernel versions of the catalog's OSAttr, such as (10, 0); None where it has none."""

    @property
    def members(self) -> tuple[Member, ...]:
        """The INF and every copied file."""
        return (self.inf, *self.files)


@rule(
    "catalog-file",
    "The INF names a catalog in its Version section, and the catalog lies beside it.",
    source=sources.VERSION_SECTION,
)
def catalog_file(package: Package, context: EvaluationContext) -> Iterator[RuleResult]:
    """Without a CatalogFile entry a package is unsigned, whatever lies beside it."""
    if package.catalog_file is None:
        yield rejects(
            "no-catalog-file",
            f"{package.name!r} names no catalog for {context.target.architecture}, so the package counts as unsigned",
            "Add CatalogFile = name.cat to the INF's [Version] section, then run drvsign package.",
        )
    elif not package.catalog_present:
        message = f"the catalog {package.catalog_file!r} that {package.name!r} names is not there"
        yield rejects("catalog-missing", message, "Build it: drvsign package.")


@rule(
    "os-attribute",
    "The catalog is for this release or an older one.",
    source=f"{sources.WDD} devtest/inf2cat.md; SPAPI_E ERROR_SIGNATURE_OSATTRIBUTE_MISMATCH (0xE0000244)",
)
def os_attribute(package: Package, context: EvaluationContext) -> Iterator[RuleResult]:
    """A catalog for older releases still counts; one for later releases only does not."""
    if not package.os_attributes:
        return
    version = next(version for build, version in _VERSIONS if context.target.build >= build)
    shown = ", ".join(f"{major}.{minor}" for major, minor in package.os_attributes)
    if all(listed > version for listed in package.os_attributes):
        message = f"the catalog is for Windows {shown}, and {context.target.title} is {version[0]}.{version[1]}"
        yield rejects("os-attribute-mismatch", message, "Build the catalog for this release too: drvsign package --os.")
    elif version not in package.os_attributes:
        yield notes("os-attribute-older", f"the catalog is for Windows {shown}, older than {context.target.title}")


RULES: tuple[Rule[Package], ...] = (catalog_file, os_attribute)


def judge_package(package: Package, target: Target, machine: MachineState) -> Verdict:
    """Whether a package installs: its catalog is named, there and for this release, and every file is in it.

    The findings name each file that is not; `rule` is the first that decided.
    """
    context = EvaluationContext(target, machine)
    said = [AttributedResult(one.name, one.source, remark) for one in RULES for remark in one.remarks(package, context)]
    members = [decide(pnp.POLICY, member.as_installed, context) for member in package.members]
    outcome, rule_name = _together(said, members)
    findings = [stated.finding for stated in said] + [finding for one in members for finding in one.findings]
    return Verdict(target.name, outcome, rule_name, tuple(_by_weight(dict.fromkeys(findings))), members[0].signatures)


def _together(said: list[AttributedResult], members: list[Verdict]) -> tuple[Outcome, str]:
    refused = next((stated.rule for stated in said if stated.remark.effect == "rejects"), None)
    if refused is not None:
        return "rejected", refused
    for outcome in ("rejected", "unknown"):
        worst = next((verdict for verdict in members if verdict.outcome == outcome), None)
        if worst is not None:
            return worst.outcome, worst.rule
    return "accepted", members[0].rule


def _by_weight(findings: dict[Finding, None]) -> list[Finding]:
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(findings, key=lambda finding: order[finding.severity])

"""Rules about faults of an INF: those that stop SetupAPI, and those that only InfVerif reports.

`catalogs.verification.inf_faults` finds the faults; each belongs to one rule here. The rules about sections concern
what the target's machine uses: a fault in a section for another architecture does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal, Protocol

from signer.policy import sources
from signer.policy.evaluation import EvaluationContext
from signer.policy.findings import Place
from signer.policy.rules import Rule, RuleResult, rejects, rule, warns
from signer.policy.targets import Releases
from signer.records import dataclass

FaultRule = Literal[
    "inf-signature",
    "inf-encoding",
    "inf-install-section",
    "inf-services",
    "inf-service-section",
    "primitive-driver",
    "infverif",
]


@dataclass(frozen=True, slots=True)
class InfFault:
    """A fault of an INF."""

    rule: FaultRule
    message: str
    hint: str
    place: Place | None = None
    """The line that has the fault; None if no line is known."""


class HasFaults(Protocol):
    """A driver package, as far as these rules use it."""

    @property
    def faults(self) -> tuple[InfFault, ...]:
        """The faults of its INFs for the target."""


def _of(name: FaultRule, faults: Iterable[InfFault]) -> Iterator[RuleResult]:
    for fault in faults:
        if fault.rule == name:
            yield rejects(name, fault.message, fault.hint, fault.place)


@rule(
    "inf-signature",
    "The INF has a [Version] section with a valid Signature; otherwise SetupAPI answers 0xE0000100.",
    source=f"{sources.VERSION_SECTION}; setupapi.h ERROR_WRONG_INF_STYLE",
)
def inf_signature(package: HasFaults, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject a file that SetupAPI does not accept as an INF."""
    return _of("inf-signature", package.faults)


@rule(
    "inf-encoding",
    "The INF is UTF-16 LE or ANSI text. No public source says how SetupAPI answers to UTF-16 BE.",
    source=f"{sources.WDD} install/general-syntax-rules-for-inf-files.md; InfVerif 1003",
)
def inf_encoding(package: HasFaults, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject an INF that Windows can't read."""
    return _of("inf-encoding", package.faults)


@rule(
    "inf-install-section",
    "Every model has its install section; otherwise SetupAPI answers 0xE0000101.",
    source=f"{sources.WDD} install/inf-models-section.md; InfVerif 1261; setupapi.h ERROR_SECTION_NOT_FOUND",
)
def inf_install_section(package: HasFaults, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject an INF with a device that can't be installed."""
    return _of("inf-install-section", package.faults)


@rule(
    "inf-services",
    "Every install section of a device has a .Services section; otherwise SetupAPI answers 0xE0000219. Some setup "
    "classes need none; no public source decides for vendors' classes and for sections that use another INF.",
    source=f"{sources.VISTA_PACKAGES}; InfVerif 1296",
)
def inf_services(package: HasFaults, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject an INF with a device without a function driver."""
    return _of("inf-services", package.faults)


@rule(
    "inf-service-section",
    "AddService names a section with ServiceType, StartType, ErrorControl and ServiceBinary; otherwise SetupAPI "
    "answers 0xE0000217.",
    source=f"{sources.VISTA_PACKAGES}; {sources.WDD} install/inf-addservice-directive.md",
)
def inf_service_section(package: HasFaults, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject an INF with a service that can't be created."""
    return _of("inf-service-section", package.faults)


@rule(
    "primitive-driver",
    "An INF without models is installed as a primitive driver if its [DefaultInstall] names an architecture.",
    source=f"{sources.WDD} develop/creating-a-primitive-driver.md; InfVerif 1420",
    releases=Releases(since="win10-1903"),
)
def primitive_driver(package: HasFaults, context: EvaluationContext) -> Iterator[RuleResult]:
    """Warn about a [DefaultInstall] section without an architecture, which only the Install command processes."""
    for fault in package.faults:
        if fault.rule == "primitive-driver":
            yield warns("not-primitive", fault.message, fault.hint, fault.place)


@rule(
    "infverif",
    "Microsoft's portal accepts only INFs without InfVerif errors; Windows installs others.",
    source=f"{sources.WDD} devtest/inf-validation-errors-and-warnings.md",
)
def infverif(package: HasFaults, context: EvaluationContext) -> Iterator[RuleResult]:
    """Warn about InfVerif's errors."""
    for fault in package.faults:
        if fault.rule == "infverif":
            yield warns("infverif", fault.message, fault.hint, fault.place)


RULES: tuple[Rule[Any], ...] = (
    inf_signature,
    inf_encoding,
    inf_install_section,
    inf_services,
    inf_service_section,
    primitive_driver,
    infverif,
)

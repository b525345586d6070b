"""The kernel policy's rules about the whole file. `waivers` has the machine settings that waive a rejection."""

from __future__ import annotations

from collections.abc import Iterator

from signer.policy import features, remedies, sources, waivers
from signer.policy.decide import Decision
from signer.policy.evaluation import EvaluationContext
from signer.policy.rules import Rule, RuleResult, notes, rejects, rule, undecided, warns
from signer.policy.subjects import IGNORED_CODES, PADDING_CODES, FileSubject
from signer.policy.targets import all_targets

_SIGN = "Sign the driver: drvsign sign FILE, or drvsign package FOLDER for the whole driver package."
_EMBED = "Embed a signature before you build the catalog: drvsign sign FILE"

_ALIGN = "link with a section alignment of 0x1000: DRIVER_ALIGNMENT=0x1000, /ALIGN:0x1000"
_SEPARATE = "put code and data in separate sections: use no #pragma section or /SECTION with both"
_IMPORTS = "link without /MERGE of the import section into a code section"
_LINK = "link the driver with the current WDK, and do not change the image afterwards, such as with a packer"
_LAYOUT = {
    "hvci-not-native": "link with /SUBSYSTEM:NATIVE",
    "hvci-unaligned": _ALIGN,
    "hvci-section-unaligned": _ALIGN,
    "hvci-writable-code": _SEPARATE,
    "hvci-shared-writable-code": _SEPARATE,
    "hvci-imports-in-code": _IMPORTS,
    "hvci-import-addresses": _LINK,
    "hvci-not-contiguous": _LINK,
    "hvci-section-order": _LINK,
    "hvci-section-size": _LINK,
    "hvci-relocation": "compile with /Gy, and align the structures whose pointers are relocated",
}
"""The developer's remedies of the faults that memory integrity is known to refuse."""
_FROM_THE_START = ("hvci-unaligned", "hvci-section-unaligned", "hvci-writable-code", "hvci-shared-writable-code")
_REFUSED = {
    **dict.fromkeys(_LAYOUT, features.HVCI_REASONS),
    **dict.fromkeys(_FROM_THE_START, features.MEMORY_INTEGRITY),
    "hvci-imports-in-code": features.HVCI_IMPORTS,
    "hvci-relocation": features.HVCI_RELOCATIONS,
}
"""The releases that are known to refuse a fault."""
_SUPPORTED_LATER = ("hvci-relocation",)
"""Faults that are known to load on the other releases."""


@rule(
    "architecture",
    "The image is built for the architecture of the kernel.",
    source="windows-driver-docs kernel/porting-your-driver-to-64-bit-windows.md",
)
def architecture(subject: FileSubject, context: EvaluationContext) -> Iterator[RuleResult]:
    """Compare the machine types: a 64-bit kernel loads no 32-bit driver."""
    found = subject.evidence.architecture
    if found is not None and found != context.architecture:
        yield rejects(
            "architecture",
            f"{subject.name!r} is built for {found}; the kernel of {context.title} loads "
            f"only code for {context.architecture}",
            _other_architecture(found, context.architecture),
        )


def _other_architecture(found: str, wanted: str) -> str:
    """Return the hint about a driver for another machine; some machines have no Windows release."""
    build = f"uild the driver for {wanted}."
    exists = any(one.architecture == found for one in all_targets())
    return f"Check it for a target that ends in -{found}, or b{build}" if exists else f"B{build}"


@rule(
    "file-problems",
    "The file is well-formed: its digest covers everything that Windows loads.",
    source=sources.AUTHENTICODE,
)
def file_problems(subject: FileSubject, context: EvaluationContext) -> Iterator[RuleResult]:
    """Return "undecided" for a malformed file: Microsoft does not document how each release treats it."""
    for problem in subject.evidence.problems:
        message = f"{subject.name!r} is malformed: {problem.message}"
        if problem.code in PADDING_CODES or problem.code in IGNORED_CODES:
            yield warns(problem.code, f"{message}; the kernel ignores this")
            continue
        yield undecided(problem.code, message, "Build and sign the file again.")


@rule(
    "unsigned",
    "Kernel-mode code has an embedded signature or is listed in a signed catalog.",
    source=sources.REQUIREMENTS,
)
def unsigned(subject: FileSubject, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject a file without any signature."""
    if not subject.evidence.signatures:
        message = f"{subject.name!r} is not signed: it has no embedded signature, and no given catalog lists it"
        yield rejects("unsigned", message, _SIGN)


@rule(
    "boot-start-embedded",
    "A boot-start driver has an embedded signature, because the boot loader can't read catalogs.",
    source=f"{sources.REQUIREMENTS}; {sources.EMBEDDED} relaxes it for 64-bit Windows",
    default="the driver does not start at boot; required before Windows 10, a warning since",
)
def boot_start_embedded(decision: Decision, context: EvaluationContext) -> Iterator[RuleResult]:
    """Reject up to Windows 8.1 and Server 2012 R2, where the boot manager fails; later the documentation disagrees."""
    if not context.machine.boot_start or not decision.subject.traits.loaded_as_code or not decision.signatures:
        return
    good = [evaluated for evaluated in decision.signatures if evaluated.outcome == decision.outcome]
    if any(evaluated.candidate.signature.source != "catalog" for evaluated in good):
        return
    message = f"the boot-start driver {decision.subject.name!r} has a catalog signature but no embedded signature"
    if not context.has(features.BOOT_START_CATALOG):
        yield rejects("boot-start-catalog-only", f"{message}; {context.title} fails to start with it", _EMBED)
    else:
        message += "; Microsoft's documentation contradicts itself on whether that is sufficient"
        yield warns("boot-start-catalog-only", message, _EMBED)


@rule(
    "block-list",
    "The driver is not on Microsoft's list of vulnerable and malicious drivers; its signature does not matter.",
    source=sources.BLOCK_RULES,
    releases=features.BLOCK_LIST,
    default="on for clients since Windows 11 22H2, in S mode, with memory integrity; skipped if no list is given",
)
def block_list(decision: Decision, context: EvaluationContext) -> Iterator[RuleResult]:
    """Compare with the list that the user gives; Microsoft updates the list independently of this project."""
    if not context.block_list_on or not decision.subject.traits.loaded_as_code:
        return
    name, listed = decision.subject.name, context.machine.block_list
    if listed is None:
        message = f"{context.title} enforces Microsoft's driver block list, which was not checked: no list given"
        hint = "Give a machine's list with --block-list: System32\\CodeIntegrity\\driversipolicy.p7b"
        yield notes("block-list-not-given", message, hint)
        return
    answer = listed.denies(decision.subject)
    if answer:
        rule = listed.denying_rule(decision.subject)
        yield rejects("block-listed", f"{name!r} is on the given driver block list: {rule}", remedies.BLOCK_LIST)
    elif answer is None:
        message = f"the given block list has rules about properties of {name!r} that can't be determined from the file"
        yield undecided("block-list-unknown", message)


@rule(
    "hvci",
    "With memory integrity, the layout of the driver has no fault of Code Integrity's list: a subsystem other than "
    "native, unaligned sections, code that is writable, an import address table in code or outside of every section, "
    "sections that are not contiguous, not in order, or too large; "
    "before Windows 10 1703 also relocations across a page boundary.",
    source=f"{sources.HVCI}; {sources.HVCI_EVENTS}; {sources.HVCI_REASONS}",
    releases=features.MEMORY_INTEGRITY,
    default="memory integrity is off",
)
def hvci(decision: Decision, context: EvaluationContext) -> Iterator[RuleResult]:
    """Check the layout of the file. Behavior at run time, such as executable pool allocations, can't be checked."""
    if not context.hvci or not decision.subject.traits.loaded_as_code:
        return
    for fault in decision.subject.evidence.protection:
        message = f"{decision.subject.name!r} is not compatible with memory integrity: {fault.message}"
        remedy = remedies.memory_integrity(_LAYOUT.get(fault.code, _LINK))
        if fault.code in _REFUSED and context.has(_REFUSED[fault.code]):
            yield rejects(fault.code, message, remedy)
        elif fault.code not in _SUPPORTED_LATER:
            message += f"; Microsoft does not document whether {context.title} refuses it"
            yield undecided(fault.code, message, remedy)


@rule(
    "machine-state",
    "Machine settings that contradict each other or that the release does not support have no effect.",
    source=f"{sources.TEST_MODE}; {sources.POLICY}",
)
def machine_state(decision: Decision, context: EvaluationContext) -> Iterator[RuleResult]:
    """Note the settings without effect."""
    machine, title = context.machine, context.title
    if machine.testsigning and machine.roots == "release":
        message = "test-signing mode has no effect with release roots"
        yield notes("testsigning-ignored", message, "Add --roots test-signing.")
    elif machine.testsigning and context.secure_boot:
        yield notes("testsigning-secure-boot", f"{title} is not in test-signing mode: Secure Boot prevents it")
    if machine.secure_boot and not context.supports_secure_boot:
        yield notes("no-secure-boot", f"{title} does not support Secure Boot")
    if machine.hvci and not context.hvci:
        yield notes("no-hvci", f"{title} does not support memory integrity")


RULES: tuple[Rule[FileSubject], ...] = (architecture, file_problems, unsigned)
OUTCOME_RULES: tuple[Rule[Decision], ...] = (
    boot_start_embedded,
    block_list,
    waivers.x86_not_enforced,
    waivers.signatures_not_enforced,
    waivers.debugger,
    hvci,
    machine_state,
)

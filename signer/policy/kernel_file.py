"""The kernel policy's rules about the file as a whole, and about what a machine lets pass all the same."""

from __future__ import annotations

from collections.abc import Iterator

from signer.policy import sources
from signer.policy.authenticode import IGNORED_CODES, PADDING_CODES
from signer.policy.decide import Decided
from signer.policy.machine_state import EvaluationContext
from signer.policy.rules import Releases, Rule, RuleResult, notes, rejects, rule, undecided, waives, warns
from signer.policy.subjects import FileSubject

_SIGN = "Sign it: drvsign sign, or drvsign package for the whole driver package."
_EMBED = "Embed a signature: drvsign sign, before the catalog is built."
_EMBEDDED_REQUIRED_BEFORE = 10240

_LAYOUT = {
    "hvci-unaligned": "Link with a section alignment of 0x1000: DRIVER_ALIGNMENT=0x1000, /ALIGN:0x1000.",
    "hvci-writable-code": "Keep code and data in sections of their own: no #pragma section or /SECTION with both.",
}

NEVER_LIFTED = frozenset({"architecture", "file-problems", "s-mode", "driver-policy", "block-list", "hvci"})
"""Rules whose no stands whatever the machine lets pass: the others are Code Integrity's check of signatures."""


@rule(
    "architecture",
    "An image is loaded by the kernel of its own architecture only.",
    source="windows-driver-docs kernel/porting-your-driver-to-64-bit-windows.md",
)
def architecture(subject: FileSubject, context: EvaluationContext) -> Iterator[RuleResult]:
    """Machine types must agree: a 64-bit kernel loads no 32-bit driver."""
    found = subject.evidence.architecture
    if subject.evidence.kind == "image" and found is not None and found != context.target.architecture:
        yield rejects(
            "architecture",
            f"{subject.name!r} is an {found} image, and the kernel of {context.target.title} loads "
            f"{context.target.architecture} images only",
            f"Judge it for a target that ends in -{found}, or build the driver for {context.target.architecture}.",
        )


@rule(
    "file-problems",
    "The file is well-formed, so that what is hashed is what is loaded.",
    source=sources.AUTHENTICODE,
)
def file_problems(subject: FileSubject, context: EvaluationContext) -> Iterator[RuleResult]:
    """What is wrong with the file itself; how each Windows release takes such a file is not published."""
    for problem in subject.evidence.problems:
        message = f"{subject.name!r} is not well-formed: {problem.message}"
        if problem.code in PADDING_CODES or problem.code in IGNORED_CODES:
            yield warns(problem.code, f"{message}; the kernel does not mind")
            continue
        yield undecided(problem.code, message, "Build and sign the file again.")


@rule(
    "unsigned",
    "Kernel-mode code must be signed, by an embedded signature or by a catalog that lists it.",
    source=sources.REQUIREMENTS,
)
def unsigned(subject: FileSubject, context: EvaluationContext) -> Iterator[RuleResult]:
    """Without any signature there is nothing to trust."""
    if not subject.evidence.signatures:
        yield rejects("unsigned", f"{subject.name!r} has no signature, embedded or in a catalog that was given", _SIGN)


@rule(
    "boot-start-embedded",
    "A boot-start driver carries its signature in itself: catalogs can't be read when it is loaded.",
    source=f"{sources.REQUIREMENTS}; {sources.EMBEDDED} relaxes it for 64-bit Windows",
    default="the driver does not start at boot; required before Windows 10, a warning from then on",
)
def boot_start_embedded(decided: Decided, context: EvaluationContext) -> Iterator[RuleResult]:
    """An error up to 8.1 and Server 2012 R2, where such drivers fail in the boot manager; pages disagree on later."""
    if not context.machine.boot_start or decided.subject.evidence.kind != "image" or not decided.signatures:
        return
    good = [judged for judged in decided.signatures if judged.outcome == decided.outcome]
    if any(judged.candidate.signature.source != "catalog" for judged in good):
        return
    message = f"{decided.subject.name!r} starts at boot and is signed in a catalog only"
    if context.target.build < _EMBEDDED_REQUIRED_BEFORE:
        yield rejects("boot-start-catalog-only", f"{message}; {context.target.title} then fails to start", _EMBED)
    else:
        yield warns("boot-start-catalog-only", f"{message}; Microsoft's pages disagree whether that is enough", _EMBED)


@rule(
    "block-list",
    "A driver on Microsoft's list of vulnerable and malicious drivers is blocked, however well it is signed.",
    source=sources.BLOCK_RULES,
    releases=Releases(since="win10-1607"),
    default="on clients since Windows 11 22H2, in S mode, with memory integrity; without a list nothing is compared",
)
def block_list(decided: Decided, context: EvaluationContext) -> Iterator[RuleResult]:
    """The list is Microsoft's to change, so it is taken from a file that the user gives."""
    if not context.block_list_on or decided.subject.evidence.kind != "image":
        return
    name, listed = decided.subject.name, context.machine.block_list
    if listed is None:
        message = f"{context.target.title} blocks what is on Microsoft's driver block list, and no list was given"
        hint = "Give a machine's list with --block-list: driversipolicy.p7b in System32\\CodeIntegrity."
        yield notes("block-list-not-given", message, hint)
        return
    answer = listed.denies(decided.subject)
    if answer:
        rule = listed.denial(decided.subject)
        message = f"{name!r} is on the driver block list that was given, by {rule}"
        yield rejects("block-listed", message, "Use a newer driver.")
    elif answer is None:
        yield undecided("block-list-unknown", f"the block list that was given asks for more than is known of {name!r}")


def _would_be_let_pass(decided: Decided) -> bool:
    """Return whether a machine that is set up for development waives the rejection. Catalogs are not loaded: never."""
    return (
        decided.subject.evidence.kind == "image"
        and decided.outcome != "accepted"
        and not decided.rejected_by(NEVER_LIFTED)
    )


@rule(
    "x86-not-enforced",
    "A 32-bit kernel wants signatures only with Secure Boot on, for boot-start drivers and for protected media.",
    source=f"{sources.POLICY}, and {sources.REQUIREMENTS} for boot-start and protected media",
    releases=Releases(architectures=("x86",)),
    default="Secure Boot is on where the release has it",
)
def x86_not_enforced(decided: Decided, context: EvaluationContext) -> Iterator[RuleResult]:
    """What would not load on x64 loads on x86, with event 3001 and a warning at installation."""
    if context.enforced or not _would_be_let_pass(decided):
        return
    message = f"{context.target.title} loads {decided.subject.name!r} all the same, as it enforces no signatures here"
    yield waives("x86-not-enforced", message, "Sign it for 64-bit releases and for protected media.")


@rule(
    "debugger",
    "With a kernel debugger attached, Code Integrity reports what it would block, and loads it.",
    source=f"{sources.LOG_MESSAGES}; {sources.DEBUGGING}",
    default="no debugger is attached; CI\\DebugFlags 0x10 is not set",
)
def debugger(decided: Decided, context: EvaluationContext) -> Iterator[RuleResult]:
    """Events 3003, 3005 and 3022 instead of the errors; Secure Boot rules a kernel debugger out."""
    if not context.machine.debugger or not _would_be_let_pass(decided):
        return
    name = decided.subject.name
    if context.secure_boot:
        message = "a kernel debugger can't be attached while Secure Boot is on, so it changes nothing"
        yield notes("debugger-secure-boot", message, "Turn Secure Boot off; then judge with --no-secure-boot.")
    elif context.hvci:
        message = f"memory integrity checks {name!r} even with a debugger attached; what it then does is not published"
        yield notes("debugger-hvci", message)
    else:
        yield waives("debugger", f"{name!r} loads because a kernel debugger is attached, and only then", _SIGN)


@rule(
    "hvci",
    "Memory integrity takes no driver with code that can be written to, or with sections that don't begin on pages.",
    source=sources.HVCI,
    releases=Releases(since="win10-1507", architectures=("x64", "arm64")),
    default="memory integrity is off",
)
def hvci(decided: Decided, context: EvaluationContext) -> Iterator[RuleResult]:
    """What the file shows. What a driver does while it runs, such as asking for executable pool, no file shows."""
    if not context.hvci or decided.subject.evidence.kind != "image":
        return
    for fault in decided.subject.evidence.protection:
        message = f"{decided.subject.name!r} does not fit memory integrity: {fault.message}"
        if fault.code == "hvci-imports-in-code":
            hint = "Link without merging the section of the imports into code (/MERGE)."
            message += "; Driver Verifier minds, and whether the load fails is not published"
            yield undecided(fault.code, message, hint)
        else:
            yield rejects(fault.code, message, _LAYOUT[fault.code])


@rule(
    "machine-state",
    "Switches that can't be on together, or not on this release, change nothing.",
    source=f"{sources.TEST_MODE}; {sources.POLICY}",
)
def machine_state(decided: Decided, context: EvaluationContext) -> Iterator[RuleResult]:
    """What was asked for and has no influence."""
    machine, title = context.machine, context.target.title
    if machine.testsigning and machine.roots == "release":
        message = "test-signing mode is not considered, as the paths end in release roots"
        yield notes("testsigning-ignored", message, "Add --roots test-signing.")
    elif machine.testsigning and context.secure_boot:
        yield notes("testsigning-secure-boot", f"{title} is not in test-signing mode, because Secure Boot is on")
    if machine.secure_boot and not context.target.release.secure_boot:
        yield notes("no-secure-boot", f"{title} has no Secure Boot")
    if machine.hvci and not context.hvci:
        yield notes("no-hvci", f"{title} has no memory integrity")


RULES: tuple[Rule[FileSubject], ...] = (architecture, file_problems, unsigned)
OUTCOME_RULES: tuple[Rule[Decided], ...] = (
    boot_start_embedded,
    block_list,
    x86_not_enforced,
    debugger,
    hvci,
    machine_state,
)

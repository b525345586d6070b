"""The kernel policy's machine settings that waive a rejection: x86, a boot without enforcement, a debugger."""

from __future__ import annotations

from collections.abc import Iterator

from signer.policy import sources
from signer.policy.decide import Decision
from signer.policy.evaluation import EvaluationContext
from signer.policy.rules import RuleResult, notes, rule, waives
from signer.policy.targets import Releases

_SIGN = "Sign the driver: drvsign sign FILE, or drvsign package FOLDER for the whole driver package."

NEVER_WAIVED = frozenset({"architecture", "file-problems", "s-mode", "driver-policy", "block-list", "hvci"})
"""Rejections that no machine setting can waive. The other rules are Code Integrity's signature check."""


def _waivable(decision: Decision, never: frozenset[str] = NEVER_WAIVED) -> bool:
    """Return whether a development setting can waive the rejection. It can't for files that are never loaded."""
    return decision.subject.traits.loaded_as_code and decision.outcome != "accepted" and not decision.rejected_by(never)


@rule(
    "x86-not-enforced",
    "A 32-bit kernel requires signatures only with Secure Boot, for boot-start drivers and for protected media.",
    source=f"{sources.POLICY}, and {sources.REQUIREMENTS} for boot-start and protected media",
    releases=Releases(architectures=("x86",)),
    default="Secure Boot is on if the release supports it",
)
def x86_not_enforced(decision: Decision, context: EvaluationContext) -> Iterator[RuleResult]:
    """Waive a rejection on x86, where Windows logs event 3001 and warns at installation."""
    if context.enforced or not _waivable(decision):
        return
    message = f"{context.title} loads {decision.subject.name!r} because it does not enforce signatures"
    yield waives("x86-not-enforced", message, "Sign it for 64-bit releases and for protected media.")


@rule(
    "signatures-not-enforced",
    "With driver signature enforcement disabled for one boot (F8, or Startup Settings 7), drivers load without a valid "
    "signature.",
    source=sources.STARTUP_SETTINGS,
    default="signatures are enforced",
)
def signatures_not_enforced(decision: Decision, context: EvaluationContext) -> Iterator[RuleResult]:
    """Waive a rejection, also by the Windows Driver Policy, as reports from the field say."""
    if context.machine.signature_enforcement or not _waivable(decision, NEVER_WAIVED - {"driver-policy"}):
        return
    name = decision.subject.name
    if context.hvci:
        message = f"memory integrity checks {name!r} in this boot too; Microsoft does not document the result"
        yield notes("not-enforced-hvci", message)
        return
    message = f"{name!r} loads in this boot only, because driver signature enforcement is disabled"
    yield waives("signatures-not-enforced", message, _SIGN)


@rule(
    "debugger",
    "With a kernel debugger attached, Code Integrity logs violations and loads the driver.",
    source=f"{sources.LOG_MESSAGES}; {sources.DEBUGGING}",
    default="no debugger is attached; CI\\DebugFlags 0x10 is not set",
)
def debugger(decision: Decision, context: EvaluationContext) -> Iterator[RuleResult]:
    """Waive a rejection under a debugger (events 3003, 3005, 3022), which Secure Boot prevents."""
    if not context.machine.debugger or not _waivable(decision):
        return
    name = decision.subject.name
    if context.machine.debug_enforcement:
        message = "the debugger has no effect: CI\\DebugFlags 0x10 enforces signatures under a debugger too"
        yield notes("debugger-enforced", message, "Remove 0x10 from CI\\DebugFlags to load it under the debugger.")
    elif context.secure_boot:
        message = "the debugger has no effect: Secure Boot prevents kernel debugging"
        hint = "Turn Secure Boot off on the machine, then check with --no-secure-boot."
        yield notes("debugger-secure-boot", message, hint)
    elif context.hvci:
        message = (
            f"memory integrity checks {name!r} under a kernel debugger too; Microsoft does not document the result"
        )
        yield notes("debugger-hvci", message)
    else:
        yield waives("debugger", f"{name!r} loads only because a kernel debugger is attached", _SIGN)

"""Decide one driver's answer from two verdicts: without the policies that stop drivers, and with them."""

from __future__ import annotations

from dataclasses import replace

from signer.audit.rows import STOPPING, Answer, Reason
from signer.policy.findings import Verdict
from signer.policy.machine_state import DRIVER_POLICY_FROM, MachineState

DRIVER_POLICY = "Windows Driver Policy"
_POLICIES = {
    "driver-policy": (DRIVER_POLICY, f"{DRIVER_POLICY_FROM:%Y-%m-%d}"),
    "block-list": ("Microsoft's driver block list", ""),
    "hvci": ("memory integrity", ""),
}
"""The policies that stop drivers by the rule that applies them, with the day on which they take effect."""
_ARCHITECTURE = "architecture"
"""The rule that refuses an image for another architecture than the target's."""


def without_policies(machine: MachineState) -> MachineState:
    """Return the state of the machine before any policy stops drivers that it loads."""
    return replace(machine, driver_policy="off", hvci=False, allow_list=None, block_list=None, block_list_on=False)


def answer_of(before: Verdict, now: Verdict) -> Reason:
    """Return the answer for a driver that got the verdict `before` without the policies, and `now` with them."""
    if not now.applicable:
        return _reason("not-a-driver", now)
    if before.rule == _ARCHITECTURE:
        return _reason("not-for-target", before)
    if now.accepted:
        return _reason("loads", now)
    if before.outcome == "rejected":
        return _reason("already-refused", before)
    if before.accepted and now.outcome == "rejected":
        return _reason("stops", now)
    if before.accepted and now.rule == "driver-policy":
        return _reason("stops-unless-allowed", now)
    return _reason("unknown", now if before.accepted else before)


def _reason(answer: Answer, verdict: Verdict) -> Reason:
    policy, date = _POLICIES.get(verdict.rule, (verdict.rule, "")) if answer in STOPPING else ("", "")
    reason = verdict.reason
    if reason is None:
        return Reason(answer, policy, date, verdict.rule)
    remedy = "" if answer in ("loads", "not-for-target", "not-a-driver") else reason.hint or ""
    return Reason(answer, policy, date, reason.code, reason.source, remedy)

"""`signer.audit.answer`: the answer that follows from the verdicts without and with the policies."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from signer.audit.answer import answer_of, without_policies
from signer.policy.findings import Finding, Outcome, Verdict
from signer.policy.machine_state import MachineState

CASES = [
    ("loads", ("accepted", "root"), ("accepted", "root"), "loads", ""),
    ("blocked by the driver policy", ("accepted", "root"), ("rejected", "driver-policy"), "stops", "Windows Driver"),
    ("on the block list", ("accepted", "root"), ("rejected", "block-list"), "stops", "driver block list"),
    ("memory integrity", ("accepted", "root"), ("rejected", "hvci"), "stops", "memory integrity"),
    ("no allow list", ("accepted", "root"), ("unknown", "driver-policy"), "stops-unless-allowed", "Windows Driver"),
    ("refused without the policies", ("rejected", "root"), ("rejected", "driver-policy"), "already-refused", ""),
    ("refused, and unknown with them", ("rejected", "root"), ("unknown", "driver-policy"), "already-refused", ""),
    ("unknown in both", ("unknown", "s-mode"), ("unknown", "s-mode"), "unknown", ""),
    ("unknown by another rule", ("accepted", "root"), ("unknown", "s-mode"), "unknown", ""),
    ("for another architecture", ("rejected", "architecture"), ("rejected", "driver-policy"), "not-for-target", ""),
    ("a user-mode image", ("not-applicable", "x"), ("not-applicable", "x"), "not-a-driver", ""),
]


def verdict(outcome: Outcome, rule: str) -> Verdict:
    severity = {"accepted": "info", "rejected": "error", "unknown": "warning", "not-applicable": "info"}[outcome]
    finding = Finding(f"{rule}-code", severity, "message", "source", "a remedy", rule)  # type: ignore[arg-type]
    return Verdict("win11-26h2-x64", outcome, rule, (finding,))


@pytest.mark.parametrize(("before", "now", "answer", "policy"), [case[1:] for case in CASES], ids=[c[0] for c in CASES])
def test_the_answer_follows_from_both_verdicts(
    before: tuple[Outcome, str], now: tuple[Outcome, str], answer: str, policy: str
) -> None:
    reason = answer_of(verdict(*before), verdict(*now))
    assert reason.answer == answer
    assert policy in reason.policy
    assert bool(reason.policy) == answer.startswith("stops")


def test_the_reason_names_rule_source_and_remedy_of_the_verdict_that_decides() -> None:
    reason = answer_of(verdict("rejected", "root"), verdict("rejected", "driver-policy"))
    assert (reason.rule, reason.source, reason.remedy) == ("root-code", "source", "a remedy")


def test_only_the_driver_policy_has_a_date() -> None:
    stopped = answer_of(verdict("accepted", "root"), verdict("rejected", "driver-policy"))
    assert stopped.date == "2026-04-14"
    assert answer_of(verdict("accepted", "root"), verdict("rejected", "hvci")).date == ""


def test_a_driver_that_loads_or_is_for_another_architecture_has_no_remedy() -> None:
    assert answer_of(verdict("accepted", "root"), verdict("accepted", "root")).remedy == ""
    other = verdict("rejected", "architecture")
    assert answer_of(other, other).remedy == ""


def test_the_machine_without_policies_keeps_everything_else() -> None:
    machine = MachineState(at=datetime(2026, 11, 1, tzinfo=UTC), hvci=True, upgraded=True, driver_policy="enforced")
    before = without_policies(machine)
    assert (before.driver_policy, before.hvci, before.block_list_on) == ("off", False, False)
    assert (before.upgraded, before.at) == (True, machine.at)

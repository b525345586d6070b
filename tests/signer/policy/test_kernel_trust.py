"""The day that divides old cross-signed drivers from new ones, seen through the rule of Windows 10 1809."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from signer.policy.classify import WHQL
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from tests.support.policy_builder import Sign, by_microsoft, commercial, cross_signed, driver, unknown_issuer

STRICT = MachineState(at=datetime(2026, 11, 24, tzinfo=UTC), cross_signed_1809_cutoff=True)


@pytest.mark.parametrize(
    ("issued", "codes"),
    [
        pytest.param("2015-07-28T23:59:59", {"cross-signed-1809"}, id="the last second before the day"),
        pytest.param("2015-07-29T00:00:00", {"cross-signed-after-cutoff"}, id="the first second of the day"),
    ],
)
def test_one_of_the_two_rules_refuses_a_certificate_of_any_date(issued: str, codes: set[str]) -> None:
    """The rule of 1607 refuses what was issued on the day or later, the one of 1809 what was issued before."""
    sample = driver(cross_signed(begins=issued))
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win10-1809-x64"), STRICT)
    assert {finding.code for finding in verdict.findings if finding.severity == "error"} == codes


@pytest.mark.parametrize(
    "sign", [by_microsoft(WHQL), commercial(), unknown_issuer()], ids=["Microsoft", "a vendor", "nobody known"]
)
def test_the_rules_of_cross_signing_say_nothing_about_other_signatures(sign: Sign) -> None:
    sample = driver(sign)
    for machine in (STRICT, replace(STRICT, cross_signed_1809_cutoff=False)):
        verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win10-1809-x64"), machine)
        assert not [code for code in verdict.codes if code.startswith("cross-")]

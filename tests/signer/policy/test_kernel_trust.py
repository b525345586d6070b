"""The cut-off date of cross-signed drivers under the rule of Windows 10 1809."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from signer.asn1.oids import EKU_CODE_SIGNING, EKU_ELAM, EKU_STORE, EKU_WHQL, EKU_WHQL_ATTESTED
from signer.policy.judge import judge
from signer.policy.machine_state import DriverPolicy, MachineState
from signer.policy.targets import Target
from tests.support.policy_builder import Sign, by_microsoft, commercial, cross_signed, driver, unknown_issuer

STRICT = MachineState(at=datetime(2026, 11, 24, tzinfo=UTC), cross_signed_1809_cutoff=True)


@pytest.mark.parametrize(
    ("issued", "codes"),
    [
        pytest.param("2015-07-28T23:59:59", {"cross-signed-1809"}, id="the last second before the cut-off"),
        pytest.param("2015-07-29T00:00:00", {"cross-signed-after-cutoff"}, id="the first second of the cut-off date"),
    ],
)
def test_one_of_the_two_rules_refuses_a_certificate_of_any_date(issued: str, codes: set[str]) -> None:
    """The rule of 1607 refuses certificates issued on or after the cut-off date, the rule of 1809 older ones."""
    sample = driver(cross_signed(begins=issued))
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win10-1809-x64"), STRICT)
    assert {finding.code for finding in verdict.findings if finding.severity == "error"} == codes


@pytest.mark.parametrize(
    "sign", [by_microsoft(EKU_WHQL), commercial(), unknown_issuer()], ids=["Microsoft", "a vendor", "nobody known"]
)
def test_the_rules_of_cross_signing_say_nothing_about_other_signatures(sign: Sign) -> None:
    sample = driver(sign)
    for machine in (STRICT, replace(STRICT, cross_signed_1809_cutoff=False)):
        verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win10-1809-x64"), machine)
        assert not [code for code in verdict.codes if code.startswith("cross-")]


@pytest.mark.parametrize(
    ("sign", "refused"),
    [
        pytest.param(by_microsoft(EKU_WHQL), False, id="WHQL"),
        pytest.param(by_microsoft(EKU_ELAM), False, id="an early-launch signature of Microsoft"),
        pytest.param(by_microsoft(EKU_STORE), False, id="a Store signature of Microsoft"),
        pytest.param(
            commercial(usages=(EKU_CODE_SIGNING, EKU_ELAM)), True, id="the early-launch usage without Microsoft"
        ),
        pytest.param(commercial(usages=(EKU_CODE_SIGNING, EKU_STORE)), True, id="the Store's usage without Microsoft"),
        pytest.param(unknown_issuer(), True, id="a signer without a root"),
    ],
)
def test_s_mode_takes_microsofts_signatures_only(sign: Sign, refused: bool) -> None:
    sample = driver(sign)
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win10-22h2-x64-smode"), STRICT)
    assert ("error" in {one.severity for one in verdict.findings if one.rule == "s-mode"}) == refused


@pytest.mark.parametrize(
    ("sign", "policy", "said"),
    [
        pytest.param(by_microsoft(EKU_WHQL_ATTESTED), "enforced", True, id="attested, and the policy is on"),
        pytest.param(by_microsoft(EKU_WHQL_ATTESTED), "off", False, id="attested, and the policy is off"),
        pytest.param(by_microsoft(EKU_WHQL), "enforced", False, id="WHQL, and the policy is on"),
    ],
)
def test_the_driver_policy_speaks_of_attested_drivers_only(sign: Sign, policy: DriverPolicy, said: bool) -> None:
    sample = driver(sign)
    machine = replace(STRICT, driver_policy=policy)
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win11-24h2-x64"), machine)
    assert any(one.rule == "driver-policy" for one in verdict.findings) == said


@pytest.mark.parametrize(
    ("sign", "machine", "refused"),
    [
        pytest.param(cross_signed(), {}, True, id="a cross-signed driver"),
        pytest.param(commercial(), {}, True, id="a vendor"),
        pytest.param(by_microsoft(EKU_WHQL), {}, False, id="Microsoft"),
        pytest.param(unknown_issuer(), {}, False, id="a signer without a root: another rule"),
        pytest.param(
            commercial(), {"roots": "test-signing", "testsigning": True, "secure_boot": False}, False, id="test mode"
        ),
    ],
)
def test_arm64_takes_microsofts_signatures_only(sign: Sign, machine: dict[str, Any], refused: bool) -> None:
    sample = driver(sign)
    verdict = judge(
        "kernel", sample.evidence, sample.paths, Target.parse("win11-24h2-arm64"), replace(STRICT, **machine)
    )
    assert ("arm64-not-microsoft" in verdict.codes) == refused


@pytest.mark.parametrize(
    ("sign", "hint"),
    [
        pytest.param(unknown_issuer(), "--root FILE", id="an unknown chain"),
        pytest.param(by_microsoft(EKU_WHQL).under_test_roots(), "--roots release", id="a release signature"),
    ],
)
def test_a_driver_that_is_not_test_signed_gets_the_right_advice(sign: Sign, hint: str) -> None:
    sample = driver(sign)
    machine = replace(STRICT, roots="test-signing")
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win11-24h2-x64"), machine)
    assert [hint in (one.hint or "") for one in verdict.findings if one.code == "root"] == [True]

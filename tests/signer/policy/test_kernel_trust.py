"""The cut-off date of cross-signed drivers under the rule of Windows 10 1809."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from signer.asn1.oids import EKU_CODE_SIGNING, EKU_ELAM, EKU_STORE, EKU_WHQL, EKU_WHQL_ATTESTED
from signer.policy.findings import Finding
from signer.policy.judge import judge
from signer.policy.machine_state import DriverPolicy, MachineState
from signer.policy.targets import Target
from signer.trust.path import PathProblem
from tests.support.policy_builder import (
    Sign,
    by_microsoft,
    commercial,
    cross_signed,
    driver,
    of_test_root,
    self_signed,
    unknown_issuer,
)

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


def under_namesake(sign: Sign) -> Sign:
    """Return the signature with a chain that ends at a namesake of a trusted root."""
    (path,) = sign.paths
    problem = PathProblem("root-untrusted", "its root has another key", 1, other_key=True)
    return replace(sign, paths=(replace(path, anchor=None, problems=(problem,)),))


@pytest.mark.parametrize(
    ("sign", "hint"),
    [
        pytest.param(unknown_issuer(), "check with --testsigning", id="an unknown chain"),
        pytest.param(under_namesake(unknown_issuer()), "certs install-script", id="a namesake of a test root"),
        pytest.param(by_microsoft(EKU_WHQL).under_test_roots(), "--roots release", id="a release signature"),
        pytest.param(
            replace(under_namesake(unknown_issuer()), released=commercial().paths),
            "--roots release",
            id="a release signature whose issuer has a namesake",
        ),
    ],
)
def test_a_driver_that_is_not_test_signed_gets_the_right_advice(sign: Sign, hint: str) -> None:
    sample = driver(sign)
    machine = replace(STRICT, roots="test-signing")
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win11-24h2-x64"), machine)
    assert [hint in (one.hint or "") for one in verdict.findings if one.code == "root"] == [True]


class Doubtful:
    """An allow list whose rules can't be decided for any file."""

    def allows(self, signed: object) -> None:
        """Leave it open."""


def findings(sign: Sign, target: str, **machine: Any) -> list[Finding]:
    """Return what the kernel policy says about a driver with one signature."""
    sample = driver(sign)
    return list(
        judge("kernel", sample.evidence, sample.paths, Target.parse(target), replace(STRICT, **machine)).findings
    )


@pytest.mark.parametrize(
    ("sign", "machine", "code", "words"),
    [
        pytest.param(self_signed(), {}, "test-signed", "self-signed, which counts as", id="self-signed"),
        pytest.param(of_test_root(named=False), {}, "test-signed", "the driver is test-signed:", id="test-signed"),
        pytest.param(cross_signed(), {"upgraded": True}, "cross-signed-upgraded", "was upgraded", id="upgraded"),
        pytest.param(
            cross_signed(), {"secure_boot": False}, "cross-signed-exempt", "Secure Boot is off", id="no Secure Boot"
        ),
    ],
)
def test_a_message_names_the_reason(sign: Sign, machine: dict[str, Any], code: str, words: str) -> None:
    assert [words in one.message for one in findings(sign, "win10-1607-x64", **machine) if one.code == code] == [True]


@pytest.mark.parametrize(
    ("allow_list", "words", "hint"),
    [
        pytest.param(None, "which is not public", "--allow-list", id="no list"),
        pytest.param(Doubtful(), "can't be determined", "Submit the driver", id="a list that leaves it open"),
    ],
)
def test_an_open_question_of_the_driver_policy_names_its_reason(
    allow_list: Doubtful | None, words: str, hint: str
) -> None:
    (open_one,) = (
        one
        for one in findings(cross_signed(), "win11-24h2-x64", allow_list=allow_list)
        if one.code == "driver-policy-unknown"
    )
    assert words in open_one.message and hint in (open_one.hint or "")


@pytest.mark.parametrize(
    ("stamped", "said"),
    [
        pytest.param("2021-02-22T12:00:00", False, id="the last second of the cross-certificate"),
        pytest.param("2021-02-22T12:00:01", True, id="one second later"),
    ],
)
def test_a_cross_certificate_counts_in_its_last_second(stamped: str, *, said: bool) -> None:
    codes = [one.code for one in findings(cross_signed().stamped(stamped), "win10-1511-x64")]
    assert ("cross-certificate-expired" in codes) == said


@pytest.mark.parametrize(
    ("sign", "roots", "hint"),
    [
        pytest.param(by_microsoft(EKU_WHQL), "release", "[SignatureAttributes]", id="a release signature"),
        pytest.param(of_test_root(named=True), "test-signing", "Test-sign it", id="test-signed"),
    ],
)
def test_an_early_launch_driver_without_its_usage_gets_the_right_advice(sign: Sign, roots: str, hint: str) -> None:
    found = findings(sign, "win10-22h2-x64", roots=roots, early_launch=True)
    assert [hint in (one.hint or "") for one in found if one.code == "elam-certificate"] == [True]

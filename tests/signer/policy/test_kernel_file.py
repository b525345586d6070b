"""Rules about the whole file: boot-start drivers, problems of the file, and settings without effect."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from signer.asn1.oids import EKU_WHQL
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from signer.verify.evidence import SignatureProblem
from tests.support.policy_builder import Sample, by_microsoft, driver, unknown_issuer

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LISTED = by_microsoft(EKU_WHQL).in_catalog()


@pytest.mark.parametrize(
    ("sample", "boot_start", "said"),
    [
        pytest.param(driver(LISTED), True, True, id="a catalog only"),
        pytest.param(driver(LISTED), False, False, id="a catalog only, not at boot"),
        pytest.param(driver(LISTED, by_microsoft(EKU_WHQL)), True, False, id="embedded too"),
        pytest.param(driver(LISTED, unknown_issuer()), True, True, id="embedded, but rejected"),
        pytest.param(driver(LISTED, kind="file"), True, False, id="no image"),
        pytest.param(driver(), True, False, id="unsigned"),
    ],
)
def test_boot_start(sample: Sample, boot_start: bool, said: bool) -> None:
    for target in ("win8.1-x64", "win10-22h2-x64"):
        machine = MachineState(at=NOW, boot_start=boot_start)
        verdict = judge("kernel", sample.evidence, sample.paths, Target.parse(target), machine)
        assert ("boot-start-catalog-only" in verdict.codes) == said


def test_a_problem_that_the_kernel_ignores_does_not_hide_the_next_one() -> None:
    problems = (
        SignatureProblem("nonzero-padding", "bytes follow the signature"),
        SignatureProblem("overlapping-sections", "two sections overlap"),
    )
    sample = driver(by_microsoft(EKU_WHQL), problems=problems)
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win10-22h2-x64"), MachineState(at=NOW))
    severities = {one.code: one.severity for one in verdict.findings}
    assert verdict.outcome == "unknown"
    assert (severities["nonzero-padding"], severities["overlapping-sections"]) == ("warning", "warning")


@pytest.mark.parametrize("code", ["nonzero-padding", "several-certificates"])
def test_the_kernel_ignores_data_beside_the_signature(code: str) -> None:
    sample = driver(by_microsoft(EKU_WHQL), problems=(SignatureProblem(code, "there is more"),))
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win10-22h2-x64"), MachineState(at=NOW))
    assert verdict.accepted and code in verdict.codes


@pytest.mark.parametrize(
    ("target", "machine", "code", "said"),
    [
        ("win7-x64", {"secure_boot": True}, "no-secure-boot", True),
        ("win7-x64", {"secure_boot": False}, "no-secure-boot", False),
        ("win7-x64", {}, "no-secure-boot", False),
        ("win8-x64", {"secure_boot": True}, "no-secure-boot", False),
        ("win8.1-x64", {"hvci": True}, "no-hvci", True),
        ("win8.1-x64", {}, "no-hvci", False),
        ("win10-22h2-x64", {"hvci": True}, "no-hvci", False),
        ("win10-22h2-x64", {"testsigning": True}, "testsigning-ignored", True),
        ("win10-22h2-x64", {"testsigning": True, "roots": "test-signing"}, "testsigning-ignored", False),
        (
            "win10-22h2-x64",
            {"testsigning": True, "roots": "test-signing", "secure_boot": True},
            "testsigning-secure-boot",
            True,
        ),
        (
            "win10-22h2-x64",
            {"testsigning": True, "roots": "test-signing", "secure_boot": False},
            "testsigning-secure-boot",
            False,
        ),
        ("win10-22h2-x64", {"secure_boot": True}, "testsigning-secure-boot", False),
    ],
)
def test_a_setting_without_effect_is_noted(target: str, machine: dict[str, Any], code: str, said: bool) -> None:
    sample = driver(by_microsoft(EKU_WHQL))
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse(target), MachineState(at=NOW, **machine))
    assert (code in verdict.codes) == said


@pytest.mark.parametrize(
    ("built_for", "hint"),
    [
        pytest.param("arm64", "Check it for a target that ends in -arm64, or build the driver for x64.", id="a target"),
        pytest.param("arm", "Build the driver for x64.", id="no release for it"),
    ],
)
def test_a_driver_for_another_machine_gets_the_right_advice(built_for: str, hint: str) -> None:
    sample = driver(by_microsoft(EKU_WHQL), architecture=built_for)
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win10-22h2-x64"), MachineState(at=NOW))
    assert [one.hint for one in verdict.findings if one.code == "architecture"] == [hint]

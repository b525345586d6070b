"""A rejection by one of Windows' gates names the next step of the user, the administrator and the developer."""

from __future__ import annotations

from typing import Any

import pytest

from signer.asn1.oids import EKU_WHQL
from signer.pe.protection import Fault
from tests.support.loads import Everything, NoList, follow
from tests.support.policy_builder import Sample, by_microsoft, cross_signed, driver, of_test_root

TEST = {"roots": "test-signing"}


@pytest.mark.parametrize(
    ("sample", "target", "machine", "code", "steps"),
    [
        pytest.param(
            driver(cross_signed()),
            "win11-25h2-x64",
            {"allow_list": NoList()},
            "driver-policy-blocked",
            ("Windows Update", "Startup Settings", "Hardware Dev Center"),
            id="driver-policy",
        ),
        pytest.param(
            driver(cross_signed()),
            "win11-25h2-x64",
            {"driver_policy": "evaluation"},
            "driver-policy-evaluation",
            ("Windows Update", "PK or KEK", "Hardware Dev Center"),
            id="driver-policy-evaluation",
        ),
        pytest.param(
            driver(by_microsoft(EKU_WHQL)),
            "win11-25h2-x64",
            {"block_list": Everything()},
            "block-listed",
            ("newer version", "every machine", "higher version"),
            id="block-list",
        ),
        pytest.param(
            driver(by_microsoft(EKU_WHQL), protection=(Fault("hvci-not-native", "a fault"),)),
            "win11-25h2-x64",
            {"hvci": True},
            "hvci-not-native",
            ("Core isolation", "incompatible drivers", "/SUBSYSTEM:NATIVE"),
            id="memory-integrity",
        ),
        pytest.param(
            driver(cross_signed()),
            "win11-23h2-x64-smode",
            {},
            "s-mode",
            ("out of S mode for good", "deploy", "HLK"),
            id="s-mode",
        ),
        pytest.param(
            driver(of_test_root(named=False)),
            "win11-25h2-x64",
            {},
            "test-signed",
            ("the vendor released", "install-script", "--roots test-signing"),
            id="test-signed",
        ),
        pytest.param(
            driver(of_test_root(named=True)),
            "win11-25h2-x64",
            TEST,
            "test-signing-off",
            ("the vendor released", "TESTSIGNING ON", "--testsigning"),
            id="test-signing-off",
        ),
        pytest.param(
            driver(of_test_root(named=True)),
            "win11-25h2-x64",
            {**TEST, "testsigning": True, "secure_boot": True},
            "test-signing-secure-boot",
            ("the vendor released", "firmware", "--no-secure-boot"),
            id="test-signing-secure-boot",
        ),
    ],
)
def test_each_reader_has_a_next_step(
    sample: Sample, target: str, machine: dict[str, Any], code: str, steps: tuple[str, str, str]
) -> None:
    result = follow(sample, target, **machine)
    (hint,) = {finding.hint for finding in result.verdict.findings if finding.code == code}
    assert hint is not None and hint.startswith("Users: ")
    users, _, rest = hint.removeprefix("Users: ").partition(". Administrators: ")
    administrators, _, developers = rest.partition(". Developers: ")
    for text, step in zip((users, administrators, developers), steps, strict=True):
        assert step in text

"""Trusted publishers: Microsoft, the publishers of the machine state, and signers under a given test root."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from signer.asn1.oids import EKU_WHQL
from signer.policy.evaluation import EvaluationContext
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState, Publisher
from signer.policy.pnp import trust_of
from signer.policy.subjects import FileSubject
from signer.policy.targets import Target
from tests.support.policy_builder import Sign, by_microsoft, commercial, driver, of_test_root, unknown_issuer

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sign", "publisher", "trust"),
    [
        pytest.param(by_microsoft(EKU_WHQL), None, "microsoft", id="Microsoft"),
        pytest.param(by_microsoft(EKU_WHQL), "unknown", "microsoft", id="Microsoft, with an unknown publisher"),
        pytest.param(
            by_microsoft(EKU_WHQL), "untrusted", "untrusted", id="Microsoft on the list of untrusted publishers"
        ),
        pytest.param(of_test_root(named=True), None, "trusted", id="a given test root"),
        pytest.param(of_test_root(named=True), "unknown", "unknown", id="a test root, and a publisher not installed"),
        pytest.param(of_test_root(named=False), None, "unknown", id="another test root"),
        pytest.param(commercial(), None, "unknown", id="a vendor"),
        pytest.param(commercial(), "trusted", "trusted", id="a vendor that the machine trusts"),
        pytest.param(unknown_issuer(), None, "unknown", id="a signer without a root"),
    ],
)
def test_trust_in_a_publisher(sign: Sign, publisher: Publisher | None, trust: str) -> None:
    sample = driver(sign)
    (signed,) = FileSubject.of(sample.evidence, sample.paths).signatures
    machine = MachineState(at=NOW, roots="test-signing", publisher=publisher)
    assert trust_of(signed.candidates[0], EvaluationContext.of(Target.parse("win10-22h2-x64"), machine)) == trust


@pytest.mark.parametrize(
    ("sign", "machine", "said"),
    [
        pytest.param(of_test_root(named=True), {}, True, id="test-signing mode is off"),
        pytest.param(of_test_root(named=True), {"testsigning": True}, False, id="test-signing mode is on"),
        pytest.param(of_test_root(named=False), {"roots": "release"}, False, id="no test machine"),
        pytest.param(commercial(), {}, False, id="a release signature"),
    ],
)
def test_an_installed_driver_that_will_not_load_is_announced(sign: Sign, machine: dict[str, Any], said: bool) -> None:
    sample = driver(sign.in_catalog())
    state = MachineState(**{"at": NOW, "roots": "test-signing", **machine})
    verdict = judge("pnp", sample.evidence, sample.paths, Target.parse("win10-22h2-x64"), state)
    assert ("test-signing-off" in verdict.codes) == said

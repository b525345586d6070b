"""Remarks on a signature appear only where something is unusual."""

from __future__ import annotations

import pytest

from signer.asn1.oids import EKU_ANY, EKU_CODE_SIGNING, EKU_WHQL
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from tests.signer.policy.cases.registry import NOW
from tests.signer.policy.cases.weak import _below
from tests.support.policy_builder import Sign, by_microsoft, driver

REMARKS = {"timestamp-in-future", "timestamp-by-signer", "usage-outside-ca"}


@pytest.mark.parametrize(
    "sign",
    [
        pytest.param(by_microsoft(EKU_WHQL), id="no timestamp"),
        pytest.param(by_microsoft(EKU_WHQL).stamped("2026-11-23"), id="timestamp before the check"),
        pytest.param(_below(EKU_CODE_SIGNING, EKU_WHQL), id="the CA permits WHQL"),
        pytest.param(_below(EKU_ANY), id="the CA permits any usage"),
    ],
)
def test_a_usual_signature_has_no_remark(sign: Sign) -> None:
    sample = driver(sign)
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win11-24h2-x64"), MachineState(at=NOW))
    assert REMARKS.isdisjoint(verdict.codes)

"""Remarks on a signature appear only where something is unusual."""

from __future__ import annotations

from datetime import timedelta

import pytest

from signer.asn1.oids import EKU_ANY, EKU_CODE_SIGNING, EKU_WHQL
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from tests.signer.policy.cases.registry import NOW
from tests.signer.policy.cases.weak import _below
from tests.support.policy_builder import Sign, anchor, by_microsoft, certificate, chain, commercial, driver

REMARKS = {"timestamp-in-future", "usage-outside-ca"}


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


def below_two(
    *usages: str,
    own: tuple[str, ...] = (EKU_CODE_SIGNING, EKU_WHQL),
    between: tuple[str, ...] | None = (EKU_WHQL,),
) -> Sign:
    """Return a signature under a CA of Microsoft, which is below another one with these usages; None permits any."""
    leaf = certificate("Some Publisher", "Some CA", usages=own)
    lower = certificate("Some CA", "Some Higher CA", usages=between)
    higher = certificate("Some Higher CA", "Microsoft Root Certificate Authority 2010", usages=usages)
    root = certificate("Microsoft Root Certificate Authority 2010", usages=(EKU_CODE_SIGNING,))
    return Sign(leaf, (chain(leaf, anchor("microsoft", 6), lower, higher, root),))


@pytest.mark.parametrize(
    ("sign", "remarks"),
    [
        pytest.param(
            commercial().stamped(f"{NOW:%Y-%m-%dT%H:%M:%S}"), set(), id="a timestamp at the time of the check"
        ),
        pytest.param(
            commercial().stamped(f"{NOW + timedelta(seconds=1):%Y-%m-%dT%H:%M:%S}"),
            {"timestamp-in-future"},
            id="a timestamp one second after the check",
        ),
        pytest.param(_below(EKU_CODE_SIGNING), {"usage-outside-ca"}, id="the CA permits code signing only"),
        pytest.param(below_two(EKU_CODE_SIGNING), {"usage-outside-ca"}, id="so does the CA above"),
        pytest.param(
            below_two(EKU_CODE_SIGNING, between=None),
            {"usage-outside-ca"},
            id="so does the CA above one without a limit",
        ),
        pytest.param(below_two(EKU_CODE_SIGNING, own=(EKU_CODE_SIGNING,)), set(), id="a signer without a WHQL usage"),
        pytest.param(below_two(EKU_WHQL), set(), id="the usages of the root do not matter"),
    ],
)
def test_what_is_unusual_is_remarked(sign: Sign, remarks: set[str]) -> None:
    sample = driver(sign)
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win11-24h2-x64"), MachineState(at=NOW))
    assert REMARKS.intersection(verdict.codes) == remarks

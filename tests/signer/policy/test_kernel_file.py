"""A boot-start driver needs an embedded signature; nothing is said of other files, and of unsigned ones elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from signer.asn1.oids import EKU_WHQL
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
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

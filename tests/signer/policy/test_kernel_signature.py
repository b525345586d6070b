"""A timestamp in the first or last second of the signer's certificate yields no warning."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from tests.support.policy_builder import cross_signed, driver

MACHINE = MachineState(at=datetime(2026, 11, 24, tzinfo=UTC))
OUTSIDE = "timestamp-outside-lifetime"


@pytest.mark.parametrize(
    ("stamped", "said"),
    [
        pytest.param("2014-02-28T23:59:59", True, id="one second before"),
        pytest.param("2014-03-01T00:00:00", False, id="the first second"),
        pytest.param("2016-01-01T00:00:00", False, id="the last second"),
        pytest.param("2016-01-01T00:00:01", True, id="one second after"),
    ],
)
def test_a_timestamp_outside_the_validity_period_is_reported(stamped: str, said: bool) -> None:
    sign = cross_signed(begins="2014-03-01T00:00:00", ends="2016-01-01T00:00:00").stamped(stamped)
    sample = driver(sign)
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win7-x64"), MACHINE)
    assert (OUTSIDE in verdict.codes) == said
    assert ("expired" in verdict.codes) == said

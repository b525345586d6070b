"""A verdict of the kernel policy depends on the time at the ends of certificates, timestamps and the driver policy."""

from __future__ import annotations

import pytest

from signer.policy.machine_state import DRIVER_POLICY_FROM
from signer.policy.moments import kernel_moments
from tests.support.policy_builder import Sign, by_microsoft, commercial, day, driver

BY_MICROSOFT, COMMERCIAL = by_microsoft(), commercial()


def validity(sign: Sign) -> set[object]:
    """Return the beginning and the end of the signer's certificate."""
    assert sign.leaf is not None
    return {sign.leaf.not_valid_before_utc, sign.leaf.not_valid_after_utc}


@pytest.mark.parametrize(
    ("signs", "moments"),
    [
        pytest.param((), set(), id="no signature"),
        pytest.param((Sign(None, ()),), set(), id="the signer is not known"),
        pytest.param((COMMERCIAL,), validity(COMMERCIAL), id="no timestamp"),
        pytest.param((Sign(None, ()).stamped("2020-02-03"),), {day("2020-02-03")}, id="only the timestamp is known"),
        pytest.param(
            (COMMERCIAL.stamped("2020-02-03"), BY_MICROSOFT.stamped("2021-03-04").nested()),
            validity(COMMERCIAL) | validity(BY_MICROSOFT) | {day("2020-02-03"), day("2021-03-04")},
            id="two signatures with timestamps",
        ),
    ],
)
def test_the_moments_of_signatures(signs: tuple[Sign, ...], moments: set[object]) -> None:
    assert set(kernel_moments(driver(*signs).evidence)) == {DRIVER_POLICY_FROM} | moments

"""A certificate's validity period includes its first and its last second."""

from __future__ import annotations

from datetime import timedelta

import pytest

from signer.certificates import valid_at
from tests.support.hierarchy import NOW, YEAR, issue

CERTIFICATE = issue("Leaf", start=NOW, end=NOW + YEAR).certificate
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("time", "valid"),
    [
        pytest.param(NOW - SECOND, False, id="one second before"),
        pytest.param(NOW, True, id="the first second"),
        pytest.param(NOW + YEAR, True, id="the last second"),
        pytest.param(NOW + YEAR + SECOND, False, id="one second after"),
    ],
)
def test_both_ends_are_included(time, valid) -> None:
    assert valid_at(CERTIFICATE, time) == valid

"""A signature in one word: intact, broken, or undecided where only what can't be read here speaks against it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signer.verify.evidence import Problem
from tests.support.policy_builder import commercial

UNREADABLE = ["indirect-data-type", "signature-ber", "signer-certificate-unreadable", "signature-unverifiable"]


@pytest.mark.parametrize(
    ("codes", "state"),
    [
        pytest.param([], "intact", id="nothing speaks against it"),
        *(pytest.param([code], "undecided", id=code) for code in UNREADABLE),
        pytest.param(UNREADABLE, "undecided", id="all that can't be read at once"),
        pytest.param(["digest-mismatch"], "broken", id="another digest"),
        pytest.param(["signature-ber", "digest-mismatch"], "broken", id="unreadable, and another digest"),
        pytest.param(["digest-mismatch", "signature-ber"], "broken", id="another digest, and unreadable"),
        pytest.param([*UNREADABLE, "signature-mismatch"], "broken", id="one proof among all that can't be read"),
    ],
)
def test_the_state_of_a_signature(codes: list[str], state: str) -> None:
    signature = replace(commercial().signature(0), problems=tuple(Problem(code, "a reason") for code in codes))
    assert signature.state == state
    assert (signature.intact, signature.undecidable) == (state == "intact", state == "undecided")

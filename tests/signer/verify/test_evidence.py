"""The state of a signature: intact, broken, or undecided if all its problems are undecidable."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signer.verify.evidence import SignatureProblem
from tests.support.policy_builder import commercial

UNREADABLE = ["indirect-data-type", "signature-ber", "signer-certificate-unreadable", "signature-unverifiable"]


@pytest.mark.parametrize(
    ("codes", "state"),
    [
        pytest.param([], "intact", id="no problem"),
        *(pytest.param([code], "undecided", id=code) for code in UNREADABLE),
        pytest.param(UNREADABLE, "undecided", id="all undecidable problems"),
        pytest.param(["digest-mismatch"], "broken", id="another digest"),
        pytest.param(["signature-ber", "digest-mismatch"], "broken", id="unreadable, and another digest"),
        pytest.param(["digest-mismatch", "signature-ber"], "broken", id="another digest, and unreadable"),
        pytest.param([*UNREADABLE, "signature-mismatch"], "broken", id="one decidable problem among undecidable ones"),
    ],
)
def test_the_state_of_a_signature(codes: list[str], state: str) -> None:
    signature = replace(commercial().signature(0), problems=tuple(SignatureProblem(code, "a reason") for code in codes))
    assert signature.state == state
    assert (signature.intact, signature.undecidable) == (state == "intact", state == "undecided")

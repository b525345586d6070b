"""The state of a signature: intact, broken, or undecided if all its problems are undecidable."""

from __future__ import annotations

from dataclasses import replace

import pytest

from signer.formats.table import Traits
from signer.pe.file_facts import FileFacts
from signer.verify.evidence import Evidence, SignatureProblem
from signer.verify.gather import read_facts
from tests.support.images import PeSpec
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


@pytest.mark.parametrize(
    ("kind", "traits"),
    [
        pytest.param("image", Traits(loaded_as_code=True), id="an image is code"),
        pytest.param("catalog", Traits(lists_files=True), id="a catalog lists files"),
        pytest.param("file", Traits(), id="another file is neither"),
    ],
)
def test_the_use_of_a_file_is_that_of_its_format(kind: str, traits: Traits) -> None:
    assert Evidence("name", kind, {}).traits == traits


def test_only_images_have_facts_that_app_control_compares() -> None:
    data = PeSpec().build()
    assert read_facts(data, "image").digests
    for kind in ("catalog", "file"):
        assert read_facts(data, kind) == FileFacts()

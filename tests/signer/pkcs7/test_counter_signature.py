"""The answer of an authority for counter-signatures: one SignerInfo in a SignedData."""

from __future__ import annotations

import pytest

from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pkcs7.counter_signature import signer_info_of

FIRST, SECOND = der.sequence(der.integer(1)), der.sequence(der.integer(2))


def answer(*signers: bytes) -> bytes:
    """Build a SignedData with these SignerInfos."""
    fields = (der.integer(1), der.tlv(der.SET), der.sequence(der.oid(oids.DATA)), der.tlv(der.SET, *signers))
    return der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, der.sequence(*fields)))


def test_the_only_signer_is_taken() -> None:
    assert signer_info_of(answer(SECOND)) == SECOND


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param((), id="no fields"),
        pytest.param((der.integer(1), der.sequence(FIRST)), id="a SEQUENCE of signers"),
    ],
)
def test_an_answer_without_a_set_of_signers_is_refused(fields: tuple[bytes, ...]) -> None:
    data = der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, der.sequence(*fields)))
    with pytest.raises(SignatureFormatError, match="has 0 signers"):
        signer_info_of(data)


@pytest.mark.parametrize("signers", [(), (FIRST, SECOND)], ids=["none", "two"])
def test_an_answer_with_another_number_of_signers_is_refused(signers: tuple[bytes, ...]) -> None:
    with pytest.raises(SignatureFormatError, match=f"has {len(signers)} signers"):
        signer_info_of(answer(*signers))

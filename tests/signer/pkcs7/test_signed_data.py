"""A signature contains the signer's certificate, the chain without its root, and additional ones, each only once."""

from __future__ import annotations

import pytest
from cryptography import x509

from signer.asn1 import der, oids
from signer.pkcs7.parse import parse
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from tests.support.identities import certificate, identity

CONTENT = Content(oids.CTL, der.sequence(der.null()))
LEAF, ROOT = identity().certificate, identity().chain[0]
CROSS = certificate("Cross-certificate", "p256", ("Some Root", "p256"))
OTHER = certificate("Intermediate", "p256", ("Some Root", "p256"))


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        pytest.param((), [LEAF], id="nothing more"),
        pytest.param((CROSS,), [LEAF, CROSS], id="a cross-certificate"),
        pytest.param((CROSS, OTHER), [LEAF, CROSS, OTHER], id="two"),
        pytest.param((CROSS, CROSS), [LEAF, CROSS], id="one given twice"),
        pytest.param((LEAF,), [LEAF], id="the signer's own"),
        pytest.param((ROOT,), [LEAF, ROOT], id="an additional root"),
    ],
)
def test_certificates_of_a_signature(extra: tuple[x509.Certificate, ...], expected: list[x509.Certificate]) -> None:
    parsed = parse(sign(CONTENT, identity(), SigningOptions(certificates=extra)))
    assert len(parsed.certificates) == len(expected)
    assert set(parsed.certificates) == set(expected)

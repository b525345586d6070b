"""What a signature carries: the certificate of its signer, the chain without its root, and further ones, each once."""

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
    ("extra", "carried"),
    [
        pytest.param((), [LEAF], id="nothing more"),
        pytest.param((CROSS,), [LEAF, CROSS], id="a cross-certificate"),
        pytest.param((CROSS, OTHER), [LEAF, CROSS, OTHER], id="two"),
        pytest.param((CROSS, CROSS), [LEAF, CROSS], id="one given twice"),
        pytest.param((LEAF,), [LEAF], id="the signer's own"),
        pytest.param((ROOT,), [LEAF, ROOT], id="a root that was asked for"),
    ],
)
def test_certificates_of_a_signature(extra: tuple[x509.Certificate, ...], carried: list[x509.Certificate]) -> None:
    parsed = parse(sign(CONTENT, identity(), SigningOptions(certificates=extra)))
    assert len(parsed.certificates) == len(carried)
    assert set(parsed.certificates) == set(carried)

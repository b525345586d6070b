"""A signature contains the signer's certificate, the chain without its root, and additional ones, each only once."""

from __future__ import annotations

import pytest
from cryptography import x509

from signer.asn1 import der, oids
from signer.pkcs7.parse import parse
from signer.pkcs7.signed_data import Content, SigningOptions, ascii_url, sign, signed_attributes
from tests.support.hierarchy import issue
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


def statements(attributes: bytes) -> list[bytes]:
    """Return the values of SpcStatementType in signed attributes."""
    found = []
    for one in der.children(attributes, der.read(attributes)):
        oid, values = der.children(attributes, one)
        if oid.whole(attributes) == der.oid(oids.SPC_STATEMENT_TYPE):
            found += [value.whole(attributes) for value in der.children(attributes, values)]
    return found


INDIVIDUAL, COMMERCIAL = (der.sequence(der.oid(oid)) for oid in (oids.SPC_INDIVIDUAL, oids.SPC_COMMERCIAL))


@pytest.mark.parametrize(
    ("usages", "commercial", "expected"),
    [
        pytest.param((oids.EKU_CODE_SIGNING,), False, [INDIVIDUAL], id="code signing"),
        pytest.param((oids.EKU_CODE_SIGNING,), True, [COMMERCIAL], id="commercial code signing"),
        pytest.param((), True, [COMMERCIAL], id="commercial"),
        pytest.param((), False, [], id="no usages, as test certificates of MakeCert"),
        pytest.param((oids.EKU_TIME_STAMPING,), False, [], id="another usage"),
        pytest.param(None, False, [INDIVIDUAL], id="a certificate that is not known yet"),
    ],
)
def test_the_statement_is_the_one_that_signtool_writes(
    usages: tuple[str, ...] | None, commercial: bool, expected: list[bytes]
) -> None:
    signer = issue("Signer", usages=usages or None).certificate if usages is not None else None
    assert statements(signed_attributes(CONTENT, SigningOptions(commercial=commercial), signer)) == expected


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("http://a/b?c=d#e", "http://a/b?c=d#e"),
        ("http://a/%7E[x] y", "http://a/%7E[x] y"),
        ("http://a/ö?ü=%20", "http://a/%C3%B6?%C3%BC=%20"),
    ],
    ids=["ascii", "as it is", "other characters"],
)
def test_a_url_is_written_in_ascii(url: str, written: str) -> None:
    assert ascii_url(url) == written

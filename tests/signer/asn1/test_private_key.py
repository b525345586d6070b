"""Private keys in DER are recognized in every form, and nothing else is."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)

from signer.asn1 import der
from signer.asn1.private_key import is_private_key
from signer.certificates import load_all
from signer.errors import CertificateError
from tests.support.hierarchy import issue, key, rsa_key

PLAIN, LOCKED = NoEncryption(), BestAvailableEncryption(b"secret")
KEYS: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {"RSA": rsa_key("DER"), "EC": key("DER")}
KEY = key("DER").private_bytes(Encoding.DER, PrivateFormat.PKCS8, PLAIN)


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize(
    ("form", "protection"),
    [(PrivateFormat.PKCS8, PLAIN), (PrivateFormat.TraditionalOpenSSL, PLAIN), (PrivateFormat.PKCS8, LOCKED)],
    ids=["PKCS #8", "PKCS #1 or SEC 1", "encrypted PKCS #8"],
)
def test_a_key_is_named_as_one(kind: str, form: PrivateFormat, protection: KeySerializationEncryption) -> None:
    data = KEYS[kind].private_bytes(Encoding.DER, form, protection)
    assert is_private_key(data)
    with pytest.raises(CertificateError, match="the file has a private key and no certificate"):
        load_all(data)


ENTITY = issue("DER")
PUBLIC = key("DER").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(ENTITY.certificate.public_bytes(Encoding.DER), id="a certificate"),
        pytest.param(
            key("DER").public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo), id="public"
        ),
        pytest.param(pkcs12.serialize_key_and_certificates(b"", key("DER"), None, None, LOCKED), id="a PFX"),
        pytest.param(der.sequence(der.integer(0), der.integer(0)), id="two numbers"),
        pytest.param(der.sequence(*[der.integer(0)] * 10), id="ten numbers"),
        pytest.param(der.sequence(der.integer(2), der.octets(b"")), id="another version"),
        pytest.param(der.sequence(der.sequence(der.oid("1.2.3")), der.octets(b"")), id="an algorithm and a value"),
        pytest.param(der.sequence(), id="nothing"),
        pytest.param(b"", id="no bytes"),
        pytest.param(KEY + b"0", id="a key and another byte"),
        pytest.param(KEY[:-1], id="a key without its last byte"),
    ],
)
def test_nothing_else_is(data: bytes) -> None:
    assert not is_private_key(data)

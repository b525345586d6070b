"""The signature of a certificate, and the algorithm that is named outside and inside of what is signed."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer.trust.fields import fields_of
from signer.trust.signatures import Check, check, rsa_bits
from tests.support.hierarchy import RSA_SHA256, issue, rsa_key, sequence, unwrapped
from tests.support.policy_builder import certificate

RSA_PSS = bytes.fromhex("06092a864886f70d01010a")
SIGNED = issue("Root", ca=True, private_key=rsa_key("root")).certificate
KEY = fields_of(SIGNED).spki


def with_algorithm(algorithm: bytes, *, inside: bytes | None = None) -> x509.Certificate:
    """The certificate with another signature algorithm, outside and inside of what is signed."""
    body = unwrapped(SIGNED.tbs_certificate_bytes)
    assert body.count(sequence(RSA_SHA256)) == 1
    changed = sequence(body.replace(sequence(RSA_SHA256), inside if inside is not None else algorithm))
    signature = b"\x03\x82\x01\x01\x00" + SIGNED.signature
    return x509.load_der_x509_certificate(sequence(changed + algorithm + signature))


def test_the_certificate_as_it_is_verifies() -> None:
    assert check(SIGNED, KEY) is Check.GOOD
    assert with_algorithm(sequence(RSA_SHA256)).public_bytes(Encoding.DER) == SIGNED.public_bytes(Encoding.DER)


def test_the_algorithm_outside_must_be_the_one_inside() -> None:
    pss = sequence(RSA_PSS + sequence(b""))
    assert check(with_algorithm(sequence(RSA_SHA256), inside=pss), KEY) is Check.BAD


def test_only_rsa_keys_have_a_size() -> None:
    assert rsa_bits(certificate("RSA", key="rsa1024")) == 1024
    assert rsa_bits(certificate("EC", key="p256")) is None

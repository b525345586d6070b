"""Verify the signature of a certificate or CRL with a public key."""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from signer.asn1 import der
from signer.certificates import per_certificate
from signer.errors import SignatureFormatError
from signer.keys.check import Check as Check
from signer.keys.check import check_body
from signer.keys.check import digest_of as digest_of
from signer.keys.check import load_key as load_key
from signer.trust.fields import fields_of


def check(signed: x509.Certificate | x509.CertificateRevocationList, spki: bytes) -> Check:
    """Verify the signature of `signed` with the key in `spki` (SubjectPublicKeyInfo).

    The unsigned outer fields must be consistent (RFC 5280, 4.1.1.2 and 5.1.1.2): the outer algorithm equals the inner
    one, and the signature has no unused bits. Otherwise a modified certificate would still verify.
    """
    data = signed.public_bytes(Encoding.DER)
    body = der.read(data, der.read(data).body)
    # The algorithm is the first SEQUENCE: the version and the serial number before it are not.
    inner = next(element for element in der.children(data, body) if element.tag == der.SEQUENCE)
    outer = der.read(data, body.end)
    unused_bits = data[der.read(data, outer.end).body]
    if inner.whole(data) != outer.whole(data) or unused_bits:
        return Check.BAD
    try:
        return check_body(load_key(spki), signed.signature, body.whole(data), outer.whole(data))
    except SignatureFormatError:
        return Check.UNKNOWN


@per_certificate
def rsa_bits(certificate: x509.Certificate) -> int | None:
    """Return the size of a certificate's RSA key, or None for another key."""
    key = load_key(fields_of(certificate).spki)
    return key.key_size if isinstance(key, rsa.RSAPublicKey) else None

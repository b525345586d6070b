"""Encode P-256 with explicit parameters, and with another generator: certificates that use it forge (CVE-2020-0601).

Source: SEC 1, C.2; RFC 5480, 2.1.1, which forbids explicit parameters in certificates.
"""

from __future__ import annotations

from signer.asn1 import der, oids

PRIME = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
GENERATOR = bytes.fromhex(
    "046B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296"
    "4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5"
)
"""The generator of P-256, as an uncompressed point."""


def explicit_algorithm(generator: bytes) -> bytes:
    """Return the AlgorithmIdentifier of a key on P-256 with this generator, an uncompressed point."""
    field = der.sequence(der.oid("1.2.840.10045.1.1"), der.integer(PRIME))
    curve = der.sequence(_number(PRIME - 3), _number(_B))
    parameters = (der.integer(1), field, curve, der.octets(generator), der.integer(ORDER), der.integer(1))
    return der.sequence(der.oid(oids.EC_PUBLIC_KEY), der.sequence(*parameters))


def explicit_key(point: bytes, generator: bytes | None = None) -> bytes:
    """Return the SubjectPublicKeyInfo of a point. The point is the generator by default: its private key is 1."""
    return der.sequence(explicit_algorithm(generator or point), der.tlv(der.BIT_STRING, b"\0", point))


def explicit_private_key(secret: int, point: bytes, generator: bytes) -> bytes:
    """Return the PrivateKeyInfo (PKCS #8) of a private key and its point."""
    public = der.explicit(1, der.tlv(der.BIT_STRING, b"\0", point))
    key = der.sequence(der.integer(1), _number(secret), public)
    return der.sequence(der.integer(0), explicit_algorithm(generator), der.octets(key))


def _number(value: int) -> bytes:
    return der.octets(value.to_bytes(32, "big"))

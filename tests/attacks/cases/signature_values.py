"""Attacks on the value of a signature: forgeries that a lax check of RSA or ECDSA accepts."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import rsa

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.pkcs7.encode import attribute
from signer.pkcs7.signed_data import Prepared
from tests.attacks.attack import Attempt, attack
from tests.attacks.cases.signed_data import DIGEST, TYPE, image_with
from tests.support.files import content_of
from tests.support.hierarchy import Entity, issue
from tests.support.signed_samples import CA, UNSIGNED, identity

SHA256 = DigestAlgorithm.SHA256
CUBE = issue("Exponent 3", CA, usages=[oids.EKU_CODE_SIGNING], private_key=rsa.generate_private_key(3, 2048))
RSA = issue("RSA Signer", CA, usages=[oids.EKU_CODE_SIGNING], private_key=rsa.generate_private_key(65537, 2048))
CURVE = issue("Curve Signer", CA, usages=[oids.EKU_CODE_SIGNING])
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
BLEICHENBACHER = "Bleichenbacher, CRYPTO 2006 (CVE-2006-4339)"
PSYCHIC = "CVE-2022-21449; FIPS 186-4, 6.4"
RFC_8017 = "RFC 8017, 8.2.2"


def prepared(signer: Entity) -> Prepared:
    _, content = content_of(UNSIGNED, SHA256)
    attributes = [TYPE, DIGEST, attribute(oids.SPC_STATEMENT_TYPE, (der.sequence(der.oid(oids.SPC_INDIVIDUAL)),))]
    return Prepared(content, signer.certificate, (CA.certificate,), SHA256, der.set_of(attributes))


def digest_info(digest: bytes, parameters: bytes = der.null()) -> bytes:
    return der.sequence(der.sequence(der.oid(SHA256.oid), parameters), der.octets(digest))


def raw(signer: Entity, block: bytes) -> Attempt:
    """Return the image with an RSA signature of exactly this block of 256 bytes."""
    numbers = signer.private_key.private_numbers()  # type: ignore[union-attr]
    assert len(block) == 256
    modulus = numbers.public_numbers.n  # type: ignore[union-attr]
    value = pow(int.from_bytes(block, "big"), numbers.d, modulus)  # type: ignore[union-attr]
    return image_with(prepared(signer).finish(value.to_bytes(256, "big")))


def filled(info: bytes, kind: bytes = b"\x00\x01", filler: bytes = b"\xff") -> bytes:
    return kind + filler * (256 - 3 - len(info)) + b"\x00" + info


def cube_root(number: int) -> int:
    """Return the smallest integer whose cube is `number` or more."""
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if middle**3 >= number else (middle + 1, high)
    return low


@attack(BLEICHENBACHER, code="signature-mismatch")
def forged_cube() -> Attempt:
    """A value made without the key, whose cube begins with the right DigestInfo (exponent 3)."""
    unsigned = prepared(CUBE)
    head = b"\x00\x01" + b"\xff" * 8 + b"\x00" + digest_info(unsigned.digest)
    value = cube_root(int.from_bytes(head.ljust(256, b"\x00"), "big"))
    assert (value**3).to_bytes(256, "big").startswith(head)
    return image_with(unsigned.finish(value.to_bytes(256, "big")))


@attack("CVE-2006-4340", code="signature-mismatch")
def garbage_behind_the_digest_info() -> Attempt:
    """Bytes behind the DigestInfo, with less padding."""
    return raw(RSA, filled(digest_info(prepared(RSA).digest) + b"garbage"))


@attack("CVE-2014-1568 (BERserk)", code="signature-mismatch")
def garbage_in_the_parameters() -> Attempt:
    """Data in the parameters of the DigestInfo's algorithm."""
    return raw(RSA, filled(digest_info(prepared(RSA).digest, der.octets(b"garbage" * 10))))


@attack("CVE-2014-1568 (BERserk)", code="signature-mismatch")
def long_length_in_the_digest_info() -> Attempt:
    """A DigestInfo with a length of more bytes than necessary, which can hide data."""
    contents = digest_info(prepared(RSA).digest)[2:]
    return raw(RSA, filled(b"\x30\x81" + bytes([len(contents)]) + contents))


@attack(RFC_8017, code="signature-mismatch")
def another_filler() -> Attempt:
    """Padding of zeros instead of 0xFF (block type 0)."""
    return raw(RSA, filled(digest_info(prepared(RSA).digest), b"\x00\x00", b"\x00"))


@attack(RFC_8017, code="signature-mismatch")
def block_of_encryption() -> Attempt:
    """The padding of an encrypted block (block type 2)."""
    return raw(RSA, filled(digest_info(prepared(RSA).digest), b"\x00\x02", b"\x55"))


@attack(RFC_8017, code="signature-mismatch")
def no_digest_info() -> Attempt:
    """The digest without DigestInfo, which only legacy timestamps have."""
    return raw(RSA, filled(prepared(RSA).digest))


@attack(RFC_8017, code="signature-mismatch")
def digest_info_of_another_algorithm() -> Attempt:
    """A DigestInfo with the right digest and the name of another algorithm."""
    info = digest_info(prepared(RSA).digest).replace(der.oid(SHA256.oid), der.oid("2.16.840.1.101.3.4.2.4"))
    return raw(RSA, filled(info))


def ecdsa(r: int, s: int) -> Attempt:
    return image_with(prepared(CURVE).finish(der.sequence(der.integer(r), der.integer(s))))


@attack(PSYCHIC, code="signature-mismatch")
def ecdsa_of_zeros() -> Attempt:
    """ECDSA with r = s = 0, which verifies for every key without a check of the range."""
    return ecdsa(0, 0)


@attack(PSYCHIC, code="signature-mismatch")
def ecdsa_of_the_order() -> Attempt:
    """ECDSA with r and s equal to the order of the curve, which are 0 after the reduction."""
    return ecdsa(P256_ORDER, P256_ORDER)


@attack(PSYCHIC, code="signature-mismatch")
def negative_ecdsa() -> Attempt:
    """ECDSA with negative numbers."""
    return ecdsa(-1, -1)


@attack("X.690; RFC 3279, 2.2.3", code="signature-mismatch")
def bytes_behind_ecdsa() -> Attempt:
    """Bytes behind the SEQUENCE of r and s."""
    unsigned = prepared(CURVE)
    return image_with(unsigned.finish(identity(CURVE).key.sign(unsigned.digest, SHA256) + b"garbage"))

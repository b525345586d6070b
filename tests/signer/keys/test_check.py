"""Signatures in every form that files in the field have are good, and forged ones are bad."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.keys.check import Check, check_body, check_digest, check_signature
from tests.support.identities import certificate, identity, private_key

SHA1, SHA256, MD5 = DigestAlgorithm.SHA1, DigestAlgorithm.SHA256, DigestAlgorithm.MD5
BODY = b"what was signed"
NAME = "Drvsign Check"
RSA_OID, PSS_OID = der.sequence(der.oid(oids.RSA), der.null()), "1.2.840.113549.1.1.10"


def key(bits: str = "rsa2048") -> rsa.RSAPrivateKey:
    found = private_key(bits, NAME)
    assert isinstance(found, rsa.RSAPrivateKey)
    return found


def raw(contents: bytes, bits: str = "rsa2048") -> bytes:
    """Sign arbitrary contents with PKCS #1 v1.5 padding (RFC 8017, 9.2), even if they are not a DigestInfo."""
    numbers = key(bits).private_numbers()
    size = (numbers.public_numbers.n.bit_length() + 7) // 8
    block = b"\x00\x01" + b"\xff" * (size - 3 - len(contents)) + b"\x00" + contents
    return pow(int.from_bytes(block), numbers.d, numbers.public_numbers.n).to_bytes(size)


def info(digest: bytes, algorithm: DigestAlgorithm, *parameters: bytes) -> bytes:
    return der.sequence(der.sequence(der.oid(algorithm.oid), *parameters), der.octets(digest))


def check(signature: bytes, algorithm: DigestAlgorithm = SHA256, identifier: bytes = RSA_OID, **bare: bool) -> Check:
    signer = certificate(NAME, "rsa2048")
    return check_signature(signer, signature, algorithm.hash(BODY), algorithm.oid, identifier, **bare)


@pytest.mark.parametrize("algorithm", DigestAlgorithm)
def test_signatures_with_every_digest_algorithm_are_checked(algorithm: DigestAlgorithm) -> None:
    good = raw(info(algorithm.hash(BODY), algorithm, der.null()))
    assert check(good, algorithm) is Check.GOOD
    assert check(raw(info(algorithm.hash(b"else"), algorithm, der.null())), algorithm) is Check.BAD


def test_a_digest_info_without_null_is_good() -> None:
    """RFC 8017, 9.2, note 1."""
    assert check(raw(info(SHA256.hash(BODY), SHA256))) is Check.GOOD


@pytest.mark.parametrize(
    "contents",
    [
        SHA256.hash(BODY),
        info(SHA256.hash(BODY), SHA256, der.null()) + b"\0",
        info(SHA256.hash(BODY), SHA256, der.octets(b"hidden")),
        info(SHA256.hash(BODY), SHA1, der.null()),
        b"",
    ],
    ids=["a bare digest", "bytes behind it", "bytes in the parameters", "another algorithm", "empty"],
)
def test_a_digest_info_with_other_contents_is_bad(contents: bytes) -> None:
    assert check(raw(contents)) is Check.BAD


def test_a_complete_bare_digest_is_good_if_bare_digests_are_allowed() -> None:
    assert check(raw(SHA1.hash(BODY)), SHA1, bare=True) is Check.GOOD
    assert check(raw(SHA1.hash(BODY)[:-1]), SHA1, bare=True) is Check.BAD
    assert check(raw(MD5.hash(BODY)), SHA1, bare=True) is Check.BAD


@pytest.mark.parametrize("mutated", [b"", b"\0" * 256, b"\xff" * 256, b"\1" * 255, b"\1" * 257])
def test_an_invalid_signature_value_is_bad(mutated: bytes) -> None:
    assert check(mutated) is Check.BAD


def named(oid: str) -> bytes:
    return der.sequence(der.oid(oid), der.null())


@pytest.mark.parametrize(
    ("oid", "result"),
    [
        ("1.2.840.113549.1.1.11", Check.GOOD),
        ("1.2.840.113549.1.1.5", Check.BAD),
        ("1.2.840.10045.4.3.2", Check.BAD),
        (oids.EC_PUBLIC_KEY, Check.BAD),
        ("1.2.3.4", Check.UNKNOWN),
    ],
    ids=["RSA with SHA-256", "RSA with another digest", "ECDSA", "an EC key", "unknown"],
)
def test_the_algorithm_must_match_key_and_digest(oid: str, result: Check) -> None:
    assert check(raw(info(SHA256.hash(BODY), SHA256, der.null())), identifier=named(oid)) is result


def pss(hashed: DigestAlgorithm, masked: DigestAlgorithm, salt: int) -> bytes:
    """Encode the AlgorithmIdentifier of RSASSA-PSS with these parameters (RFC 4055, 3.1)."""
    digest = der.sequence(der.oid(hashed.oid), der.null())
    mask = der.sequence(der.oid("1.2.840.113549.1.1.8"), der.sequence(der.oid(masked.oid), der.null()))
    parameters = der.explicit(0, digest), der.explicit(1, mask), der.explicit(2, der.integer(salt))
    return der.sequence(der.oid(PSS_OID), der.sequence(*parameters))


def pss_with(field: bytes) -> bytes:
    """Add a field to the parameters."""
    data = pss(SHA256, SHA256, 32)
    oid, parameters = der.children(data, der.read(data))
    return der.sequence(oid.whole(data), der.sequence(parameters.contents(data), field))


def pss_signature(hashed: DigestAlgorithm, masked: DigestAlgorithm, salt: int) -> bytes:
    scheme = padding.PSS(padding.MGF1(masked.for_cryptography()), salt)
    return key().sign(hashed.hash(BODY), scheme, Prehashed(hashed.for_cryptography()))


@pytest.mark.parametrize(
    ("identifier", "result"),
    [
        (pss(SHA256, SHA256, 32), Check.GOOD),
        (pss(SHA256, SHA256, 20), Check.BAD),
        (pss(SHA256, SHA256, 222), Check.BAD),
        (pss(SHA256, SHA256, 223), Check.BAD),
        (pss(SHA256, SHA256, 1 << 31), Check.BAD),
        (pss(SHA256, SHA256, 1 << 4000), Check.BAD),
        (pss(SHA256, SHA1, 32), Check.BAD),
        (pss(SHA1, SHA256, 32), Check.BAD),
        (der.sequence(der.oid(PSS_OID), der.sequence()), Check.BAD),
        (RSA_OID, Check.BAD),
    ],
    ids=[
        "as signed",
        "another salt",
        "longest salt",
        "too long",
        "31 bits",
        "4000 bits",
        "another mask",
        "another digest",
        "the defaults",
        "PKCS #1",
    ],
)
def test_pss_is_checked_with_its_parameters(identifier: bytes, result: Check) -> None:
    assert check(pss_signature(SHA256, SHA256, 32), identifier=identifier) is result


def test_the_trailer_of_pss_may_be_encoded() -> None:
    """Its default value, 1, is the only one."""
    identifier = pss_with(der.explicit(3, der.integer(1)))
    assert check(pss_signature(SHA256, SHA256, 32), identifier=identifier) is Check.GOOD


def test_the_longest_salt_of_pss_is_accepted() -> None:
    """222 bytes fit beside a SHA-256 digest in a signature of 2048 bits (RFC 8017, 9.1.2)."""
    assert check(pss_signature(SHA256, SHA256, 222), identifier=pss(SHA256, SHA256, 222)) is Check.GOOD


def test_the_default_digest_of_pss_is_sha1() -> None:
    identifier = der.sequence(der.oid(PSS_OID), der.sequence())
    assert check(pss_signature(SHA1, SHA1, 20), SHA1, identifier) is Check.GOOD


@pytest.mark.parametrize(
    "identifier",
    [
        b"",
        der.null(),
        der.sequence(),
        der.sequence(der.oid(PSS_OID)),
        pss(SHA256, SHA256, -1),
        pss_with(der.explicit(4, der.octets(b"hidden data"))),
        pss_with(der.explicit(2, der.integer(32))),
        pss_with(der.explicit(3, der.integer(2))),
        pss(SHA256, SHA256, 32).replace(der.null(), der.tlv(der.OCTET_STRING)),
    ],
    ids=[
        "empty",
        "NULL",
        "empty sequence",
        "PSS without parameters",
        "negative salt length",
        "an undefined field",
        "two salt lengths",
        "another trailer",
        "parameters of a digest",
    ],
)
def test_a_malformed_algorithm_identifier_is_an_error(identifier: bytes) -> None:
    with pytest.raises(SignatureFormatError):
        check(pss_signature(SHA256, SHA256, 32), identifier=identifier)


@pytest.mark.parametrize("kind", ["p256", "p384"])
def test_ecdsa_is_checked_with_both_of_its_identifiers(kind: str) -> None:
    signer, digest = identity(kind), SHA256.hash(BODY)
    signature = signer.key.sign(digest, SHA256)
    for oid, result in (
        ("1.2.840.10045.4.3.2", Check.GOOD),
        (oids.EC_PUBLIC_KEY, Check.GOOD),
        ("1.2.840.10045.4.3.3", Check.BAD),
        (oids.RSA, Check.BAD),
        (PSS_OID, Check.BAD),
    ):
        identifier = der.sequence(der.oid(oid))
        assert check_signature(signer.certificate, signature, digest, SHA256.oid, identifier) is result
    assert check_digest(signer.key.public_key, signature, SHA1.hash(BODY), SHA1) is Check.BAD


def test_an_unknown_digest_algorithm_is_unknown() -> None:
    signer = certificate(NAME, "rsa2048")
    assert check_signature(signer, raw(b""), bytes(32), "1.2.3", RSA_OID) is Check.UNKNOWN


def test_a_body_is_hashed_with_the_digest_of_the_signature_algorithm() -> None:
    signature = key().sign(BODY, padding.PKCS1v15(), hashes.SHA256())
    assert check_body(key().public_key(), signature, BODY, named("1.2.840.113549.1.1.11")) is Check.GOOD
    assert check_body(key().public_key(), signature, BODY + b".", named("1.2.840.113549.1.1.11")) is Check.BAD
    assert check_body(key().public_key(), signature, BODY, named("1.2.840.113549.1.1.12")) is Check.BAD
    assert check_body(key().public_key(), signature, BODY, RSA_OID) is Check.UNKNOWN
    assert check_body(None, signature, BODY, named("1.2.840.113549.1.1.11")) is Check.UNKNOWN
    assert (
        check_body(key().public_key(), pss_signature(SHA256, SHA256, 32), BODY, pss(SHA256, SHA256, 32)) is Check.GOOD
    )


@pytest.mark.parametrize("bits", ["rsa1024"])
def test_short_keys_of_old_certificates_are_checked(bits: str) -> None:
    """A weak signature is not a forged one."""
    signer = certificate(NAME, bits)
    good = raw(info(SHA1.hash(BODY), SHA1, der.null()), bits)
    assert check_signature(signer, good, SHA1.hash(BODY), SHA1.oid, RSA_OID) is Check.GOOD

"""The value of a signature: which encodings of the digest are accepted, and what makes it impossible to check."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from signer.asn1 import der, oids
from signer.pkcs7.counter_signature import CounterSignature, check_counter_signature
from signer.pkcs7.parse import ParsedSignerInfo, parse
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from signer.pkcs7.signer_checks import check_signer, check_value
from signer.pkcs7.structure import Structure
from tests.support.hierarchy import NOW, issue, rsa_key
from tests.support.identities import identity

KEY = rsa_key("signer")
CERTIFICATE = issue("Signer", private_key=KEY).certificate
OCTETS = b"content"
(PARSED,) = parse(sign(Content(oids.DATA, der.octets(OCTETS)), identity(), SigningOptions())).signers
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def signed_with(key: rsa.RSAPrivateKey, content: bytes) -> ParsedSignerInfo:
    """Sign with PKCS #1 padding around any content, as a faulty or hostile signer does."""
    numbers = key.private_numbers()
    modulus = numbers.public_numbers.n
    size = (modulus.bit_length() + 7) // 8
    padded = b"\x00\x01" + b"\xff" * (size - 3 - len(content)) + b"\x00" + content
    value = pow(int.from_bytes(padded, "big"), numbers.d, modulus).to_bytes(size, "big")
    return replace(PARSED, signature=value)


def digest() -> bytes:
    assert PARSED.digest_algorithm is not None
    return PARSED.digest_algorithm.hash(PARSED.signed_attributes_der)


def codes(signer: ParsedSignerInfo, *, bare: bool | None = None) -> list[str]:
    found = check_value(signer, CERTIFICATE) if bare is None else check_value(signer, CERTIFICATE, bare=bare)
    return [problem.code for problem in found]


def test_a_signature_of_the_key_is_accepted() -> None:
    assert codes(signed_with(KEY, SHA256_INFO + digest())) == []


def test_a_signature_of_another_key_is_not() -> None:
    assert codes(signed_with(rsa_key("another"), SHA256_INFO + digest())) == ["signature-mismatch"]


def test_a_bare_digest_is_accepted_only_where_it_is_expected() -> None:
    """Old timestamp authorities signed the digest without a DigestInfo; signatures of files must have one."""
    bare = signed_with(KEY, digest())
    assert codes(bare) == codes(bare, bare=False) == ["signature-mismatch"]
    assert codes(bare, bare=True) == []


@pytest.mark.parametrize(
    ("key", "problems", "bare"),
    [
        pytest.param(KEY, [], True, id="of the authority"),
        pytest.param(rsa_key("another"), ["signature-mismatch"], False, id="of another key"),
    ],
)
def test_a_bare_digest_in_a_counter_signature_is_noted(
    key: rsa.RSAPrivateKey, problems: list[str], *, bare: bool
) -> None:
    """The authorities of those timestamps are long gone, and the value proves as much."""
    authority = issue("Time Authority", private_key=KEY, usages=[oids.EKU_TIME_STAMPING]).certificate
    signer = replace(signed_with(key, digest()), issuer=authority.issuer.public_bytes(), serial=authority.serial_number)
    counter = CounterSignature(signer, NOW, Structure())
    found, notes = check_counter_signature(counter, OCTETS, [authority])
    assert [problem.code for problem in found] == problems
    assert ("bare-digest" in [note.code for note in notes]) == bare


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"digest_oid": "2.999"}, "digest-algorithm-unknown", id="unknown digest algorithm"),
        pytest.param({"signature_algorithm": b"\x30\x02\x06\x05"}, "signature-unverifiable", id="malformed algorithm"),
    ],
)
def test_a_signature_that_can_not_be_checked(changes: dict[str, object], code: str) -> None:
    assert codes(replace(PARSED, **changes)) == [code]


def test_a_signature_without_its_certificate_can_not_be_checked() -> None:
    assert [one.code for one in check_value(PARSED, None)] == ["signer-certificate-missing"]


TYPE, DIGEST = oids.CONTENT_TYPE, oids.MESSAGE_DIGEST


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, [], id="as signed"),
        pytest.param({TYPE: ()}, ["content-type-attribute"], id="no content type"),
        pytest.param({TYPE: (der.oid(oids.DATA),) * 2}, ["content-type-attribute"], id="the content type twice"),
        pytest.param({TYPE: (der.oid(oids.CTL),)}, ["content-type-attribute"], id="another content type"),
        pytest.param({DIGEST: ()}, ["message-digest-attribute"], id="no digest"),
        pytest.param({DIGEST: (der.octets(bytes(32)),)}, ["message-digest-mismatch"], id="another digest"),
    ],
)
def test_the_signed_attributes_must_be_those_of_the_content(
    changes: dict[str, tuple[bytes, ...]], expected: list[str]
) -> None:
    signer = replace(PARSED, signed_attributes={**PARSED.signed_attributes, **changes})
    assert [problem.code for problem in check_signer(signer, oids.DATA, OCTETS)] == expected

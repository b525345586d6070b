"""A timestamp token: which fields its TSTInfo may have, and which certificate its attributes identify."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.certificate import certificate_names
from signer.errors import SignatureFormatError
from signer.keys.local import LocalKey
from signer.pkcs7.encode import algorithm_identifier, attribute, signed_data, signer_info
from signer.pkcs7.timestamp_token import check_token, check_usage, parse_token
from tests.support.hierarchy import issue, key

SIGNATURE, SHA256, SHA512 = b"the octets of a signature", DigestAlgorithm.SHA256, DigestAlgorithm.SHA512
HIGH_SERIAL = 0xFB
"""A serial number whose INTEGER needs a leading zero: without it, the octet means -5."""
USAGE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
AUTHORITY = issue("Stamp", extensions=[(USAGE, True)], private_key=key("Stamp"), serial=HIGH_SERIAL).certificate
CERTIFICATE = AUTHORITY.public_bytes(Encoding.DER)
ISSUER, _ = certificate_names(CERTIFICATE)
REQUIRED = (
    der.integer(1),
    der.oid("2.999.1"),
    der.sequence(algorithm_identifier(SHA256.oid), der.octets(SHA256.hash(SIGNATURE))),
    der.integer(3),
    der.tlv(der.GENERALIZED_TIME, b"20240601120000Z"),
)
ACCURACY, ORDERING, NONCE = der.sequence(der.integer(1)), bytes.fromhex("0101ff"), der.integer(7)
TSA, EXTENSIONS = der.explicit(0, der.explicit(4, ISSUER)), der.tlv(0xA1, der.sequence())


def token(*attributes: bytes, content: bytes | None = None) -> bytes:
    """Sign a content, or a valid TSTInfo, with attributes beside those that every signature has."""
    content = der.octets(der.sequence(*REQUIRED)) if content is None else content
    octets = der.read(content).contents(content)
    signed = der.set_of(
        [
            attribute(oids.CONTENT_TYPE, (der.oid(oids.TST_INFO),)),
            attribute(oids.MESSAGE_DIGEST, (der.octets(SHA256.hash(octets)),)),
            *attributes,
        ]
    )
    value = LocalKey(key("Stamp")).sign(SHA256.hash(signed), SHA256)
    signer = signer_info(AUTHORITY, SHA256, signed, value)
    return signed_data(3, SHA256, oids.TST_INFO, content, [CERTIFICATE], signer)


@pytest.mark.parametrize(
    "optional",
    [
        pytest.param((ACCURACY, ORDERING, NONCE, TSA, EXTENSIONS), id="every optional field"),
        pytest.param((ORDERING, NONCE), id="ordering and nonce"),
        pytest.param((NONCE, TSA), id="nonce and tsa"),
        pytest.param((NONCE, EXTENSIONS), id="nonce and extensions"),
    ],
)
def test_the_optional_fields_are_accepted_in_their_order(optional: tuple[bytes, ...]) -> None:
    """RFC 3161, 2.4.2: accuracy, ordering, nonce, tsa [0], extensions [1]."""
    assert parse_token(token(content=der.octets(der.sequence(*REQUIRED, *optional)))).nonce == 7


@pytest.mark.parametrize(
    "optional",
    [
        pytest.param((NONCE, ORDERING), id="ordering after the nonce"),
        pytest.param((EXTENSIONS, TSA), id="tsa after the extensions"),
        pytest.param((NONCE, NONCE), id="two nonces"),
        pytest.param((der.tlv(0xA2, der.sequence()),), id="a tag that the format lacks"),
    ],
)
def test_other_fields_are_refused(optional: tuple[bytes, ...]) -> None:
    """The refusal names the TSTInfo of the timestamp token."""
    with pytest.raises(SignatureFormatError, match="TSTInfo of the timestamp token"):
        parse_token(token(content=der.octets(der.sequence(*REQUIRED, *optional))))


def without_content() -> bytes:
    """Return a token whose EncapsulatedContentInfo has its type alone."""
    data = token()
    oid, wrapped = der.children(data, der.read(data))
    fields = [field.whole(data) for field in der.children(data, der.read(data, wrapped.body))]
    fields[2] = der.sequence(der.oid(oids.TST_INFO))
    return der.sequence(oid.whole(data), der.explicit(0, der.sequence(*fields)))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(without_content(), id="no content"),
        pytest.param(token(content=der.sequence(*REQUIRED)), id="a TSTInfo that is not in an OCTET STRING"),
    ],
)
def test_a_token_without_tst_info_is_refused(data: bytes) -> None:
    with pytest.raises(SignatureFormatError, match="has no TSTInfo"):
        parse_token(data)


def named(*, digest: bytes, algorithm: str = "", serial: bytes | None = None) -> bytes:
    """Return an ESSCertIDv2, or an ESSCertID if it has no algorithm."""
    return der.sequence(
        *([algorithm_identifier(algorithm)] if algorithm else ()),
        der.octets(digest),
        *([der.sequence(der.sequence(der.explicit(4, ISSUER)), serial)] if serial is not None else ()),
    )


def identifying(*identifiers: bytes, oid: str = oids.SIGNING_CERTIFICATE_V2) -> bytes:
    return attribute(oid, (der.sequence(der.sequence(*identifiers)),))


OWN, OTHER = SHA256.hash(CERTIFICATE), bytes(32)
SERIAL = der.integer(HIGH_SERIAL)
NEGATIVE = der.tlv(der.INTEGER, bytes((HIGH_SERIAL,)))
SHA1_NAME = named(digest=DigestAlgorithm.SHA1.hash(CERTIFICATE), serial=SERIAL)
MALFORMED = attribute(oids.SIGNING_CERTIFICATE_V2, (der.null(),))


@pytest.mark.parametrize(
    ("attributes", "accepted"),
    [
        pytest.param((identifying(named(digest=OWN)),), True, id="SHA-256 by default"),
        pytest.param((identifying(named(digest=OWN, serial=SERIAL)),), True, id="digest and serial number"),
        pytest.param((identifying(named(digest=OWN, serial=der.integer(4))),), False, id="another serial number"),
        pytest.param((identifying(named(digest=OWN, serial=NEGATIVE)),), False, id="a negative serial number"),
        pytest.param((identifying(named(digest=OTHER, serial=SERIAL)),), False, id="another digest"),
        pytest.param(
            (identifying(named(digest=SHA512.hash(CERTIFICATE), algorithm=SHA512.oid)),), True, id="SHA-512 by name"
        ),
        pytest.param((identifying(named(digest=OWN, algorithm="2.999.2")),), False, id="an unknown algorithm"),
        pytest.param((identifying(SHA1_NAME, oid=oids.SIGNING_CERTIFICATE),), True, id="SHA-1 in the first version"),
        pytest.param((identifying(named(digest=OWN), named(digest=OTHER)),), True, id="another certificate second"),
        pytest.param((identifying(named(digest=OTHER), named(digest=OWN)),), False, id="another certificate first"),
        pytest.param((MALFORMED,), False, id="a malformed attribute"),
        pytest.param((), False, id="no attribute"),
    ],
)
def test_an_attribute_identifies_the_certificate_of_the_authority(
    attributes: tuple[bytes, ...], *, accepted: bool
) -> None:
    """RFC 5035, 3: the first identifier names the signer's certificate, by digest and optionally by serial number."""
    problems, _ = check_token(parse_token(token(*attributes)), SIGNATURE)
    assert [problem.code for problem in problems] == ([] if accepted else ["signing-certificate"])


def test_a_certificate_with_malformed_extensions_is_not_for_time_stamping() -> None:
    broken = x509.UnrecognizedExtension(ExtensionOID.EXTENDED_KEY_USAGE, b"no DER")
    problems, notes = check_usage(issue("Broken", extensions=[(broken, True)]).certificate)
    assert ([problem.code for problem in problems], notes) == (["timestamp-usage"], [])


@pytest.mark.parametrize(
    ("usages", "accepted"),
    [
        pytest.param(("digital_signature",), True, id="signatures"),
        pytest.param(("content_commitment",), True, id="non-repudiation"),
        pytest.param(("key_encipherment",), False, id="encryption"),
        pytest.param(("key_cert_sign", "crl_sign"), False, id="certificates and revocation lists"),
    ],
)
def test_the_key_usage_of_an_authority_permits_signatures(usages: tuple[str, ...], *, accepted: bool) -> None:
    """RFC 5280, 4.2.1.12: a key for time stamping is for digital signatures or non-repudiation."""
    usage = x509.KeyUsage(**dict.fromkeys(KEY_USAGES, False) | dict.fromkeys(usages, True))
    stamping = x509.ExtendedKeyUsage([x509.ObjectIdentifier(oids.EKU_TIME_STAMPING)])
    problems, _ = check_usage(issue("Usage", extensions=[(stamping, True), (usage, True)]).certificate)
    assert [problem.code for problem in problems] == ([] if accepted else ["timestamp-usage"])


KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)

"""A timestamp authority requires a time stamping certificate, and includes it in answers on request."""

from __future__ import annotations

import base64
import itertools

import pytest
from asn1crypto.tsp import TSTInfo
from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import IdentityError, SignatureFormatError
from signer.pkcs7.encode import algorithm_identifier
from signer.pkcs7.parse import parse
from signer.pkcs7.timestamp_authority import POLICY, authority
from signer.pkcs7.timestamp_request import legacy_answer, rfc3161_request
from signer.pkcs7.timestamp_token import parse_token
from tests.support.timestamping import CODE_SIGNING, NOON, TIME_STAMPING, tsa, tsa_identity


@pytest.mark.parametrize("usages", [(), (CODE_SIGNING,)], ids=["no usage", "another usage"])
def test_a_certificate_that_is_not_for_time_stamping_is_refused(usages: tuple[x509.ObjectIdentifier, ...]) -> None:
    with pytest.raises(IdentityError):
        authority(tsa_identity("p256", usages), lambda: NOON, itertools.count(1).__next__)


def test_a_certificate_for_time_stamping_is_accepted() -> None:
    identity = tsa_identity("p256", (TIME_STAMPING,))
    assert authority(identity, lambda: NOON, itertools.count(1).__next__).identity == identity


@pytest.mark.parametrize("requested", [True, False])
def test_the_answer_contains_the_certificate_if_it_is_requested(requested: bool) -> None:
    """certReq of TimeStampReq (RFC 3161, 2.4.1)."""
    request = rfc3161_request(b"a signature", DigestAlgorithm.SHA256, 7)
    assert request.count(bytes.fromhex("0101ff")) == 1
    if not requested:
        content = der.read(request).contents(request).replace(bytes.fromhex("0101ff"), b"")
        request = der.sequence(content)
    response = tsa(tsa_identity("p256")).answer(request)
    _, token = der.children(response, der.read(response))
    certificates = parse_token(token.whole(response)).signed_data.certificates
    assert (tsa_identity("p256").certificate in certificates) == requested


SIGNATURE, SHA256 = b"the octets of a signature", DigestAlgorithm.SHA256
IMPRINT = der.sequence(algorithm_identifier(SHA256.oid), der.octets(SHA256.hash(SIGNATURE)))
VERSION, NONCE, CERTIFICATES = der.integer(1), der.integer(7), bytes.fromhex("0101ff")
OTHER_POLICY, EXTENSIONS = der.oid("2.999.1"), der.tlv(0xA0, der.sequence())
BAD_ALGORITHM, BAD_FORMAT, NO_SUCH_POLICY, NO_SUCH_EXTENSION = 0, 5, 15, 16


def imprint(algorithm: str, size: int) -> bytes:
    return der.sequence(algorithm_identifier(algorithm), der.octets(bytes(size)))


@pytest.mark.parametrize(
    ("request_of", "failure"),
    [
        pytest.param(b"", BAD_FORMAT, id="nothing"),
        pytest.param(der.sequence(), BAD_FORMAT, id="no field"),
        pytest.param(der.sequence(VERSION), BAD_FORMAT, id="no imprint"),
        pytest.param(der.sequence(IMPRINT, VERSION), BAD_FORMAT, id="the fields in another order"),
        pytest.param(der.sequence(der.integer(2), IMPRINT), BAD_FORMAT, id="version 2"),
        pytest.param(der.sequence(der.integer(257), IMPRINT), BAD_FORMAT, id="a version of two bytes"),
        pytest.param(der.sequence(VERSION, der.sequence()), BAD_FORMAT, id="an imprint without fields"),
        pytest.param(der.sequence(VERSION, imprint(SHA256.oid, 31)), BAD_FORMAT, id="a digest that is too short"),
        pytest.param(der.sequence(VERSION, imprint(SHA256.oid, 33)), BAD_FORMAT, id="a digest that is too long"),
        pytest.param(der.sequence(VERSION, imprint(DigestAlgorithm.MD5.oid, 16)), BAD_ALGORITHM, id="MD5"),
        pytest.param(der.sequence(VERSION, imprint("2.999.2", 32)), BAD_ALGORITHM, id="an unknown algorithm"),
        pytest.param(der.sequence(VERSION, IMPRINT, OTHER_POLICY), NO_SUCH_POLICY, id="another policy"),
        pytest.param(der.sequence(VERSION, IMPRINT, EXTENSIONS), NO_SUCH_EXTENSION, id="an extension"),
        pytest.param(der.sequence(VERSION, IMPRINT, NONCE, NONCE), BAD_FORMAT, id="two nonces"),
        pytest.param(der.sequence(VERSION, IMPRINT, CERTIFICATES, NONCE), BAD_FORMAT, id="the nonce after certReq"),
        pytest.param(
            der.sequence(VERSION, IMPRINT, NONCE, der.oid(POLICY)), BAD_FORMAT, id="the policy after the nonce"
        ),
        pytest.param(der.sequence(VERSION, IMPRINT, der.null()), BAD_FORMAT, id="a field that the format lacks"),
        pytest.param(der.sequence(VERSION, IMPRINT) + b"x", BAD_FORMAT, id="a byte after the request"),
        pytest.param(b"\x30\x80" + VERSION + IMPRINT + bytes(2), BAD_FORMAT, id="BER of indefinite length"),
    ],
)
def test_a_bad_request_is_rejected_with_the_failure_that_the_protocol_defines(request_of: bytes, failure: int) -> None:
    """PKIFailureInfo has one bit, and its unused bits are counted (RFC 3161, 2.4.2)."""
    answer = tsa().answer(request_of)
    info = next(der.children(answer, der.read(answer)))
    status, texts, bits = der.children(answer, info)
    assert status.whole(answer) == der.integer(2)
    assert [text.tag for text in der.children(answer, texts)] == [der.UTF8_STRING]
    unused, *octets = bits.contents(answer)
    number = int.from_bytes(octets, "big")
    assert 8 * len(octets) - number.bit_length() == failure
    assert number.bit_count() == 1 and number == 1 << unused


@pytest.mark.parametrize(
    ("fields", "nonce", "certificates"),
    [
        pytest.param((), None, 0, id="only an imprint"),
        pytest.param((NONCE,), 7, 0, id="a nonce"),
        pytest.param((der.oid(POLICY), NONCE, CERTIFICATES), 7, 2, id="every field"),
        pytest.param((bytes.fromhex("010100"),), None, 0, id="no certificates, in so many words"),
    ],
)
def test_a_token_has_what_was_requested(fields: tuple[bytes, ...], nonce: int | None, certificates: int) -> None:
    answer = tsa().answer(der.sequence(VERSION, IMPRINT, *fields))
    status, token = der.children(answer, der.read(answer))
    assert status.whole(answer) == der.sequence(der.integer(0))
    found = parse_token(token.whole(answer))
    assert (found.policy, found.imprint, found.imprint_algorithm) == (POLICY, SHA256.hash(SIGNATURE), SHA256)
    assert (found.nonce, found.time, len(found.signed_data.certificates)) == (nonce, NOON, certificates)


def test_a_token_has_the_versions_and_the_accuracy_of_the_standard() -> None:
    """RFC 3161, 2.4.2: SignedData has version 3, TSTInfo version 1; the signer's issuer is a directoryName [4]."""
    answer = tsa().answer(der.sequence(VERSION, IMPRINT))
    _, token = der.children(answer, der.read(answer))
    data = token.whole(answer)
    signed = parse_token(data).signed_data
    info = TSTInfo.load(signed.content_octets)
    assert (signed.version, info["version"].native, info["accuracy"]["seconds"].native) == (3, "v1", 1)
    assert der.explicit(4, tsa_identity().certificate.issuer.public_bytes()) in data


def test_a_counter_signature_is_in_signed_data_of_version_1() -> None:
    answer = tsa().answer_legacy(legacy(REQUEST, CONTENT))
    assert parse(base64.b64decode(answer)).version == 1


def legacy(*fields: bytes) -> bytes:
    return base64.encodebytes(der.sequence(*fields))


REQUEST, DATA = der.oid(oids.SPC_TIMESTAMP_REQUEST), der.oid(oids.DATA)
CONTENT = der.sequence(DATA, der.explicit(0, der.octets(SIGNATURE)))


@pytest.mark.parametrize(
    "request_of",
    [
        pytest.param(b"*", id="no base64"),
        pytest.param(b"*" + legacy(REQUEST, CONTENT), id="other characters before base64"),
        pytest.param(b"", id="nothing"),
        pytest.param(legacy(DATA, CONTENT), id="another type of request"),
        pytest.param(legacy(REQUEST, der.sequence(REQUEST, der.explicit(0, der.octets(SIGNATURE)))), id="no data"),
        pytest.param(legacy(REQUEST, der.sequence(DATA, der.octets(SIGNATURE))), id="no explicit tag"),
        pytest.param(legacy(REQUEST, der.sequence(DATA, der.explicit(0, der.null()))), id="no octets"),
        pytest.param(legacy(REQUEST), id="no content"),
    ],
)
def test_a_bad_legacy_request_is_an_error(request_of: bytes) -> None:
    with pytest.raises(SignatureFormatError):
        tsa().answer_legacy(request_of)


@pytest.mark.parametrize("attributes", [(), (der.set_of([]),)], ids=["no attributes", "attributes"])
def test_a_legacy_request_is_answered(attributes: tuple[bytes, ...]) -> None:
    answer = tsa().answer_legacy(legacy(REQUEST, *attributes, CONTENT))
    assert legacy_answer(answer, SIGNATURE).attribute[0] == oids.COUNTER_SIGNATURE

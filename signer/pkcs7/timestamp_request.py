"""Encode requests to timestamp authorities, and parse and check the answers.

Source: RFC 3161, 2.4; "Windows Authenticode Portable Executable Signature Format" and "Time Stamping Authenticode
Signatures" (Microsoft) for the legacy protocol, SPC_TIME_STAMP_REQUEST_OBJID 1.3.6.1.4.1.311.3.2.1. Every answer is
checked, because a timestamp that does not verify is worse than none.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import SignatureFormatError, TimestampError
from signer.pkcs7.counter_signature import check_counter_signature, parse_counter_signature, signer_info_of
from signer.pkcs7.encode import algorithm_identifier
from signer.pkcs7.parse import parse
from signer.pkcs7.signed_data import TimestampAttribute
from signer.pkcs7.timestamp_token import check_token, parse_token

RFC3161_QUERY = "application/timestamp-query"
RFC3161_REPLY = "application/timestamp-reply"
LEGACY = "application/octet-stream"

TRUE = bytes.fromhex("0101ff")
GRANTED = (0, 1)
"""PKIStatus granted and grantedWithMods."""
_STATUS_SIZE, _MAX_TEXTS, _MAX_REASON = 4, 8, 500
"""Maximum sizes in bytes of a PKIStatus and a PKIFailureInfo, whose values have one and four, number of texts that are
read, and length of the reason in an error: an answer can have a megabyte."""
STATUSES = {2: "rejection", 3: "waiting", 4: "revocationWarning", 5: "revocationNotification"}
FAILURES = {
    0: "unrecognized or unsupported algorithm",
    2: "transaction not permitted or supported",
    5: "the data submitted has the wrong format",
    14: "the time source is not available",
    15: "the requested policy is not supported",
    16: "the requested extension is not supported",
    17: "the requested information is not available",
    25: "a system failure",
}
"""Meaning of each bit of PKIFailureInfo (RFC 3161, 2.4.2)."""
TRANSIENT_FAILURES = (14, 25)
"""Bits of PKIFailureInfo for which a retry can succeed."""


class Refused(TimestampError):
    """The authority refused to issue a timestamp. `transient` tells whether a retry can succeed."""

    def __init__(self, message: str, *, transient: bool) -> None:
        super().__init__(message)
        self.transient = transient


def rfc3161_request(signature: bytes, algorithm: DigestAlgorithm, nonce: int) -> bytes:
    """Encode a TimeStampReq for the octets of a signature, with certReq TRUE (RFC 3161, 2.4.1)."""
    imprint = der.sequence(algorithm_identifier(algorithm.oid), der.octets(algorithm.hash(signature)))
    return der.sequence(der.integer(1), imprint, der.integer(nonce), TRUE)


def rfc3161_answer(response: bytes, signature: bytes, algorithm: DigestAlgorithm, nonce: int) -> TimestampAttribute:
    """Parse and check a TimeStampResp, and return its timestamp. Raises TimestampError."""
    data = _token(response)
    try:
        token = parse_token(data)
    except SignatureFormatError as error:
        raise TimestampError(f"the answer contains no valid timestamp token: {error.message}") from error
    if token.imprint_algorithm is not algorithm:
        raise TimestampError("the digest algorithm of the timestamp differs from the requested one")
    if token.nonce != nonce:
        raise TimestampError("the nonce of the timestamp differs from the requested one: it may be an old answer")
    problems, notes = check_token(token, signature)
    if problems:
        raise TimestampError(f"the timestamp is invalid: {problems[0].message}")
    return TimestampAttribute((oids.RFC3161_TIMESTAMP, (data,)), notes=tuple(notes))


def legacy_request(signature: bytes) -> bytes:
    """Encode Authenticode's TimeStampRequest, in base64.

    TimeStampRequest ::= SEQUENCE {
        countersignatureType OBJECT IDENTIFIER, attributes Attributes OPTIONAL, content ContentInfo }
    """
    content = der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(signature)))
    return base64.encodebytes(der.sequence(der.oid(oids.SPC_TIMESTAMP_REQUEST), content))


def legacy_answer(response: bytes, signature: bytes) -> TimestampAttribute:
    """Parse and check the answer to a legacy request, and return its counter-signature. Raises TimestampError."""
    try:
        signed = base64.b64decode(b"".join(response.split()), validate=True)
        parsed = parse(signed)
        data = signer_info_of(signed)
        counter = parse_counter_signature(data)
    except (binascii.Error, SignatureFormatError) as error:
        raise TimestampError("the answer is not a valid timestamp") from error
    problems, notes = check_counter_signature(counter, signature, parsed.certificates)
    if problems:
        raise TimestampError(f"the timestamp is invalid: {problems[0].message}")
    certificates = tuple(certificate.public_bytes(Encoding.DER) for certificate in parsed.certificates)
    return TimestampAttribute((oids.COUNTER_SIGNATURE, (data,)), certificates, tuple(notes))


def _token(response: bytes) -> bytes:
    """Return the DER of the token in TimeStampResp ::= SEQUENCE { status PKIStatusInfo, timeStampToken OPTIONAL }."""
    try:
        whole = der.expect(response, 0, der.SEQUENCE, "TimeStampResp")
        status = der.expect(response, whole.body, der.SEQUENCE, "PKIStatusInfo", whole.end)
        _require_granted(response, status)
        return der.expect(response, status.end, der.SEQUENCE, "a timestamp token", whole.end).whole(response)
    except SignatureFormatError as error:
        raise TimestampError(f"the answer is not an RFC 3161 response: {error.message}") from error


def _require_granted(response: bytes, info: der.Element) -> None:
    """Raise Refused unless the status is granted.

    PKIStatusInfo ::= SEQUENCE { status INTEGER, statusString OPTIONAL, failInfo BIT STRING OPTIONAL }.
    """
    number = der.expect(response, info.body, der.INTEGER, "a status", info.end)
    if number.end - number.body > _STATUS_SIZE:
        raise SignatureFormatError(f"the status has more than {_STATUS_SIZE} bytes", offset=number.start)
    status = int.from_bytes(number.contents(response), "big")
    if status in GRANTED:
        return
    texts, failures = [], set[int]()
    for field in der.children(response, info):
        if field.tag == der.SEQUENCE:
            texts = [
                text.contents(response).decode("utf-8", "replace")
                for text in der.first_children(response, field, _MAX_TEXTS)[:_MAX_TEXTS]
            ]
        elif field.tag == der.BIT_STRING:
            failures = _bits(field.contents(response)[: 1 + _STATUS_SIZE])
    reasons = texts + [FAILURES.get(bit, f"failure {bit}") for bit in sorted(failures)]
    answer = STATUSES.get(status, f"status {status}")
    message = f"the authority refused the timestamp ({': '.join([answer, *reasons])[:_MAX_REASON]})"
    raise Refused(message, transient=bool(failures & set(TRANSIENT_FAILURES)) or answer == "waiting")


def _bits(contents: bytes) -> set[int]:
    """Return the numbers of the bits that are set in a BIT STRING."""
    return {8 * place + bit for place, octet in enumerate(contents[1:]) for bit in range(8) if octet & (0x80 >> bit)}

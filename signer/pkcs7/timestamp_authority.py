"""A timestamp authority: RFC 3161 and Authenticode's legacy protocol, for development without a network.

Source: RFC 3161, 2.4.2; RFC 5816, 2.2.1; for the legacy protocol see `signer.pkcs7.timestamp_request`. Requests come
from anywhere, so they are read as strictly as signatures are; what can't be granted is refused as the protocol has it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.certificate import certificate_names
from signer.asn1.oids import EKU_TIME_STAMPING
from signer.certificates import extended_key_usages
from signer.errors import IdentityError, SignatureFormatError
from signer.keys.identity import SigningIdentity
from signer.pkcs7.encode import attribute, signed_data, signer_info
from signer.pkcs7.timestamp_request import TRUE

POLICY = "2.999.3161"
"""The policy of our timestamps, from the arc for examples (ITU-T X.660): good for tests and nothing else."""

_BAD_ALGORITHM, _BAD_FORMAT, _NO_SUCH_POLICY, _NO_SUCH_EXTENSION = 0, 5, 15, 16
_DIRECTORY_NAME = 4
_EXTENSIONS = 0xA0


class _Refusal(Exception):
    """The request can't be granted; `failure` is the bit of PKIFailureInfo."""

    def __init__(self, failure: int, message: str) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message


@dataclass(frozen=True, slots=True)
class _Request:
    """TimeStampReq, as far as it can be granted."""

    imprint: bytes
    """MessageImprint as it was encoded: it goes into the token unchanged."""
    nonce: bytes
    """The nonce as it was encoded, or nothing."""
    wants_certificates: bool


@dataclass(frozen=True, slots=True)
class TimestampAuthority:
    """Answers requests in the name of an identity whose certificate is for time stamping."""

    identity: SigningIdentity
    now: Callable[[], datetime]
    serial: Callable[[], int]
    """The next serial number of a token."""
    digest: DigestAlgorithm = DigestAlgorithm.SHA256
    """What the authority hashes its own attributes with."""

    def answer(self, request: bytes) -> bytes:
        """TimeStampResp to the DER of a TimeStampReq: a token, or a status that says why not. Raises IdentityError."""
        try:
            asked = _read(request)
        except _Refusal as refusal:
            return _refused(refusal)
        granted = der.sequence(der.integer(0))
        return der.sequence(granted, self._token(asked))

    def answer_legacy(self, request: bytes) -> bytes:
        """The base64 of a counter-signature to a legacy request in base64.

        Raises SignatureFormatError for what is no such request (the protocol has no answer for it), IdentityError.
        """
        signature = _read_legacy(request)
        attributes = [
            attribute(oids.CONTENT_TYPE, (der.oid(oids.DATA),)),
            attribute(oids.SIGNING_TIME, (der.time(self._time()),)),
            attribute(oids.MESSAGE_DIGEST, (der.octets(self.digest.hash(signature)),)),
        ]
        signed = self._signed(1, oids.DATA, signature, attributes, carried=True)
        return base64.encodebytes(signed)

    def _token(self, asked: _Request) -> bytes:
        time = der.tlv(der.GENERALIZED_TIME, f"{self._time():%Y%m%d%H%M%SZ}".encode("ascii"))
        accuracy = der.sequence(der.integer(1))
        info = der.sequence(
            der.integer(1), der.oid(POLICY), asked.imprint, der.integer(self.serial()), time, accuracy, asked.nonce
        )
        attributes = [
            attribute(oids.CONTENT_TYPE, (der.oid(oids.TST_INFO),)),
            attribute(oids.SIGNING_TIME, (der.time(self._time()),)),
            attribute(oids.MESSAGE_DIGEST, (der.octets(self.digest.hash(info)),)),
            attribute(oids.SIGNING_CERTIFICATE_V2, (self._signing_certificate(),)),
        ]
        return self._signed(3, oids.TST_INFO, info, attributes, carried=asked.wants_certificates)

    def _signed(self, version: int, oid: str, content: bytes, attributes: list[bytes], *, carried: bool) -> bytes:
        """ContentInfo with SignedData over `content`, which stands in an OCTET STRING."""
        covered = der.set_of(attributes)
        signature = self.identity.key.sign(self.digest.hash(covered), self.digest)
        signer = signer_info(self.identity.certificate, self.digest, covered, signature)
        chain = [self.identity.certificate, *self.identity.chain] if carried else []
        certificates = [certificate.public_bytes(Encoding.DER) for certificate in chain]
        return signed_data(version, self.digest, oid, der.octets(content), certificates, signer)

    def _signing_certificate(self) -> bytes:
        """SigningCertificateV2 with one ESSCertIDv2, whose digest is SHA-256 by default (RFC 5035, 3 and 4)."""
        data = self.identity.certificate.public_bytes(Encoding.DER)
        issuer, serial = certificate_names(data)
        names = der.sequence(der.explicit(_DIRECTORY_NAME, issuer))
        named = der.sequence(der.octets(DigestAlgorithm.SHA256.hash(data)), der.sequence(names, der.integer(serial)))
        return der.sequence(der.sequence(named))

    def _time(self) -> datetime:
        return self.now().astimezone(UTC)


def authority(identity: SigningIdentity, now: Callable[[], datetime], serial: Callable[[], int]) -> TimestampAuthority:
    """The authority of an identity. Raises IdentityError when its certificate is not for time stamping."""
    usages = extended_key_usages(identity.certificate)
    if usages is None or EKU_TIME_STAMPING not in usages:
        raise IdentityError(
            f"the certificate {identity.name!r} is not for time stamping",
            hint=f"Its extended key usage must be {EKU_TIME_STAMPING}, critical, and nothing else.",
        )
    return TimestampAuthority(identity, now, serial)


def _read(request: bytes) -> _Request:
    """TimeStampReq ::= SEQUENCE {
    version INTEGER { v1(1) }, messageImprint MessageImprint, reqPolicy OBJECT IDENTIFIER OPTIONAL,
    nonce INTEGER OPTIONAL, certReq BOOLEAN DEFAULT FALSE, extensions [0] IMPLICIT Extensions OPTIONAL }
    """
    try:
        der.require_der(request)
        fields = list(der.children(request, der.expect(request, 0, der.SEQUENCE, "TimeStampReq")))
        tags = [field.tag for field in fields]
        optional = [der.OID, der.INTEGER, 0x01, _EXTENSIONS]
        if tags[:2] != [der.INTEGER, der.SEQUENCE] or tags[2:] != [tag for tag in optional if tag in tags[2:]]:
            raise _Refusal(_BAD_FORMAT, "not a TimeStampReq")
        if fields[0].contents(request) != b"\x01":
            raise _Refusal(_BAD_FORMAT, "not version 1")
        _require_imprint(request, fields[1])
        rest = {field.tag: field for field in fields[2:]}
        if der.OID in rest and rest[der.OID].whole(request) != der.oid(POLICY):
            raise _Refusal(_NO_SUCH_POLICY, f"the only policy is {POLICY}")
        if _EXTENSIONS in rest:
            raise _Refusal(_NO_SUCH_EXTENSION, "no extensions are supported")
    except SignatureFormatError as error:
        raise _Refusal(_BAD_FORMAT, error.message) from error
    nonce = rest[der.INTEGER].whole(request) if der.INTEGER in rest else b""
    return _Request(fields[1].whole(request), nonce, 0x01 in rest and rest[0x01].whole(request) == TRUE)


def _require_imprint(request: bytes, imprint: der.Element) -> None:
    """Raise _Refusal unless the imprint is a digest that we know, of the right size."""
    identifier = der.expect(request, imprint.body, der.SEQUENCE, "an algorithm", imprint.end)
    oid = der.expect(request, identifier.body, der.OID, "an OID", identifier.end)
    digest = der.expect(request, identifier.end, der.OCTET_STRING, "a digest", imprint.end)
    algorithm = DigestAlgorithm.by_oid(der.read_oid(oid.contents(request)))
    if algorithm is None or algorithm is DigestAlgorithm.MD5:
        raise _Refusal(_BAD_ALGORITHM, "the digest algorithm is not supported")
    if digest.end - digest.body != algorithm.size:
        raise _Refusal(_BAD_FORMAT, "the digest has the wrong size")


def _refused(refusal: _Refusal) -> bytes:
    """TimeStampResp with the status rejection, a text, and one bit of PKIFailureInfo."""
    octets = bytearray(refusal.failure // 8 + 1)
    octets[-1] = 0x80 >> refusal.failure % 8
    unused = 7 - refusal.failure % 8
    text = der.sequence(der.tlv(der.UTF8_STRING, refusal.message.encode("utf-8")))
    return der.sequence(der.sequence(der.integer(2), text, der.tlv(der.BIT_STRING, bytes((unused,)), bytes(octets))))


def _read_legacy(request: bytes) -> bytes:
    """The signature's octets in a legacy request. Raises SignatureFormatError."""
    try:
        data = base64.b64decode(b"".join(request.split()), validate=True)
    except binascii.Error as error:
        raise SignatureFormatError("the request is not base64") from error
    whole = der.expect(data, 0, der.SEQUENCE, "a timestamp request")
    kind = der.expect(data, whole.body, der.OID, "its type", whole.end)
    if kind.whole(data) != der.oid(oids.SPC_TIMESTAMP_REQUEST):
        raise SignatureFormatError("not a timestamp request")
    content = list(der.children(data, whole))[-1]
    oid = der.expect(data, content.body, der.OID, "the content's type", content.end)
    if oid.whole(data) != der.oid(oids.DATA):
        raise SignatureFormatError("what is to be timestamped is not data")
    wrapped = der.expect(data, oid.end, 0xA0, "the content", content.end)
    return der.expect(data, wrapped.body, der.OCTET_STRING, "the signature", wrapped.end).contents(data)

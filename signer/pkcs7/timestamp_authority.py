"""A timestamp authority for tests without a network: RFC 3161 and Authenticode's legacy protocol.

Source: RFC 3161, 2.4.2; RFC 5816, 2.2.1; for the legacy protocol see `signer.pkcs7.timestamp_request`. Requests are
untrusted input and parsed as strictly as signatures. Invalid requests get the error status that the protocol defines.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime

from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.certificate import certificate_names
from signer.asn1.der_check import require_der
from signer.asn1.oids import EKU_TIME_STAMPING
from signer.certificates import extended_key_usages
from signer.errors import IdentityError, SignatureFormatError
from signer.keys.identity import SigningIdentity
from signer.pkcs7.encode import attribute, signed_data, signer_info
from signer.pkcs7.timestamp_request import TRUE
from signer.records import dataclass

POLICY = "2.999.3161"
"""Policy of the timestamps, from the arc for examples (ITU-T X.660), because they are only for tests."""

_BAD_ALGORITHM, _BAD_FORMAT, _NO_SUCH_POLICY, _NO_SUCH_EXTENSION = 0, 5, 15, 16
_DIRECTORY_NAME = 4
_EXTENSIONS = 0xA0


class _Refusal(Exception):
    """Raised for a request that can't be granted. `failure` is the bit of PKIFailureInfo."""

    def __init__(self, failure: int, message: str) -> None:
        super().__init__(message)
        self.failure = failure
        self.message = message


@dataclass(frozen=True, slots=True)
class _Request:
    """A valid TimeStampReq."""

    imprint: bytes
    """The DER of the MessageImprint, which is copied into the token."""
    nonce: bytes
    """The DER of the nonce, or empty."""
    wants_certificates: bool


@dataclass(frozen=True, slots=True)
class TimestampAuthority:
    """Answers timestamp requests with an identity whose certificate is for time stamping."""

    identity: SigningIdentity
    now: Callable[[], datetime]
    serial: Callable[[], int]
    """Returns the serial number of the next token."""
    digest: DigestAlgorithm = DigestAlgorithm.SHA256
    """Digest algorithm of the authority's own signature."""

    def answer(self, request: bytes) -> bytes:
        """Answer the DER of a TimeStampReq with a TimeStampResp: a token, or an error status. Raises IdentityError."""
        try:
            parsed = _parse_request(request)
        except _Refusal as refusal:
            return _rejection(refusal)
        granted = der.sequence(der.integer(0))
        return der.sequence(granted, self._token(parsed))

    def answer_legacy(self, request: bytes) -> bytes:
        """Answer a base64 legacy request with a base64 counter-signature.

        Raises SignatureFormatError for an invalid request, because the protocol has no error answer, and IdentityError.
        """
        signature = _parse_legacy_request(request)
        attributes = [
            attribute(oids.CONTENT_TYPE, (der.oid(oids.DATA),)),
            attribute(oids.SIGNING_TIME, (der.time(self._time()),)),
            attribute(oids.MESSAGE_DIGEST, (der.octets(self.digest.hash(signature)),)),
        ]
        signed = self._signed(1, oids.DATA, signature, attributes, with_certificates=True)
        return base64.encodebytes(signed)

    def _token(self, request: _Request) -> bytes:
        time = der.tlv(der.GENERALIZED_TIME, f"{self._time():%Y%m%d%H%M%SZ}".encode("ascii"))
        accuracy = der.sequence(der.integer(1))
        info = der.sequence(
            der.integer(1), der.oid(POLICY), request.imprint, der.integer(self.serial()), time, accuracy, request.nonce
        )
        attributes = [
            attribute(oids.CONTENT_TYPE, (der.oid(oids.TST_INFO),)),
            attribute(oids.SIGNING_TIME, (der.time(self._time()),)),
            attribute(oids.MESSAGE_DIGEST, (der.octets(self.digest.hash(info)),)),
            attribute(oids.SIGNING_CERTIFICATE_V2, (self._signing_certificate(),)),
        ]
        return self._signed(3, oids.TST_INFO, info, attributes, with_certificates=request.wants_certificates)

    def _signed(
        self, version: int, oid: str, content: bytes, attributes: list[bytes], *, with_certificates: bool
    ) -> bytes:
        """Sign `content`, wrapped in an OCTET STRING, and return the ContentInfo with SignedData."""
        signed_attributes = der.set_of(attributes)
        signature = self.identity.key.sign(self.digest.hash(signed_attributes), self.digest)
        signer = signer_info(self.identity.certificate, self.digest, signed_attributes, signature)
        chain = [self.identity.certificate, *self.identity.chain] if with_certificates else []
        certificates = [certificate.public_bytes(Encoding.DER) for certificate in chain]
        return signed_data(version, self.digest, oid, der.octets(content), certificates, signer)

    def _signing_certificate(self) -> bytes:
        """Encode SigningCertificateV2 with one ESSCertIDv2, whose default digest is SHA-256 (RFC 5035, 3 and 4)."""
        data = self.identity.certificate.public_bytes(Encoding.DER)
        issuer, serial = certificate_names(data)
        names = der.sequence(der.explicit(_DIRECTORY_NAME, issuer))
        named = der.sequence(der.octets(DigestAlgorithm.SHA256.hash(data)), der.sequence(names, der.integer(serial)))
        return der.sequence(der.sequence(named))

    def _time(self) -> datetime:
        return self.now().astimezone(UTC)


def authority(identity: SigningIdentity, now: Callable[[], datetime], serial: Callable[[], int]) -> TimestampAuthority:
    """Create an authority for an identity. Raises IdentityError if its certificate is not for time stamping."""
    usages = extended_key_usages(identity.certificate)
    if usages is None or EKU_TIME_STAMPING not in usages:
        raise IdentityError(
            f"the EKU of the certificate {identity.name!r} does not contain time stamping",
            hint=f"Use a certificate whose only EKU is {EKU_TIME_STAMPING}, marked critical.",
        )
    return TimestampAuthority(identity, now, serial)


def _parse_request(request: bytes) -> _Request:
    """Parse a TimeStampReq. Raises _Refusal.

    TimeStampReq ::= SEQUENCE {
    version INTEGER { v1(1) }, messageImprint MessageImprint, reqPolicy OBJECT IDENTIFIER OPTIONAL,
    nonce INTEGER OPTIONAL, certReq BOOLEAN DEFAULT FALSE, extensions [0] IMPLICIT Extensions OPTIONAL }
    """
    try:
        require_der(request)
        fields = list(der.children(request, der.expect(request, 0, der.SEQUENCE, "TimeStampReq")))
        tags = [field.tag for field in fields]
        optional = [der.OID, der.INTEGER, 0x01, _EXTENSIONS]
        if tags[:2] != [der.INTEGER, der.SEQUENCE] or tags[2:] != [tag for tag in optional if tag in tags[2:]]:
            raise _Refusal(_BAD_FORMAT, "not a TimeStampReq")
        if fields[0].contents(request) != b"\x01":
            raise _Refusal(_BAD_FORMAT, "the version is not 1")
        _require_imprint(request, fields[1])
        rest = {field.tag: field for field in fields[2:]}
        if der.OID in rest and rest[der.OID].whole(request) != der.oid(POLICY):
            raise _Refusal(_NO_SUCH_POLICY, f"only the policy {POLICY} is supported")
        if _EXTENSIONS in rest:
            raise _Refusal(_NO_SUCH_EXTENSION, "extensions are not supported")
    except SignatureFormatError as error:
        raise _Refusal(_BAD_FORMAT, error.message) from error
    nonce = rest[der.INTEGER].whole(request) if der.INTEGER in rest else b""
    return _Request(fields[1].whole(request), nonce, 0x01 in rest and rest[0x01].whole(request) == TRUE)


def _require_imprint(request: bytes, imprint: der.Element) -> None:
    """Raise _Refusal unless the imprint has a supported digest algorithm and the right size."""
    identifier = der.expect(request, imprint.body, der.SEQUENCE, "an algorithm", imprint.end)
    oid = der.expect(request, identifier.body, der.OID, "an OID", identifier.end)
    digest = der.expect(request, identifier.end, der.OCTET_STRING, "a digest", imprint.end)
    algorithm = DigestAlgorithm.by_oid(der.read_oid(oid.contents(request)))
    if algorithm is None or algorithm is DigestAlgorithm.MD5:
        raise _Refusal(_BAD_ALGORITHM, "the digest algorithm is not supported")
    if digest.end - digest.body != algorithm.size:
        raise _Refusal(_BAD_FORMAT, "the digest has the wrong size")


def _rejection(refusal: _Refusal) -> bytes:
    """Encode a TimeStampResp with the status rejection, a text, and one bit of PKIFailureInfo."""
    octets = bytearray(refusal.failure // 8 + 1)
    octets[-1] = 0x80 >> refusal.failure % 8
    unused = 7 - refusal.failure % 8
    text = der.sequence(der.tlv(der.UTF8_STRING, refusal.message.encode("utf-8")))
    return der.sequence(der.sequence(der.integer(2), text, der.tlv(der.BIT_STRING, bytes((unused,)), bytes(octets))))


def _parse_legacy_request(request: bytes) -> bytes:
    """Return the octets of the signature in a legacy request. Raises SignatureFormatError."""
    try:
        data = base64.b64decode(b"".join(request.split()), validate=True)
    except binascii.Error as error:
        raise SignatureFormatError("the request is not base64") from error
    whole = der.expect(data, 0, der.SEQUENCE, "a timestamp request")
    kind = der.expect(data, whole.body, der.OID, "its type", whole.end)
    if kind.whole(data) != der.oid(oids.SPC_TIMESTAMP_REQUEST):
        raise SignatureFormatError("the data is not a timestamp request")
    content = list(der.children(data, whole))[-1]
    oid = der.expect(data, content.body, der.OID, "the content's type", content.end)
    if oid.whole(data) != der.oid(oids.DATA):
        raise SignatureFormatError("the content type of the timestamp request is not data")
    wrapped = der.expect(data, oid.end, 0xA0, "the content", content.end)
    return der.expect(data, wrapped.body, der.OCTET_STRING, "the signature", wrapped.end).contents(data)

"""Parse RFC 3161 timestamp tokens, and check that they cover a signature.

Source: RFC 3161, 2.3 and 2.4.2; RFC 5816 (ESSCertIDv2); RFC 2634, 5.4 and RFC 5035, 3 (signing-certificate attributes).
The token is a value of the unsigned attribute 1.3.6.1.4.1.311.3.3.1; its imprint is the digest of the signature's
octets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import repeat

from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.certificate import certificate_names
from signer.asn1.oids import EKU_TIME_STAMPING
from signer.certificates import common_name, encoded, extensions, issuer_common_name, issuer_name, valid_at
from signer.errors import CertificateError, SignatureFormatError, SignerError
from signer.pkcs7.fields import digest_algorithm, fields, number, require, shortest_identifier, two_fields
from signer.pkcs7.parse import ParsedSignedData, ParsedSignerInfo, parse
from signer.pkcs7.problem import SignatureProblem
from signer.pkcs7.signer_checks import check_signed_data, find_certificate
from signer.records import dataclass

_BOOLEAN = 0x01
_TST_INFO = (der.INTEGER, der.OID, der.SEQUENCE, der.INTEGER, der.GENERALIZED_TIME)
"""The tags of the required fields of a TSTInfo."""
_TST_INFO_OPTIONAL = (der.SEQUENCE, _BOOLEAN, der.INTEGER, 0xA0, 0xA1)


@dataclass(frozen=True)
class TimestampToken:
    """A parsed timestamp token: the fields of TSTInfo, and the SignedData that contains it."""

    signed_data: ParsedSignedData
    policy: str
    imprint_oid: str
    imprint: bytes
    serial: int
    time: datetime
    """genTime, aware, in UTC."""
    nonce: int | None

    @property
    def imprint_algorithm(self) -> DigestAlgorithm | None:
        """The digest algorithm of the imprint, or None if code signing doesn't use it."""
        return DigestAlgorithm.by_oid(self.imprint_oid)

    def signer(self, others: Iterable[x509.Certificate] = ()) -> x509.Certificate | None:
        """Return the certificate of the authority from the token or `others`; None if it is missing or malformed."""
        if len(self.signed_data.signers) != 1:
            return None
        try:
            return find_certificate(self.signed_data, self.signed_data.signers[0], others)
        except SignerError:
            return None


def parse_token(data: bytes) -> TimestampToken:
    """Parse a timestamp token from the DER of a ContentInfo. Raises SignatureFormatError."""
    signed = parse(data)
    if signed.content_type != oids.TST_INFO:
        raise SignatureFormatError(f"the content type is {oids.name_of(signed.content_type)}, not timestamp")
    if not signed.content or signed.content[0] != der.OCTET_STRING:
        raise SignatureFormatError("the timestamp token has no TSTInfo")
    try:
        return _token(signed, signed.content_octets)
    except SignatureFormatError as error:
        raise SignatureFormatError("the TSTInfo of the timestamp token is malformed") from error


def check_token(
    token: TimestampToken, signature: bytes, others: Iterable[x509.Certificate] = ()
) -> tuple[list[SignatureProblem], list[SignatureProblem]]:
    """Check a token as the timestamp of `signature` (its octets). Return the problems and the notes.

    The certificate of the authority is in the token or one of `others`. Does not check its chain.
    """
    others = tuple(others)
    problems = [*_imprint(token, signature), *check_signed_data(token.signed_data, others)]
    authority = token.signer(others)
    if authority is None:
        return problems, [*token.signed_data.structure.notes]
    problems += _signing_certificate(token.signed_data.signers[0], authority)
    usage_problems, notes = check_usage(authority)
    problems += [*usage_problems, *check_lifetime(authority, token.time)]
    notes = [*token.signed_data.structure.notes, *notes]
    return problems, [*notes, *check_chain(authority, (*token.signed_data.certificates, *others))]


def check_usage(authority: x509.Certificate) -> tuple[list[SignatureProblem], list[SignatureProblem]]:
    """Check that an authority's certificate is for time stamping. Return the problems and the notes.

    The only extended usage must be time stamping (RFC 3161, 2.3), and the key must be for signatures (RFC 5280,
    4.2.1.12). The EKU should be critical, but is not in Microsoft's own authorities. Windows requires the EKU in legacy
    timestamps, too (Microsoft Security Advisory 2749655).
    """
    try:
        found = extensions(authority)
    except CertificateError as error:
        return [SignatureProblem("timestamp-usage", error.message)], []
    problem = _extended_usage_problem(found) or _key_usage_problem(found)
    name = repr(common_name(authority))
    if problem is not None:
        return [SignatureProblem("timestamp-usage", f"the certificate of {name} {problem}")], []
    if not found.get_extension_for_class(x509.ExtendedKeyUsage).critical:
        return [], [
            SignatureProblem("timestamp-usage-not-critical", f"the EKU in the certificate of {name} is not critical")
        ]
    return [], []


def _extended_usage_problem(found: x509.Extensions) -> str | None:
    """Return why the EKU is not that of an authority, as a predicate of the certificate; None if it is."""
    try:
        usages = {usage.dotted_string for usage in found.get_extension_for_class(x509.ExtendedKeyUsage).value}
    except x509.ExtensionNotFound:
        return "has no EKU for time stamping"
    if EKU_TIME_STAMPING not in usages:
        return "has an EKU that does not contain time stamping"
    return "has an EKU that is not restricted to time stamping" if len(usages) > 1 else None


def _key_usage_problem(found: x509.Extensions) -> str | None:
    try:
        usage = found.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None
    if usage.digital_signature or usage.content_commitment:
        return None
    return "has a key usage that permits no signatures"


def check_lifetime(authority: x509.Certificate, time: datetime) -> Iterator[SignatureProblem]:
    """Check that the time of a timestamp is within the validity period of the authority's certificate."""
    if not valid_at(authority, time):
        name = repr(common_name(authority))
        message = f"the time {time:%Y-%m-%d} is outside of the validity period of the certificate of {name}"
        yield SignatureProblem("timestamp-lifetime", message)


def check_chain(authority: x509.Certificate, certificates: Iterable[x509.Certificate]) -> Iterator[SignatureProblem]:
    """Check that the issuer of the authority's certificate is among `certificates`.

    A missing issuer does no harm if it is a root. Otherwise verifiers have to find it elsewhere.
    """
    if not any(certificate.subject == authority.issuer for certificate in certificates):
        name, issuer = repr(common_name(authority)), issuer_common_name(authority) or issuer_name(authority)
        message = f"the timestamp does not contain the certificate of {issuer!r}, the issuer of {name}"
        yield SignatureProblem("timestamp-issuer-missing", message)


def _token(signed: ParsedSignedData, data: bytes) -> TimestampToken:
    """Parse the DER of TSTInfo (RFC 3161, 2.4.2). Raises SignatureFormatError.

    TSTInfo ::= SEQUENCE { version INTEGER, policy OID, messageImprint, serialNumber INTEGER, genTime GeneralizedTime,
        accuracy SEQUENCE OPTIONAL, ordering BOOLEAN DEFAULT FALSE, nonce INTEGER OPTIONAL, tsa [0] OPTIONAL,
        extensions [1] OPTIONAL }
    MessageImprint ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, hashedMessage OCTET STRING }
    """
    info = der.expect(data, 0, der.SEQUENCE, "a TSTInfo")
    found = fields(data, info, len(_TST_INFO))
    optional = [field.tag for field in found[len(_TST_INFO) :]]
    if info.end != len(data) or optional != [tag for tag in _TST_INFO_OPTIONAL if tag in optional]:
        raise SignatureFormatError("a TSTInfo has undefined fields", offset=info.start)
    _, policy, imprint, serial, time = map(require, _TST_INFO, found, repeat("a field of a TSTInfo"))
    hash_algorithm, hashed = two_fields(data, imprint)
    return TimestampToken(
        signed_data=signed,
        policy=shortest_identifier(data, policy),
        imprint_oid=digest_algorithm(data, hash_algorithm),
        imprint=require(der.OCTET_STRING, hashed, "an imprint").contents(data),
        serial=number(data, serial),
        time=der.read_time(data, time),
        nonce=next((number(data, field) for field in found[len(_TST_INFO) :] if field.tag == der.INTEGER), None),
    )


def _imprint(token: TimestampToken, signature: bytes) -> Iterator[SignatureProblem]:
    algorithm = token.imprint_algorithm
    if algorithm is None:
        message = f"the digest algorithm of the imprint, {token.imprint_oid}, is not supported"
        yield SignatureProblem("digest-algorithm-unknown", message)
    elif algorithm.hash(signature) != token.imprint:
        yield SignatureProblem("timestamp-imprint", "the timestamp is for a different signature")


def _signing_certificate(signer: ParsedSignerInfo, authority: x509.Certificate) -> Iterator[SignatureProblem]:
    """Check that a signed attribute contains the digest of the authority's certificate, which prevents replacement."""
    try:
        named = [
            named
            for oid, read in ((oids.SIGNING_CERTIFICATE, _ess_v1), (oids.SIGNING_CERTIFICATE_V2, _ess_v2))
            for value in signer.signed_attributes.get(oid, ())
            for named in read(value)
        ]
    except SignatureFormatError as error:
        yield SignatureProblem(
            "signing-certificate", f"the signing-certificate attribute is malformed: {error.message}"
        )
        return
    if not named:
        yield SignatureProblem("signing-certificate", "no signed attribute identifies the certificate of the authority")
    elif not all(name.matches(authority) for name in named):
        yield SignatureProblem(
            "signing-certificate", "the signing-certificate attribute identifies a different certificate"
        )


@dataclass(frozen=True, slots=True)
class _CertificateName:
    """The first ESSCertID of a signing-certificate attribute, which identifies the signer's certificate."""

    algorithm: str
    """Name of the digest algorithm for hashlib; empty if it is not supported."""
    digest: bytes
    serial: int | None

    def matches(self, certificate: x509.Certificate) -> bool:
        data = encoded(certificate)
        if self.serial is not None and certificate_names(data)[1] != self.serial:
            return False
        return bool(self.algorithm) and hashlib.new(self.algorithm, data, usedforsecurity=False).digest() == self.digest


def _ess_v1(value: bytes) -> Iterator[_CertificateName]:
    """Parse SigningCertificate ::= SEQUENCE { certs SEQUENCE OF ESSCertID, … }, with SHA-1 (RFC 2634, 5.4.1)."""
    yield from _first(value, default="sha1")


def _ess_v2(value: bytes) -> Iterator[_CertificateName]:
    """Parse ESSCertIDv2 (RFC 5035, 4).

    ESSCertIDv2 ::= SEQUENCE { hashAlgorithm DEFAULT sha256, certHash, issuerSerial OPTIONAL }
    """
    yield from _first(value, default="sha256")


def _first(value: bytes, default: str) -> Iterator[_CertificateName]:
    certs = der.expect(value, der.expect(value, 0, der.SEQUENCE, "an attribute").body, der.SEQUENCE, "ESSCertIDs")
    for identifier in list(der.children(value, certs))[:1]:
        algorithm, digest, serial = default, b"", None
        for field in der.children(value, identifier):
            if field.tag == der.OCTET_STRING:
                digest = field.contents(value)
            elif not digest:
                oid = der.expect(value, field.body, der.OID, "a digest algorithm", field.end)
                found = DigestAlgorithm.by_oid(der.read_oid(oid.contents(value)))
                algorithm = found.label if found else ""
            else:
                issuer = der.read(value, field.body, field.end)
                number = der.expect(value, issuer.end, der.INTEGER, "a serial number", field.end)
                serial = int.from_bytes(number.contents(value), "big", signed=True)
        yield _CertificateName(algorithm, digest, serial)

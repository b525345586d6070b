"""RFC 3161 timestamp tokens: read one, and check that it covers a signature.

Source: RFC 3161, 2.3 and 2.4.2; RFC 5816 (ESSCertIDv2); RFC 2634, 5.4 and RFC 5035, 3 (signing-certificate attributes).
The token stands in the unsigned attribute 1.3.6.1.4.1.311.3.3.1, and its imprint is of the signature's octets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.asn1.certificate import certificate_names
from signer.asn1.oids import EKU_TIME_STAMPING
from signer.certificates import common_name, extensions, issuer_common_name, issuer_name, valid_at
from signer.errors import CertificateError, SignatureFormatError, SignerError
from signer.pkcs7.parse import ParsedSignedData, ParsedSignerInfo, parse
from signer.pkcs7.problem import Problem
from signer.pkcs7.signer_checks import check_signed_data, find_certificate


@dataclass(frozen=True)
class TimestampToken:
    """A timestamp token: TSTInfo, and the SignedData around it."""

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
        """What the signature was hashed with; None if it is not one of code signing."""
        return DigestAlgorithm.by_oid(self.imprint_oid)

    def signer(self, others: Iterable[x509.Certificate] = ()) -> x509.Certificate | None:
        """The authority's certificate, in the token or among `others`; None where it is not there or unreadable."""
        if len(self.signed_data.signers) != 1:
            return None
        try:
            return find_certificate(self.signed_data, self.signed_data.signers[0], others)
        except SignerError:
            return None


def parse_token(data: bytes) -> TimestampToken:
    """The token in the DER of a ContentInfo. Raises SignatureFormatError."""
    signed = parse(data)
    if signed.content_type != oids.TST_INFO:
        raise SignatureFormatError(f"not a timestamp token but {oids.name_of(signed.content_type)}")
    if not signed.content or signed.content[0] != der.OCTET_STRING:
        raise SignatureFormatError("a timestamp token without its TSTInfo")
    from asn1crypto.tsp import TSTInfo

    try:
        return _token(signed, TSTInfo.load(signed.content_octets, strict=True))
    except (ValueError, TypeError, KeyError) as error:
        raise SignatureFormatError("the TSTInfo of the timestamp token can't be read") from error


def check_token(
    token: TimestampToken, stamped: bytes, others: Iterable[x509.Certificate] = ()
) -> tuple[list[Problem], list[Problem]]:
    """What is wrong with a token as a timestamp of `stamped`, and what is only unusual.

    The authority's certificate may be one of `others`. Its chain is not looked at.
    """
    others = tuple(others)
    problems = [*_imprint(token, stamped), *check_signed_data(token.signed_data, others)]
    authority = token.signer(others)
    if authority is None:
        return problems, []
    problems += _signing_certificate(token.signed_data.signers[0], authority)
    about_usage, notes = check_usage(authority, strictly=True)
    problems += [*about_usage, *check_lifetime(authority, token.time)]
    return problems, [*notes, *check_chain(authority, (*token.signed_data.certificates, *others))]


def check_usage(authority: x509.Certificate, *, strictly: bool) -> tuple[list[Problem], list[Problem]]:
    """What is wrong and what is unusual about the usages of an authority's certificate (RFC 3161, 2.3).

    They must be time stamping alone. It should be critical; Microsoft's own authorities are not. With `strictly` a
    certificate without usages is refused too, which authorities before RFC 3161 could have.
    """
    who = repr(common_name(authority))
    try:
        extension = extensions(authority).get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        found = Problem("timestamp-usage", f"the certificate of {who} does not say that it is for timestamps")
        return ([found], []) if strictly else ([], [found])
    except CertificateError as error:
        return [Problem("timestamp-usage", error.message)], []
    usages = [usage.dotted_string for usage in extension.value]
    if EKU_TIME_STAMPING not in usages:
        return [Problem("timestamp-usage", f"the certificate of {who} is not for timestamps")], []
    if len(usages) > 1:
        found = Problem("timestamp-usage", f"the certificate of {who} is not for timestamps alone")
        return ([found], []) if strictly else ([], [found])
    if not extension.critical:
        return [], [Problem("timestamp-usage-not-critical", f"the usage in the certificate of {who} is not critical")]
    return [], []


def check_lifetime(authority: x509.Certificate, time: datetime) -> Iterator[Problem]:
    """An authority can't have said anything outside the lifetime of its certificate."""
    if not valid_at(authority, time):
        who = repr(common_name(authority))
        yield Problem("timestamp-lifetime", f"its time, {time:%Y-%m-%d}, is not in the lifetime of {who}'s certificate")


def check_chain(authority: x509.Certificate, carried: Iterable[x509.Certificate]) -> Iterator[Problem]:
    """An authority right below a root need not send more than itself; any other leaves its issuer to be found."""
    if not any(certificate.subject == authority.issuer for certificate in carried):
        who, issuer = repr(common_name(authority)), issuer_common_name(authority) or issuer_name(authority)
        yield Problem("timestamp-issuer-missing", f"the issuer of {who}, {issuer!r}, did not come along")


def _token(signed: ParsedSignedData, info: Any) -> TimestampToken:
    imprint, time = info["message_imprint"], info["gen_time"].dump()
    return TimestampToken(
        signed_data=signed,
        policy=info["policy"].dotted,
        imprint_oid=imprint["hash_algorithm"]["algorithm"].dotted,
        imprint=imprint["hashed_message"].native,
        serial=int(info["serial_number"].native),
        time=der.read_time(time, der.read(time)),
        nonce=info["nonce"].native,
    )


def _imprint(token: TimestampToken, stamped: bytes) -> Iterator[Problem]:
    algorithm = token.imprint_algorithm
    if algorithm is None:
        message = f"the signature was hashed with a digest that is not known ({token.imprint_oid})"
        yield Problem("digest-algorithm-unknown", message)
    elif algorithm.hash(stamped) != token.imprint:
        yield Problem("timestamp-imprint", "it is a timestamp of another signature")


def _signing_certificate(signer: ParsedSignerInfo, authority: x509.Certificate) -> Iterator[Problem]:
    """The attribute must name the authority's certificate by its digest, or it could be swapped for another."""
    try:
        named = [
            named
            for oid, read in ((oids.SIGNING_CERTIFICATE, _ess_v1), (oids.SIGNING_CERTIFICATE_V2, _ess_v2))
            for value in signer.signed_attributes.get(oid, ())
            for named in read(value)
        ]
    except SignatureFormatError as error:
        yield Problem("signing-certificate", f"the signing-certificate attribute can't be read: {error.message}")
        return
    if not named:
        yield Problem("signing-certificate", "no signed attribute names the authority's certificate")
    elif not all(name.matches(authority) for name in named):
        yield Problem("signing-certificate", "the signed attributes name another certificate than the authority's")


@dataclass(frozen=True, slots=True)
class _CertificateName:
    """The first ESSCertID of a signing-certificate attribute: what the signer's certificate is."""

    algorithm: str
    """The name of the digest, as hashlib has it; empty when it is not known."""
    digest: bytes
    serial: int | None

    def matches(self, certificate: x509.Certificate) -> bool:
        data = certificate.public_bytes(Encoding.DER)
        if self.serial is not None and certificate_names(data)[1] != self.serial:
            return False
        return bool(self.algorithm) and hashlib.new(self.algorithm, data, usedforsecurity=False).digest() == self.digest


def _ess_v1(value: bytes) -> Iterator[_CertificateName]:
    """SigningCertificate ::= SEQUENCE { certs SEQUENCE OF ESSCertID, … }; the hash is SHA-1 (RFC 2634, 5.4.1)."""
    yield from _first(value, default="sha1")


def _ess_v2(value: bytes) -> Iterator[_CertificateName]:
    """ESSCertIDv2 ::= SEQUENCE { hashAlgorithm DEFAULT sha256, certHash, issuerSerial OPTIONAL } (RFC 5035, 4)."""
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

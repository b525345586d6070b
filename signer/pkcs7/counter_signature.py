"""Legacy Authenticode timestamps: a PKCS #9 counter-signature over the signature's octets.

Source: RFC 2985, 5.3.6; "Windows Authenticode Portable Executable Signature Format", section "Authenticode Timestamp".
It is a SignerInfo in the unsigned attribute 1.2.840.113549.1.9.6; its certificates stand with the signature's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pkcs7.parse import ParsedSignerInfo, parse_signer
from signer.pkcs7.problem import Problem
from signer.pkcs7.signer_checks import check_signer, check_value
from signer.pkcs7.timestamp_token import check_chain, check_lifetime, check_usage


@dataclass(frozen=True)
class CounterSignature:
    """A counter-signature: who made it, and when it says it did."""

    signer: ParsedSignerInfo
    time: datetime
    """signingTime, aware, in UTC."""

    def authority(self, certificates: Iterable[x509.Certificate]) -> x509.Certificate | None:
        """The authority's certificate among `certificates`, or None."""
        return next((found for found in certificates if self.signer.signed_by(found)), None)


def parse_counter_signature(data: bytes) -> CounterSignature:
    """The counter-signature in the DER of a SignerInfo. Raises SignatureFormatError, also when it tells no time."""
    signer = parse_signer(data)
    values = signer.signed_attributes.get(oids.SIGNING_TIME, ())
    value = values[0] if len(values) == 1 else b""
    return CounterSignature(signer, der.read_time(value, der.read(value)))


def check_counter_signature(
    counter: CounterSignature, stamped: bytes, certificates: Iterable[x509.Certificate]
) -> tuple[list[Problem], list[Problem]]:
    """What is wrong with a counter-signature of the signature `stamped`, and what is only unusual.

    The authority's certificate must be one of `certificates`. Its chain is not looked at.
    """
    carried = tuple(certificates)
    problems = [*_named_as_timestamps_are(check_signer(counter.signer, oids.DATA, stamped))]
    unusual = [*_content_type(counter.signer)]
    authority = counter.authority(carried)
    about_value = list(check_value(counter.signer, authority))
    if authority is None:
        return problems + about_value, unusual
    about_usage, notes = check_usage(authority, strictly=False)
    if about_value and not list(check_value(counter.signer, authority, bare=True)):
        notes.append(Problem("bare-digest", "its RSA signature holds the digest without saying which kind it is"))
        about_value = []
    problems += [*about_value, *about_usage, *check_lifetime(authority, counter.time)]
    return problems, [*unusual, *notes, *check_chain(authority, carried)]


def _named_as_timestamps_are(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The message digest of a counter-signature is what the imprint of a token is; its content has no type."""
    for problem in problems:
        if problem.code == "message-digest-mismatch":
            yield Problem("timestamp-imprint", "it is a timestamp of another signature")
        elif problem.code != "content-type-attribute":
            yield problem


def _content_type(signer: ParsedSignerInfo) -> Iterator[Problem]:
    """RFC 5652, 11.4 wants no content type, RFC 2985 wants data, Certum writes TSTInfo, and Windows does not look."""
    values = signer.signed_attributes.get(oids.CONTENT_TYPE, ())
    if values not in ((), (der.oid(oids.DATA),)):
        yield Problem(
            "timestamp-content-type", "its signed content type is not data, which counter-signatures are over"
        )


def signer_info_of(signed_data: bytes) -> bytes:
    """The DER of the only SignerInfo in a SignedData, as an authority answers with. Raises SignatureFormatError.

    The structure is ContentInfo { oid, [0] { SignedData { …, SET { SignerInfo } } } }.
    """
    oid = der.read(signed_data, der.expect(signed_data, 0, der.SEQUENCE, "ContentInfo").body)
    wrapped = der.expect(signed_data, oid.end, 0xA0, "the content")
    fields = list(der.children(signed_data, der.read(signed_data, wrapped.body, wrapped.end)))
    found = list(der.children(signed_data, fields[-1])) if fields and fields[-1].tag == der.SET else []
    if len(found) != 1:
        raise SignatureFormatError(f"a timestamp of {len(found)} signers, where one is allowed")
    return found[0].whole(signed_data)

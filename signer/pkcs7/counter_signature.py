"""Parse and check legacy Authenticode timestamps: PKCS #9 counter-signatures over the octets of a signature.

Source: RFC 2985, 5.3.6; "Windows Authenticode Portable Executable Signature Format", section "Authenticode Timestamp".
A counter-signature is a SignerInfo in the unsigned attribute 1.2.840.113549.1.9.6. Its certificates are among those of
the signature.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from cryptography import x509

from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pkcs7.parse import ParsedSignerInfo, parse_signer
from signer.pkcs7.problem import SignatureProblem
from signer.pkcs7.signer_checks import check_signer, check_value
from signer.pkcs7.structure import Structure, check_signer_structure
from signer.pkcs7.timestamp_token import check_chain, check_lifetime, check_usage
from signer.records import dataclass


@dataclass(frozen=True)
class CounterSignature:
    """A counter-signature and its time."""

    signer: ParsedSignerInfo
    time: datetime
    """signingTime, aware, in UTC."""
    structure: Structure
    """Deviations from the definition of SignerInfo."""

    def authority(self, certificates: Iterable[x509.Certificate]) -> x509.Certificate | None:
        """Return the certificate of the timestamp authority among `certificates`, or None."""
        return next((found for found in certificates if self.signer.signed_by(found)), None)


def parse_counter_signature(data: bytes) -> CounterSignature:
    """Parse the DER of a SignerInfo as a counter-signature. Raises SignatureFormatError, also without a signingTime."""
    signer = parse_signer(data)
    values = signer.signed_attributes.get(oids.SIGNING_TIME, ())
    value = values[0] if len(values) == 1 else b""
    return CounterSignature(signer, der.read_time(value, der.read(value)), check_signer_structure(data))


def check_counter_signature(
    counter: CounterSignature, signature: bytes, certificates: Iterable[x509.Certificate]
) -> tuple[list[SignatureProblem], list[SignatureProblem]]:
    """Check a counter-signature of `signature` (its octets). Return the problems and the notes.

    The certificate of the authority must be one of `certificates`. Does not check its chain.
    """
    certificates = tuple(certificates)
    problems = [
        *counter.structure.problems,
        *_as_timestamp_problems(check_signer(counter.signer, oids.DATA, signature)),
    ]
    content_notes = [*counter.structure.notes, *_content_type(counter.signer)]
    authority = counter.authority(certificates)
    value_problems = list(check_value(counter.signer, authority))
    if authority is None:
        return problems + value_problems, content_notes
    usage_problems, notes = check_usage(authority)
    if value_problems and not list(check_value(counter.signer, authority, bare=True)):
        notes.append(SignatureProblem("bare-digest", "the RSA signature contains the bare digest without a DigestInfo"))
        value_problems = []
    problems += [*value_problems, *usage_problems, *check_lifetime(authority, counter.time)]
    return problems, [*content_notes, *notes, *check_chain(authority, certificates)]


def _as_timestamp_problems(problems: Iterable[SignatureProblem]) -> Iterator[SignatureProblem]:
    """Translate problems: the message digest corresponds to the imprint of a token; `_content_type` checks the type."""
    for problem in problems:
        if problem.code == "message-digest-mismatch":
            yield SignatureProblem("timestamp-imprint", "the timestamp is for a different signature")
        elif problem.code != "content-type-attribute":
            yield problem


def _content_type(signer: ParsedSignerInfo) -> Iterator[SignatureProblem]:
    """Check the content type: RFC 5652, 11.4 forbids it, RFC 2985 requires data, Certum writes TSTInfo.

    Windows ignores it, so a wrong type is only a note.
    """
    values = signer.signed_attributes.get(oids.CONTENT_TYPE, ())
    if values not in ((), (der.oid(oids.DATA),)):
        yield SignatureProblem("timestamp-content-type", "the signed content type of the counter-signature is not data")


def signer_info_of(signed_data: bytes) -> bytes:
    """Return the DER of the only SignerInfo in a SignedData, the answer of an authority. Raises SignatureFormatError.

    The structure is ContentInfo { oid, [0] { SignedData { …, SET { SignerInfo } } } }.
    """
    oid = der.read(signed_data, der.expect(signed_data, 0, der.SEQUENCE, "ContentInfo").body)
    wrapped = der.expect(signed_data, oid.end, 0xA0, "the content")
    fields = list(der.children(signed_data, der.read(signed_data, wrapped.body, wrapped.end)))
    found = list(der.children(signed_data, fields[-1])) if fields and fields[-1].tag == der.SET else []
    if len(found) != 1:
        raise SignatureFormatError(f"the timestamp has {len(found)} signers, but only one is allowed")
    return found[0].whole(signed_data)

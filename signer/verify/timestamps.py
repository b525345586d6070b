"""Read and check the timestamps in a signature's unsigned attributes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from signer.asn1 import oids
from signer.certificates import distinct
from signer.errors import SignatureFormatError
from signer.pkcs7.counter_signature import check_counter_signature, parse_counter_signature
from signer.pkcs7.parse import ParsedSignedData, ParsedSignerInfo
from signer.pkcs7.timestamp_token import check_token, parse_token
from signer.verify.evidence import SignatureProblem, Timestamp
from signer.verify.hidden_data import unreadable_certificate_notes

_NO_TIME = datetime(1601, 1, 1, tzinfo=UTC)
"""The time of an unreadable timestamp: the FILETIME epoch."""
MAX_TIMESTAMPS = 8
"""Maximum number of timestamps of each kind that are read; real signatures have one."""


def read_timestamps(parsed: ParsedSignedData, signer: ParsedSignerInfo) -> list[Timestamp]:
    """Read a signature's timestamps: intact ones first, and among equals RFC 3161 before legacy ones."""
    found = [*_tokens(parsed, signer), *_counter_signatures(parsed, signer)]
    return sorted(found, key=lambda timestamp: not timestamp.intact)


def _tokens(parsed: ParsedSignedData, signer: ParsedSignerInfo) -> Iterator[Timestamp]:
    for value in signer.unsigned_attributes.get(oids.RFC3161_TIMESTAMP, ())[:MAX_TIMESTAMPS]:
        try:
            token = parse_token(value)
        except SignatureFormatError as error:
            yield Timestamp("rfc3161", _NO_TIME, None, None, (), (_unreadable(error),))
            continue
        problems, notes = check_token(token, signer.signature, parsed.certificates)
        yield Timestamp(
            "rfc3161",
            token.time,
            token.imprint_algorithm,
            token.signer(parsed.certificates),
            distinct((*token.signed_data.certificates, *parsed.certificates)),
            tuple(problems),
            (*notes, *unreadable_certificate_notes(token.signed_data)),
        )


def _counter_signatures(parsed: ParsedSignedData, signer: ParsedSignerInfo) -> Iterator[Timestamp]:
    for value in signer.unsigned_attributes.get(oids.COUNTER_SIGNATURE, ())[:MAX_TIMESTAMPS]:
        try:
            counter = parse_counter_signature(value)
        except SignatureFormatError as error:
            yield Timestamp("authenticode", _NO_TIME, None, None, (), (_unreadable(error),))
            continue
        problems, notes = check_counter_signature(counter, signer.signature, parsed.certificates)
        yield Timestamp(
            "authenticode",
            counter.time,
            counter.signer.digest_algorithm,
            counter.authority(parsed.certificates),
            parsed.certificates,
            tuple(problems),
            tuple(notes),
        )


def _unreadable(error: SignatureFormatError) -> SignatureProblem:
    return SignatureProblem("timestamp-format", f"the timestamp can't be read: {error.message}")

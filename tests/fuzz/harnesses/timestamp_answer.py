"""Answers of timestamp authorities, by RFC 3161 and by the legacy protocol, with their signatures."""

from __future__ import annotations

import base64
import binascii
import random
from collections.abc import Iterator

from signer.asn1 import der
from signer.errors import TimestampError
from signer.pkcs7 import counter_signature, timestamp_request, timestamp_token
from signer.pkcs7.timestamp_request import legacy_request, rfc3161_answer, rfc3161_request
from signer.pkcs7.timestamp_token import parse_token
from tests.fuzz.der_mutation import mutated_der
from tests.fuzz.harness import Harness
from tests.fuzz.identities import authority
from tests.fuzz.mutation import mutated_bytes
from tests.fuzz.resigning import resigned, resigned_answer
from tests.fuzz.signatures import NONCE, SHA256

INSTRUMENTED = ("signer.pkcs7",)
SIGNATURE = b"the octets of a signature"
RESIGNED = 0.8
"""Share of the mutants that are signed again."""


def seeds() -> Iterator[bytes]:
    answer = authority().answer(rfc3161_request(SIGNATURE, SHA256, NONCE))
    yield answer
    refusal = authority().answer(b"")
    yield refusal
    yield der.sequence(der.sequence(der.integer(3), der.tlv(der.BIT_STRING, b"\0", b"\0\2\0\x40")))
    yield authority().answer_legacy(legacy_request(SIGNATURE))


def run(data: bytes) -> bool:
    try:
        if data[:1] != b"\x30":
            timestamp = timestamp_request.legacy_answer(data, SIGNATURE)
            assert timestamp.certificates
            return True
        timestamp = rfc3161_answer(data, SIGNATURE, SHA256, NONCE)
    except TimestampError as error:
        assert error.message
        return False
    token = parse_token(timestamp.attribute[1][0])
    assert (token.nonce, token.imprint) == (NONCE, SHA256.hash(SIGNATURE))
    assert token.time.tzinfo is not None
    return True


def mutate(data: bytes, chooser: random.Random) -> bytes:
    again = chooser.random() < RESIGNED
    if data[:1] == b"\x30":
        mutant = mutated_der(data, chooser)
        return resigned_answer(mutant) if again else mutant
    try:
        inner = mutated_der(base64.b64decode(data), chooser)
    except binascii.Error:
        return mutated_bytes(data, chooser)
    return base64.encodebytes(resigned(inner) if again else inner)


HARNESS = Harness(
    "timestamp_answer",
    run,
    seeds,
    (
        *(timestamp_request._require_granted, timestamp_request._bits, timestamp_token.check_token),
        *(timestamp_token._signing_certificate, timestamp_token.check_usage, timestamp_token.check_chain),
        *(counter_signature.check_counter_signature, timestamp_request.legacy_answer),
    ),
    mutate=mutate,
    max_size=3072,
    fresh=0.7,
)

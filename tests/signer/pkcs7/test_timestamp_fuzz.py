"""Arbitrary requests and answers are either accepted or refused with the expected error."""

from __future__ import annotations

import base64

from hypothesis import given, settings
from hypothesis import strategies as st

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der
from signer.asn1.der_check import require_der
from signer.errors import SignatureFormatError, TimestampError
from signer.pkcs7.timestamp_request import legacy_answer, legacy_request, rfc3161_answer, rfc3161_request
from signer.pkcs7.timestamp_token import parse_token
from tests.support.timestamping import NOON, tsa

SIGNATURE, SHA256 = b"the octets of a signature", DigestAlgorithm.SHA256
REQUEST = rfc3161_request(SIGNATURE, SHA256, 7)
ANSWER = tsa().answer(REQUEST)
LEGACY_REQUEST = base64.b64decode(legacy_request(SIGNATURE))
LEGACY_ANSWER = base64.b64decode(tsa().answer_legacy(legacy_request(SIGNATURE)))


@st.composite
def mangled(draw: st.DrawFn, original: bytes) -> bytes:
    """Overwrite, delete or insert some bytes."""
    data = bytearray(original)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 8))
        data[start : start + length] = draw(st.binary(max_size=8))
    return bytes(data)


@settings(max_examples=300, deadline=None)
@given(st.one_of(mangled(ANSWER), st.binary(max_size=200)))
def test_an_answer_is_accepted_or_refused(response: bytes) -> None:
    try:
        timestamp = rfc3161_answer(response, SIGNATURE, SHA256, 7)
    except TimestampError as error:
        assert error.message
        return
    token = parse_token(timestamp.attribute[1][0])
    assert (token.time, token.nonce, token.imprint) == (NOON, 7, SHA256.hash(SIGNATURE))


@settings(max_examples=300, deadline=None)
@given(st.one_of(mangled(LEGACY_ANSWER).map(base64.b64encode), mangled(base64.encodebytes(LEGACY_ANSWER)), st.binary()))
def test_a_legacy_answer_is_accepted_or_refused(response: bytes) -> None:
    try:
        timestamp = legacy_answer(response, SIGNATURE)
    except TimestampError as error:
        assert error.message
        return
    assert timestamp.attribute[1][0].count(b"250601120000Z") == 1


@settings(max_examples=300, deadline=None)
@given(st.one_of(mangled(REQUEST), st.binary(max_size=100)))
def test_every_request_gets_an_answer_in_der(request: bytes) -> None:
    answer = tsa().answer(request)
    require_der(answer)
    status, *token = der.children(answer, der.read(answer))
    assert bool(token) is (status.contents(answer) == der.integer(0))


@settings(max_examples=300, deadline=None)
@given(st.one_of(mangled(LEGACY_REQUEST).map(base64.b64encode), st.binary(max_size=100)))
def test_a_legacy_request_is_answered_or_refused(request: bytes) -> None:
    try:
        answer = tsa().answer_legacy(request)
    except SignatureFormatError as error:
        assert error.message
        return
    require_der(base64.b64decode(answer))

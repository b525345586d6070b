"""The status of an authority's answer: what is granted, what a refusal says, and when a retry can succeed."""

from __future__ import annotations

import pytest

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der
from signer.errors import TimestampError
from signer.pkcs7.timestamp_request import (
    Refused,
    legacy_answer,
    legacy_request,
    rfc3161_answer,
    rfc3161_request,
)
from tests.support.timestamping import tsa

SIGNATURE, SHA256 = b"the octets of a signature", DigestAlgorithm.SHA256


def refusal(answer: bytes) -> Refused:
    """Return the error of an answer without a timestamp."""
    with pytest.raises(Refused) as caught:
        rfc3161_answer(answer, SIGNATURE, SHA256, 7)
    return caught.value


def status(*parts: bytes) -> bytes:
    return der.sequence(der.sequence(*parts))


def failing(bit: int) -> bytes:
    """Return a PKIFailureInfo with one bit."""
    octets = bytearray(bit // 8 + 1)
    octets[-1] = 0x80 >> bit % 8
    return der.tlv(der.BIT_STRING, bytes((7 - bit % 8,)), bytes(octets))


def texts(*values: str) -> bytes:
    return der.sequence(*(der.tlv(der.UTF8_STRING, value.encode()) for value in values))


@pytest.mark.parametrize("number", [0, 1], ids=["granted", "granted with changes"])
def test_a_granted_timestamp_is_accepted(number: int) -> None:
    answer = tsa().answer(rfc3161_request(SIGNATURE, SHA256, 7))
    _, token = der.children(answer, der.read(answer))
    data = token.whole(answer)
    changed = der.sequence(der.sequence(der.integer(number)), data)
    assert rfc3161_answer(changed, SIGNATURE, SHA256, 7).attribute[1] == (data,)


@pytest.mark.parametrize(
    ("number", "name", "transient"),
    [
        (2, "rejection", False),
        (3, "waiting", True),
        (4, "revocationWarning", False),
        (5, "revocationNotification", False),
        (6, "status 6", False),
        (0x7FFFFFFF, "status 2147483647", False),
    ],
)
def test_the_status_is_named(number: int, name: str, *, transient: bool) -> None:
    found = refusal(status(der.integer(number)))
    assert found.message == f"the authority refused the timestamp ({name})"
    assert found.transient == transient


def test_a_status_of_more_than_four_bytes_is_refused() -> None:
    with pytest.raises(TimestampError, match="more than 4 bytes"):
        rfc3161_answer(status(der.integer(1 << 31)), SIGNATURE, SHA256, 7)


@pytest.mark.parametrize(
    ("bit", "name"),
    [
        (0, "unrecognized or unsupported algorithm"),
        (1, "failure 1"),
        (2, "transaction not permitted or supported"),
        (5, "the data submitted has the wrong format"),
        (7, "failure 7"),
        (8, "failure 8"),
        (14, "the time source is not available"),
        (15, "the requested policy is not supported"),
        (16, "the requested extension is not supported"),
        (17, "the requested information is not available"),
        (25, "a system failure"),
        (31, "failure 31"),
    ],
)
def test_the_failure_is_named(bit: int, name: str) -> None:
    """RFC 3161, 2.4.2."""
    found = refusal(status(der.integer(2), failing(bit)))
    assert found.message.endswith(f"(rejection: {name})")
    assert found.transient == (bit in (14, 25))


def test_bits_after_the_fourth_byte_are_ignored() -> None:
    assert refusal(status(der.integer(2), failing(32))).message.endswith("(rejection)")


def test_eight_texts_of_the_authority_are_shown_before_the_failure() -> None:
    shown = [f"text {number}" for number in range(8)]
    found = refusal(status(der.integer(2), texts(*shown, "text 8"), failing(5)))
    assert found.message.endswith(f"(rejection: {': '.join(shown)}: the data submitted has the wrong format)")


def test_500_characters_of_the_reason_are_shown() -> None:
    found = refusal(status(der.integer(2), texts("x" * 600)))
    assert found.message == f"the authority refused the timestamp ({('rejection: ' + 'x' * 600)[:500]})"


def test_a_legacy_answer_may_be_broken_into_lines() -> None:
    answer = tsa().answer_legacy(legacy_request(SIGNATURE))
    assert b"\n" in answer.strip()
    assert len(legacy_answer(answer, SIGNATURE).certificates) == 2


def test_other_characters_than_base64_make_a_legacy_answer_invalid() -> None:
    answer = tsa().answer_legacy(legacy_request(SIGNATURE))
    with pytest.raises(TimestampError, match="not a valid timestamp"):
        legacy_answer(b"*" + answer, SIGNATURE)

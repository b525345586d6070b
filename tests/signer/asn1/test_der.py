"""The DER reader and writer agree with asn1crypto and refuse data that is not DER."""

from __future__ import annotations

import time

import pytest
from asn1crypto.core import BMPString, Integer, ObjectIdentifier, OctetString, SetOf
from hypothesis import given
from hypothesis import strategies as st

from signer.asn1 import der, oids
from signer.asn1.der_check import require_der
from signer.errors import SignatureFormatError


class Octets(SetOf):
    _child_spec = OctetString


@given(st.integers(-(2**70), 2**70))
def test_integers(value: int) -> None:
    assert der.integer(value) == Integer(value).dump()


@given(st.binary(max_size=70000))
def test_octet_strings(value: bytes) -> None:
    encoded = der.octets(value)
    assert encoded == OctetString(value).dump()
    assert der.read(encoded).contents(encoded) == value
    assert der.total_length(encoded + b"more") == len(encoded)


@given(st.lists(st.binary(max_size=200), max_size=6))
def test_pieces_joined_once_are_the_same_element(values: list[bytes]) -> None:
    encoded = [der.octets(value) for value in values]
    assert b"".join(der.enclosed(der.SEQUENCE, encoded)) == der.sequence(*encoded)


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_sets_are_in_der_order(values: list[bytes]) -> None:
    assert der.set_of(map(der.octets, values)) == Octets(values).dump()


@given(st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=20))
def test_bmp_strings(text: str) -> None:
    assert der.bmp_string(text) == BMPString(text).dump()


@pytest.mark.parametrize("dotted", [*oids.NAMES, "2.16.840.1.101.3.4.2.1", "0.9.2342.19200300", "2.999.1", "2.5.29.37"])
def test_object_identifiers(dotted: str) -> None:
    encoded = der.oid(dotted)
    assert encoded == ObjectIdentifier(dotted).dump()
    assert der.read_oid(encoded[2:]) == dotted


TIMES = {
    "utc-1950": (der.UTC_TIME, "500102030405Z", "1950-01-02T03:04:05+00:00"),
    "utc-2049": (der.UTC_TIME, "491231235959Z", "2049-12-31T23:59:59+00:00"),
    "utc-without-seconds": (der.UTC_TIME, "2401020304Z", "2024-01-02T03:04:00+00:00"),
    "generalized": (der.GENERALIZED_TIME, "20500102030405Z", "2050-01-02T03:04:05+00:00"),
    "generalized-fraction": (der.GENERALIZED_TIME, "20240102030405.5Z", "2024-01-02T03:04:05.500000+00:00"),
    "generalized-microseconds": (der.GENERALIZED_TIME, "20240102030405.000007Z", "2024-01-02T03:04:05.000007+00:00"),
}
"""Tag and text of a time, and its ISO form."""


@pytest.mark.parametrize(("tag", "text", "expected"), TIMES.values(), ids=TIMES)
def test_times(tag: int, text: str, expected: str) -> None:
    encoded = der.tlv(tag, text.encode())
    assert der.read_time(encoded, der.read(encoded)).isoformat() == expected


NOT_TIMES = {
    "empty": (der.UTC_TIME, ""),
    "no-z": (der.UTC_TIME, "240102030405"),
    "offset": (der.UTC_TIME, "240102030405+0100"),
    "one-digit-day": (der.UTC_TIME, "24012030405Z"),
    "utc-fraction": (der.UTC_TIME, "240102030405.5Z"),
    "utc-four-digit-year": (der.UTC_TIME, "20240102030405Z"),
    "month-13": (der.UTC_TIME, "241302030405Z"),
    "hour-24": (der.GENERALIZED_TIME, "20240102240000Z"),
    "second-60": (der.GENERALIZED_TIME, "20240102030460Z"),
    "year-0": (der.GENERALIZED_TIME, "00000102030405Z"),
    "two-digit-year": (der.GENERALIZED_TIME, "240102030405Z"),
    "no-fraction": (der.GENERALIZED_TIME, "20240102030405.Z"),
    "seven-digits": (der.GENERALIZED_TIME, "20240102030405.1234567Z"),
    "letters": (der.GENERALIZED_TIME, "2024010203040xZ"),
    "not-ascii": (der.GENERALIZED_TIME, "2024010203040\xb9Z"),
    "other-tag": (der.UTF8_STRING, "20240102030405Z"),
}


@pytest.mark.parametrize(("tag", "text"), NOT_TIMES.values(), ids=NOT_TIMES)
def test_times_that_are_refused(tag: int, text: str) -> None:
    encoded = der.tlv(tag, text.encode())
    with pytest.raises(SignatureFormatError, match="not a valid UTCTime or GeneralizedTime"):
        der.read_time(encoded, der.read(encoded))


NOT_DER = {
    "empty": b"",
    "one-byte": b"\x30",
    "indefinite": b"\x30\x80\x00\x00",
    "long-form-for-short": b"\x30\x81\x05hello",
    "leading-zero-length": b"\x30\x82\x00\x90" + bytes(0x90),
    "beyond-the-end": b"\x30\x05hell",
    "length-of-length": b"\x30\x85\x01\x01\x01\x01\x01",
    "high-tag": b"\x1f\x81\x01\x00",
    "end-of-contents": b"\x00\x00",
    "tag-0-with-contents": b"\x00\x01x",
    "constructed-tag-0": b"\x20\x02\x05\x00",
}


@pytest.mark.parametrize("data", NOT_DER.values(), ids=NOT_DER)
def test_invalid_der_is_refused(data: bytes) -> None:
    with pytest.raises(SignatureFormatError) as raised:
        der.read(data)
    assert raised.value.offset == 0


def test_a_child_longer_than_its_parent_is_refused() -> None:
    data = b"\x30\x03\x04\x05hello"
    with pytest.raises(SignatureFormatError):
        list(der.children(data, der.read(data)))


LIMIT = 400_000
"""A tenth of `der_check.MAX_ELEMENTS`."""
FLOODS = {
    "tiny-elements": b"\x30\x00" * 1_000_000,
    "nulls-in-sequences": b"\x30\x02\x05\x00" * 500_000,
    "an-unterminated-oid": b"\x06\x84\x01\x00\x00\x00" + b"\xff" * 0xFFFFFF + b"\x7f",
    "depth": b"\x30\x84\x00\x90\x00\x00" + bytes(0x900000),
}


@pytest.mark.parametrize("inside", FLOODS.values(), ids=FLOODS)
def test_floods_of_elements_are_refused_quickly(inside: bytes) -> None:
    data = der.sequence(inside)
    started = time.process_time()
    with pytest.raises(SignatureFormatError):
        require_der(data, LIMIT)
    assert time.process_time() - started < 2  # at most 0.2 seconds on an idle machine


def test_an_unterminated_object_identifier_is_refused() -> None:
    with pytest.raises(SignatureFormatError, match="127"):
        der.read_oid(b"\xff" * 10_000_000 + b"\x7f")

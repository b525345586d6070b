"""`require_der` agrees with a simple recursive check that reads every element."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.asn1 import der
from signer.errors import SignatureFormatError

elements = st.recursive(
    st.builds(lambda tag, contents: der.tlv(tag, contents), st.sampled_from([2, 4, 5, 0x80]), st.binary(max_size=200)),
    lambda inner: st.builds(
        lambda tag, parts: der.tlv(tag, *parts), st.sampled_from([0x30, 0x31, 0xA0]), st.lists(inner)
    ),
    max_leaves=20,
)


def is_der(data: bytes) -> bool:
    def inside(element: der.Element) -> bool:
        if element.tag == der.OID:
            return element.body < element.end and data[element.end - 1] < 0x80
        return all(inside(child) for child in der.children(data, element)) if element.tag & 0x20 else True

    try:
        whole = der.read(data)
        return whole.end == len(data) and inside(whole)
    except SignatureFormatError:
        return False


def passes(data: bytes) -> bool:
    try:
        der.require_der(data)
    except SignatureFormatError as error:
        assert error.offset is not None and 0 <= error.offset <= len(data)
        return False
    return True


@given(elements)
def test_valid_der_passes(data: bytes) -> None:
    assert passes(data) and is_der(data)


@given(elements, st.data())
def test_both_checks_agree_on_damaged_der(data: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        damaged[draw.draw(st.integers(0, len(damaged) - 1))] = draw.draw(st.integers(0, 255))
    assert passes(bytes(damaged)) == is_der(bytes(damaged))


@given(st.binary(max_size=40))
def test_both_checks_agree_on_random_bytes(data: bytes) -> None:
    assert passes(data) == is_der(data)


@pytest.mark.parametrize(("levels", "good"), [(100, True), (102, False), (100_000, False)])
def test_nesting_is_limited(levels: int, good: bool) -> None:
    data = b""
    if levels < 1000:
        for _ in range(levels):
            data = der.sequence(data)
    else:
        data = b"\x30\x84\x7f\xff\xff\xff" * levels
    assert passes(data) is good


@pytest.mark.parametrize("contents", [b"", b"\x80", b"\x2b\x86"], ids=["empty", "no-last-octet", "truncated"])
def test_an_object_identifier_without_an_end_is_refused(contents: bytes) -> None:
    """Its dotted form is empty or too short, and can't be encoded again (found by fuzzing)."""
    oid = der.tlv(der.OID, contents)
    for data in (oid, der.sequence(der.null(), oid)):
        with pytest.raises(SignatureFormatError, match="an object identifier is truncated"):
            der.require_der(data)
    der.require_der(der.sequence(der.tlv(der.OID, b"\x2b")))

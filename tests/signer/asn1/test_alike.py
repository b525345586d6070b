"""`ByStructure` answers as its function does, whatever the elements, and calls it twice for each structure."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.asn1 import der
from signer.asn1.alike import MAX_SIZE, ByStructure
from signer.errors import SignatureFormatError
from tests.signer.asn1.test_der_check import elements, with_other_contents

Parts = list[tuple[int, int, int, bytes]]


def parts(element: bytes) -> Parts:
    """Return tag, place and, of an identifier, contents of all parts of an element."""
    found, left = [], [der.read(element)]
    while left:
        one = left.pop()
        found.append((one.tag, one.body, one.end, one.contents(element) if one.tag == der.OID else b""))
        left += der.children(element, one) if one.tag & 0x20 else ()
    return found


def each_alone(data: bytes) -> list[tuple[bytes, Parts]]:
    """Return the elements in `data` and their parts, each read by itself."""
    found, offset = [], 0
    while offset < len(data):
        octets = der.read(data, offset).whole(data)
        try:
            found.append((octets, parts(octets)))
        except SignatureFormatError as error:
            assert error.offset is not None
            error.offset += offset
            raise
        offset += len(octets)
    return found


def answer(data: bytes, *, alone: bool) -> tuple[object, ...]:
    """Return the elements and their parts, or message and offset of the error."""
    try:
        return tuple(each_alone(data) if alone else ByStructure(parts).each(data, 0, len(data)))
    except SignatureFormatError as error:
        return error.message, error.offset


@st.composite
def lists(draw: st.DrawFn) -> bytes:
    """Return elements of a few structures with different contents."""
    structures = draw(st.lists(elements, min_size=1, max_size=4))
    random = draw(st.randoms(use_true_random=False))
    return b"".join(with_other_contents(random.choice(structures), random) for _ in range(20))


@given(lists())
@settings(max_examples=40)
def test_the_answers_are_those_of_each_element_alone(data: bytes) -> None:
    assert answer(data, alone=False) == answer(data, alone=True)


@given(lists(), st.data())
@settings(max_examples=60)
def test_the_answers_of_damaged_elements_are_those_of_each_alone(data: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        damaged[draw.draw(st.integers(0, len(damaged) - 1))] = draw.draw(st.integers(0, 255))
    assert answer(bytes(damaged), alone=False) == answer(bytes(damaged), alone=True)


@pytest.mark.parametrize(
    ("size", "calls"),
    [
        pytest.param(100, 2, id="length-of-one-octet"),
        pytest.param(200, 2, id="length-of-two-octets"),
        pytest.param(300, 2, id="length-of-three-octets"),
        pytest.param(MAX_SIZE - 8, 2, id="largest"),
        pytest.param(MAX_SIZE, 50, id="too-large"),
    ],
)
def test_the_function_is_called_twice_for_a_structure(size: int, calls: int) -> None:
    called = []
    random = Random(size)
    data = b"".join(der.sequence(der.octets(random.randbytes(size))) for _ in range(50))
    found = list(ByStructure(called.append).each(data, 0, len(data)))
    assert len(found) == 50 and len(called) == calls
    assert b"".join(octets for octets, _ in found) == data


def test_an_element_does_not_exceed_the_end_that_is_given() -> None:
    """The second element has a known structure, and ends behind the parent's end."""
    data = der.octets(b"first") + der.octets(b"other")
    with pytest.raises(SignatureFormatError, match="exceeds the enclosing element") as raised:
        list(ByStructure(parts).each(data, 0, len(data) - 1))
    assert raised.value.offset == 7

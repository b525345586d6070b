"""`require_der` agrees with a simple recursive check that reads every element."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.asn1 import der
from signer.asn1.der_check import _MANY, require_der
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
        require_der(data)
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


@st.composite
def lists_of_alike_elements(draw: st.DrawFn) -> bytes:
    """Return a long SEQUENCE whose elements have a few structures and different contents, as in a catalog."""
    structures = draw(st.lists(elements, min_size=1, max_size=3))
    random = draw(st.randoms(use_true_random=False))
    parts = [with_other_contents(random.choice(structures), random) for _ in range(100)]
    many = b"".join(parts) * (1 + 3 * _MANY // (2 + len(b"".join(parts))))
    return der.sequence(draw(elements), der.sequence(many), draw(elements))


def with_other_contents(element: bytes, random: Random) -> bytes:
    """Replace the contents that no check reads."""
    found, left = bytearray(element), [der.read(element)]
    while left:
        one = left.pop()
        if one.tag & 0x20:
            left += der.children(element, one)
        else:
            found[one.body : one.end] = random.randbytes(one.end - one.body)
    return bytes(found)


@given(lists_of_alike_elements())
@settings(max_examples=30)
def test_a_list_of_alike_elements_passes(data: bytes) -> None:
    assert passes(data) and is_der(data)


@given(lists_of_alike_elements(), st.data())
@settings(max_examples=60)
def test_both_checks_agree_on_a_damaged_list_of_alike_elements(data: bytes, draw: st.DataObject) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 2))):
        damaged[draw.draw(st.integers(0, len(damaged) - 1))] = draw.draw(st.integers(0, 255))
    assert passes(bytes(damaged)) == is_der(bytes(damaged))


ALIKE = der.sequence(der.octets(bytes(20)), der.sequence(der.oid("1.2.3"), der.octets(bytes(30))))


@pytest.mark.parametrize(
    ("entry", "good"),
    [
        pytest.param(ALIKE.replace(bytes(30), bytes(range(30))), True, id="other-contents"),
        pytest.param(ALIKE.replace(b"\x04\x1e" + bytes(30), b"\x30\x1e" + b"\xff" * 30), False, id="a-container"),
        pytest.param(ALIKE.replace(b"\x04\x14", b"\x04\x13"), False, id="a-shorter-part"),
        pytest.param(ALIKE.replace(b"\x04\x1e", b"\x04\x1f"), False, id="a-longer-part"),
        pytest.param(ALIKE.replace(b"\x2a\x03", b"\x2a\x83"), False, id="an-identifier-without-an-end"),
        pytest.param(ALIKE.replace(b"\x2a\x03", b"\x2a\x04"), True, id="another-identifier"),
        pytest.param(b"\x30\x80" + ALIKE[2:], False, id="an-indefinite-length"),
        pytest.param(b"\x3f" + ALIKE[1:], False, id="a-tag-of-two-octets"),
        pytest.param(ALIKE.replace(b"\x04\x1e", b"\x00\x1e"), False, id="tag-0"),
        pytest.param(ALIKE[:-1], False, id="truncated"),
        pytest.param(ALIKE + b"\0", False, id="one-octet-more"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 700, 1499])
def test_one_entry_among_many_that_are_alike(entry: bytes, good: bool, place: int) -> None:
    """No entry is taken for sound because those before it are."""
    data = der.sequence(ALIKE * place, entry, ALIKE * (1499 - place))
    assert passes(data) is is_der(data) is good


def test_alike_elements_count_for_the_limit() -> None:
    """An element of this list has five elements in it and itself."""
    data = der.sequence(ALIKE * 1500)
    require_der(data, 5 * 1500 + 1)
    with pytest.raises(SignatureFormatError, match="more than 7,500 elements"):
        require_der(data, 5 * 1500)


def test_alike_elements_may_not_be_nested_deeper_than_others() -> None:
    """Lists of small elements, at every depth around the limit."""
    small = der.sequence(der.sequence(der.octets(bytes(20)))) * 1500
    for levels in range(70, 105):
        data = der.sequence(small)
        for _ in range(levels):
            data = der.sequence(data)
        assert passes(data) is (levels + 3 <= 101), levels


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
            require_der(data)
    require_der(der.sequence(der.tlv(der.OID, b"\x2b")))


@pytest.mark.parametrize("tag", [0x00, 0x20])
def test_the_tag_of_end_of_contents_is_refused(tag: int) -> None:
    """X.690, 8.1.3.6 and 8.1.5: it ends an indefinite length. OpenSSL refuses it too: "unexpected eoc"."""
    for inside in (der.null(), b""):
        data = der.sequence(inside, bytes([tag, 0]))
        with pytest.raises(SignatureFormatError, match="an element has the tag 0") as caught:
            require_der(data)
        assert caught.value.offset == 2 + len(inside)
    require_der(der.sequence(der.octets(bytes(2)), der.tlv(0x80, b"")))

"""The fields that the structures of PKCS #7 share: what is read, and where an error is."""

from __future__ import annotations

import pytest

from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pkcs7.fields import algorithm, content_info, fields, number, object_identifier, require

OCTETS = der.octets(b"x")


def first(data: bytes) -> der.Element:
    return der.read(data)


def test_a_content_info_may_have_no_content() -> None:
    data = der.sequence(der.oid(oids.DATA))
    assert content_info(data, first(data)) == (oids.DATA, None)


def test_the_content_of_a_content_info_is_inside_its_tag() -> None:
    data = der.sequence(der.oid(oids.DATA), der.explicit(0, OCTETS))
    kind, content = content_info(data, first(data))
    assert content is not None
    assert (kind, content.whole(data)) == (oids.DATA, OCTETS)


CONTENT_INFOS = {
    "no fields": (der.sequence(), "too few fields", 0),
    "another tag": (
        der.sequence(der.oid(oids.DATA), OCTETS),
        "the tag 0x04 is in place of the content of a ContentInfo",
        13,
    ),
    "two contents in the tag": (
        der.sequence(der.oid(oids.DATA), der.explicit(0, OCTETS, OCTETS)),
        "bytes follow the content of a ContentInfo",
        18,
    ),
}


@pytest.mark.parametrize(("data", "says", "offset"), CONTENT_INFOS.values(), ids=CONTENT_INFOS)
def test_a_content_info_with_other_fields_is_refused(data: bytes, says: str, offset: int) -> None:
    with pytest.raises(SignatureFormatError, match=says) as caught:
        content_info(data, first(data))
    assert caught.value.offset == offset


def test_a_structure_has_at_least_as_many_fields_as_it_must() -> None:
    data = der.sequence(OCTETS, OCTETS)
    assert len(fields(data, first(data), 2)) == 2
    with pytest.raises(SignatureFormatError):
        fields(data, first(data), 3)


def test_a_missing_field_has_no_offset_and_one_of_another_type_has() -> None:
    with pytest.raises(SignatureFormatError, match="nothing is in place of a number") as missing:
        require(der.INTEGER, None, "a number")
    assert missing.value.offset is None
    data = der.null() + OCTETS
    with pytest.raises(SignatureFormatError, match="the tag 0x04 is in place of a number") as other:
        number(data, der.read(data, 2))
    assert other.value.offset == 2


@pytest.mark.parametrize(("contents", "value"), [(b"\x7f", 127), (b"\xff", -1), (b"\x00\x80", 128)])
def test_a_number_has_a_sign(contents: bytes, value: int) -> None:
    data = der.tlv(der.INTEGER, contents)
    assert number(data, first(data)) == value


def test_an_empty_algorithm_has_no_name() -> None:
    for data, name in ((der.sequence(), ""), (der.sequence(der.oid(oids.DATA)), oids.DATA)):
        assert algorithm(data, first(data)) == name


@pytest.mark.parametrize(
    "contents",
    [
        pytest.param(b"\x2a\x86\x48", id="shortest"),
        pytest.param(b"\x80\x2a\x86\x48", id="padded at the beginning"),
        pytest.param(b"\x2a\x80\x86\x48", id="padded later"),
        pytest.param(b"\x2a\x80\x80\x86\x48", id="padded twice"),
    ],
)
def test_a_longer_form_of_an_object_identifier_has_the_same_value(contents: bytes) -> None:
    data = der.tlv(der.OID, contents)
    assert object_identifier(data, first(data)) == "1.2.840"

"""Real SignedData is parsed; damaged SignedData is refused with a SignatureFormatError."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from signer.asn1 import der, oids
from signer.errors import CertificateError, NotDerError, SignatureFormatError
from signer.pkcs7 import nested
from signer.pkcs7.encode import attribute
from signer.pkcs7.parse import parse, parse_signer
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from tests.support.files import corpus_files, corpus_id
from tests.support.hierarchy import issue, key
from tests.support.identities import identity

SIGNED = sign(
    Content(oids.DATA, b"\x04\x05hello"), identity("p256"), SigningOptions(description="Ünï", url="http://a/ö")
)


def test_a_signature_is_read_back() -> None:
    parsed = parse(SIGNED)
    assert parsed.content_octets == b"hello"
    assert parsed.digest_oids == ("2.16.840.1.101.3.4.2.1",)
    (signer,) = parsed.signers
    assert parsed.certificate_of(signer) == identity("p256").certificate
    assert b"http://a/%C3%B6" in signer.signed_attributes_der


@given(st.integers(0, len(SIGNED) - 1))
def test_truncated_data_is_a_format_error(length: int) -> None:
    with pytest.raises(SignatureFormatError):
        parse(SIGNED[:length])


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_data_with_a_changed_byte_is_parsed_or_is_a_format_error(offset: int, flip: int) -> None:
    data = bytearray(SIGNED)
    data[offset] ^= flip
    try:
        parsed = parse(bytes(data))
        _ = (parsed.content_octets, parsed.certificates, [parsed.certificate_of(s) for s in parsed.signers])
    except (SignatureFormatError, CertificateError):
        pass


def test_extra_bytes_are_refused_with_their_offset() -> None:
    with pytest.raises(SignatureFormatError, match="follow") as raised:
        parse(SIGNED + b"\0")
    assert raised.value.offset == len(SIGNED)


def test_deep_nesting_is_refused() -> None:
    data = b""
    for _ in range(200):
        data = der.sequence(data)
    with pytest.raises(SignatureFormatError, match="nested more than 100 levels"):
        parse(data)


DAMAGED = bytes.fromhex("30 03 30 05 00")


def test_a_malformed_attribute_value_does_not_affect_the_rest() -> None:
    parsed = parse(nested.append(SIGNED, DAMAGED))
    assert parsed.content_octets == b"hello"
    assert parsed.signers[0].unsigned_attributes[oids.NESTED_SIGNATURE] == (DAMAGED,)


def test_a_malformed_certificate_does_not_affect_the_others() -> None:
    info = der.read(SIGNED)
    oid, wrapped = der.children(SIGNED, info)
    fields = [field.whole(SIGNED) for field in der.children(SIGNED, der.read(SIGNED, wrapped.body))]
    (certificate,) = parse(SIGNED).certificates_der
    fields[3] = der.explicit(0, DAMAGED, certificate)
    parsed = parse(der.sequence(oid.whole(SIGNED), der.explicit(0, der.sequence(*fields))))
    assert (parsed.certificates_der, parsed.certificates) == ((DAMAGED, certificate), (identity("p256").certificate,))


def test_ber_in_an_attribute_value_raises_not_der_error() -> None:
    """Windows accepts BER, so the verdict must be unknown instead of rejected."""
    with pytest.raises(NotDerError):
        parse(nested.append(SIGNED, bytes.fromhex("30 04 30 80 00 00")))


def test_a_flood_of_values_is_refused() -> None:
    with pytest.raises(SignatureFormatError, match="more than 1,000 parts"):
        parse(nested.with_unsigned(SIGNED, oids.NESTED_SIGNATURE, (DAMAGED,) * 1001))


def test_as_many_values_as_the_limit_are_read() -> None:
    (signer,) = parse(nested.with_unsigned(SIGNED, oids.NESTED_SIGNATURE, (DAMAGED,) * 1000)).signers
    assert len(signer.unsigned_attributes[oids.NESTED_SIGNATURE]) == 1000


def test_a_flood_of_certificates_is_refused_before_any_is_parsed() -> None:
    tiny = der.sequence(der.sequence()) * 100_000
    content = der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(b"x")))
    signed = der.sequence(der.integer(1), der.tlv(der.SET), content, der.explicit(0, tiny), der.tlv(der.SET))
    with pytest.raises(SignatureFormatError, match="more than 1,000 parts"):
        parse(der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, signed)))


def test_a_long_revocation_list_is_accepted() -> None:
    entry = der.sequence(der.integer(1), der.tlv(der.UTC_TIME, b"260101000000Z"))
    crl = der.sequence(der.sequence(entry * 100_000))
    content = der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(b"x")))
    signed = der.sequence(der.integer(1), der.tlv(der.SET), content, der.explicit(1, crl), der.tlv(der.SET))
    assert parse(der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, signed))).content_octets == b"x"


@pytest.mark.parametrize("path", corpus_files("catalogs/*.cat"), ids=corpus_id)
def test_real_catalogs_are_parsed(path: Path) -> None:
    parsed = parse(path.read_bytes())
    assert parsed.content_type == oids.CTL
    assert all(parsed.certificate_of(signer) for signer in parsed.signers)


def sized(size: int, make: Callable[[int], bytes]) -> bytes:
    """Return the first of `make(0)`, `make(1)`, ... whose contents have this size, modulo 256."""
    return next(one for one in map(make, range(1000)) if len(der.read(one).contents(one)) % 256 == size)


def test_a_certificate_whose_length_ends_with_0x80_is_the_one_in_the_file() -> None:
    """asn1crypto takes the last byte of such a length for an indefinite length, and encodes the certificate again."""
    link = x509.UniformResourceIdentifier("chtTp://contoso.example/")
    points = x509.CRLDistributionPoints([x509.DistributionPoint([link], None, None, None)])

    def certificate(length: int) -> bytes:
        made = issue("x" * (length % 50 + 1), extensions=[(points, False)], private_key=key("Length"))
        return made.certificate.public_bytes(Encoding.DER)

    entry = sized(0x80, certificate)
    oid, wrapped = der.children(SIGNED, der.read(SIGNED))
    fields = [one.whole(SIGNED) for one in der.children(SIGNED, der.read(SIGNED, wrapped.body))]
    data = der.sequence(
        oid.whole(SIGNED), der.explicit(0, der.sequence(*fields[:3], der.explicit(0, entry), fields[4]))
    )
    assert parse(data).certificates_der == (entry,)


def test_attributes_whose_length_ends_with_0x80_are_those_in_the_file() -> None:
    """Also if they are not sorted."""
    late, early = attribute(oids.SIGNING_TIME, (der.octets(b"b"),)), attribute(oids.CONTENT_TYPE, (der.octets(b"a"),))
    filler = attribute("2.999", (der.octets(bytes(0x80 - len(late) - len(early) - 10)),))
    attributes = der.tlv(0xA0, late, early, filler)
    assert len(der.read(attributes).contents(attributes)) == 0x80
    _, wrapped = der.children(SIGNED, der.read(SIGNED))
    *_, signers = der.children(SIGNED, der.read(SIGNED, wrapped.body))
    signer = [one.whole(SIGNED) for one in der.children(SIGNED, der.read(SIGNED, signers.body))]
    parsed = parse_signer(der.sequence(*signer[:3], attributes, *signer[4:]))
    assert parsed.signed_attributes_der == b"\x31" + attributes[1:]


def signed_data(*fields: bytes) -> bytes:
    return der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, der.sequence(*fields)))


def parts() -> list[bytes]:
    """Return version, digest algorithms, content, certificates and signers of the signature."""
    _, wrapped = der.children(SIGNED, der.read(SIGNED))
    return [field.whole(SIGNED) for field in der.children(SIGNED, der.read(SIGNED, wrapped.body))]


OTHER_STRUCTURES = {
    "no SignedData": (der.sequence(der.oid(oids.SIGNED_DATA)), "has no SignedData", 0),
    "a SET in place of SignedData": (
        der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, der.tlv(der.SET))),
        "has no SignedData",
        0,
    ),
    "another content than SignedData": (
        der.sequence(der.oid(oids.DATA), der.explicit(0, der.octets(b"x"))),
        "not signed data",
        0,
    ),
    "three fields": (signed_data(*parts()[:3]), "too few fields", 15),
    "seven fields": (signed_data(*parts(), der.null(), der.null()), "more than 6 fields", 19),
    "a certificate of an unknown form": (
        signed_data(*parts()[:3], der.explicit(0, der.tlv(0xA4)), parts()[4]),
        "has the tag 0xa4",
        None,
    ),
}


@pytest.mark.parametrize(("data", "says", "offset"), OTHER_STRUCTURES.values(), ids=OTHER_STRUCTURES)
def test_another_structure_is_refused(data: bytes, says: str, offset: int | None) -> None:
    with pytest.raises(SignatureFormatError, match=says) as caught:
        parse(data)
    assert offset is None or caught.value.offset == offset


def test_the_other_forms_of_a_certificate_are_passed_over() -> None:
    """RFC 5652, 10.2.2 has four of them."""
    others = b"".join(der.tlv(tag) for tag in range(0xA0, 0xA4))
    fields = parts()
    fields[3] = der.tlv(0xA0, others, *parse(SIGNED).certificates_der)
    assert parse(signed_data(*fields)).certificates == (identity("p256").certificate,)


def test_a_signer_may_be_named_by_the_identifier_of_its_key() -> None:
    own = issue("Signer", extensions=[(x509.SubjectKeyIdentifier(b"right"), False)]).certificate
    other = issue("Signer", extensions=[(x509.SubjectKeyIdentifier(b"wrong"), False)]).certificate
    none = issue("Signer").certificate
    version, _, *rest = der.children(parts()[4], der.read(parts()[4], der.read(parts()[4]).body))
    signer = parse_signer(
        der.sequence(version.whole(parts()[4]), der.tlv(0x80, b"right"), *(one.whole(parts()[4]) for one in rest))
    )
    assert [signer.signed_by(one) for one in (own, other, none)] == [True, False, False]


def test_a_malformed_certificate_hides_no_ber_in_the_content() -> None:
    fields = parts()
    fields[2] = der.sequence(der.oid(oids.DATA), der.explicit(0, bytes.fromhex("24 80 04 01 78 00 00")))
    fields[3] = der.explicit(0, DAMAGED)
    with pytest.raises(NotDerError):
        parse(signed_data(*fields))


def test_a_certificate_with_unreadable_extensions_has_no_key_identifier() -> None:
    unreadable = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.14"), b"\xff")
    certificate = issue("Signer", extensions=[(unreadable, False)]).certificate
    data = parts()[4]
    version, _, *rest = der.children(data, der.read(data, der.read(data).body))
    named = der.sequence(version.whole(data), der.tlv(0x80, b"right"), *(one.whole(data) for one in rest))
    assert not parse_signer(named).signed_by(certificate)


def test_an_attribute_without_values_is_refused() -> None:
    data = parts()[4]
    head = list(der.children(data, der.read(data, der.read(data).body)))
    lonely = der.tlv(0xA0, der.sequence(der.oid(oids.CONTENT_TYPE)))
    signer = [one.whole(data) for one in head]
    signer[3] = lonely
    with pytest.raises(SignatureFormatError, match="too few fields"):
        parse_signer(der.sequence(*signer))


def test_a_malformed_certificate_hides_no_ber_in_the_next_one() -> None:
    fields = parts()
    fields[3] = der.explicit(0, DAMAGED, bytes.fromhex("30 80 00 00"))
    with pytest.raises(NotDerError):
        parse(signed_data(*fields))


def test_a_signer_whose_name_lacks_the_serial_number_is_refused() -> None:
    data = parts()[4]
    version, name, *rest = der.children(data, der.read(data, der.read(data).body))
    issuer = next(der.children(data, name))
    signer = (version.whole(data), der.sequence(issuer.whole(data)), *(one.whole(data) for one in rest))
    with pytest.raises(SignatureFormatError, match="too few fields"):
        parse_signer(der.sequence(*signer))


def test_a_third_field_of_an_attribute_is_not_read() -> None:
    """`signer.pkcs7.structure` reports it."""
    data = parts()[4]
    signer = [one.whole(data) for one in der.children(data, der.read(data, der.read(data).body))]
    wide = der.sequence(der.oid("2.999"), der.tlv(der.SET, der.null()), der.null())
    found = parse_signer(der.sequence(*signer, der.tlv(0xA1, wide)))
    assert found.unsigned_attributes == {"2.999": (der.null(),)}


@pytest.mark.parametrize("tag", [der.SET, 0xA0, 0xA1], ids=["digests", "certificates", "revocation lists"])
def test_a_field_with_few_elements_has_a_limit_of_parts_too(tag: int) -> None:
    """The limit on elements is higher."""
    version, digests, content, certificates, signers = parts()
    flood = der.tlv(tag, der.null() * 1001)
    optional = {0xA0: (flood,), 0xA1: (certificates, flood)}.get(tag, (certificates,))
    with pytest.raises(SignatureFormatError, match="more than 1,000 parts"):
        parse(signed_data(version, flood if tag == der.SET else digests, content, *optional, signers))


def test_a_malformed_value_of_a_signed_attribute_does_not_affect_the_rest() -> None:
    data = parts()[4]
    signer = [one.whole(data) for one in der.children(data, der.read(data, der.read(data).body))]
    signer[3] = der.tlv(0xA0, attribute("2.999", (DAMAGED,)))
    (found,) = parse(signed_data(*parts()[:4], der.tlv(der.SET, der.sequence(*signer)))).signers
    assert DAMAGED in found.signed_attributes_der


BER_INSIDE = der.sequence(bytes.fromhex("24 80 04 01 78 00 00"))
"""An element whose contents `parse` does not read."""


@pytest.mark.parametrize("place", ["the content", "the next certificate"])
def test_a_malformed_certificate_hides_no_ber_inside_of_other_parts(place: str) -> None:
    fields = parts()
    certificates = (DAMAGED, *parse(SIGNED).certificates_der)
    fields[3] = der.explicit(0, *certificates)
    assert len(parse(signed_data(*fields)).certificates_der) == 2
    if place == "the content":
        fields[2] = der.sequence(der.oid(oids.DATA), der.explicit(0, BER_INSIDE))
    else:
        fields[3] = der.explicit(0, *certificates, BER_INSIDE)
    with pytest.raises(NotDerError):
        parse(signed_data(*fields))

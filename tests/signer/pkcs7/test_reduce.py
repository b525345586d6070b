"""A signature without the parts that are not signed: its content, signer and signature stay as they are."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pkcs7.nested import append, with_unsigned
from signer.pkcs7.parse import ParsedSignedData, parse
from signer.pkcs7.reduce import without_other_certificates, without_unsigned_attributes
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from tests.support.hierarchy import issue
from tests.support.identities import identity

OWN = sign(Content(oids.CTL, der.sequence(der.null())), identity(), SigningOptions())
OTHERS = tuple(issue(name, ca=True).certificate for name in ("Root", "CA"))


def with_certificates(*certificates: bytes) -> bytes:
    """Return the signature with these certificates."""
    oid, wrapped = der.children(OWN, der.read(OWN))
    fields = [field.whole(OWN) for field in der.children(OWN, der.read(OWN, wrapped.body))]
    fields[3] = der.tlv(0xA0, *certificates)
    return der.sequence(oid.whole(OWN), der.explicit(0, der.sequence(*fields)))


def signed_parts(parsed: ParsedSignedData) -> tuple[object, ...]:
    """Return what the signature covers, and the signature."""
    (signer,) = parsed.signers
    return parsed.content_type, parsed.content_octets, signer.signed_attributes_der, signer.signature


def test_other_certificates_are_left_out() -> None:
    (own,) = parse(OWN).certificates_der
    others = [one.public_bytes(Encoding.DER) for one in OTHERS]
    reduced = without_other_certificates(with_certificates(others[0], own, others[1]))
    assert reduced == OWN
    assert signed_parts(parse(reduced)) == signed_parts(parse(OWN))


def test_unsigned_attributes_stay_when_certificates_go() -> None:
    nested = append(OWN, OWN)
    assert without_other_certificates(nested) == nested


@pytest.mark.parametrize("certificates", [(), OTHERS], ids=["no certificates", "others"])
def test_a_signature_without_its_signer_s_certificate_is_refused(certificates: tuple) -> None:
    data = with_certificates(*(one.public_bytes(Encoding.DER) for one in certificates))
    with pytest.raises(SignatureFormatError, match="does not contain the signer's certificate"):
        without_other_certificates(data)


def test_a_signature_without_a_signer_is_refused() -> None:
    content = der.sequence(der.oid(oids.CTL), der.explicit(0, der.sequence()))
    fields = (der.integer(1), der.tlv(der.SET), content, der.tlv(der.SET))
    with pytest.raises(SignatureFormatError, match="does not contain the signer's certificate"):
        without_other_certificates(der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, der.sequence(*fields))))


def test_nested_signatures_and_other_unsigned_attributes_are_left_out() -> None:
    assert without_unsigned_attributes(with_unsigned(append(OWN, OWN), "2.999.1", (der.null(),))) == OWN
    assert without_unsigned_attributes(OWN) == OWN


def test_a_field_behind_the_content_is_refused_where_it_would_be_lost() -> None:
    more = der.sequence(der.read(OWN).contents(OWN), der.null())
    assert parse(more).signers
    with pytest.raises(SignatureFormatError, match="behind its content"):
        without_other_certificates(more)

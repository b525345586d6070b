"""Adding and removing unsigned attributes does not change the encoding of anything else."""

from __future__ import annotations

import pytest

from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pkcs7.nested import append, nested_in, with_unsigned
from signer.pkcs7.parse import parse
from signer.pkcs7.signed_data import Content, SigningOptions, sign
from tests.support.identities import identity

SIGNED = sign(Content(oids.CTL, der.sequence(der.null())), identity(), SigningOptions())
OID = "2.999.1"


def test_removing_an_added_attribute_restores_the_original_bytes() -> None:
    with_one = with_unsigned(SIGNED, OID, (der.null(),))
    assert parse(with_one).signers[0].unsigned_attributes == {OID: (der.null(),)}
    assert with_unsigned(with_one, OID, ()) == SIGNED


def test_replacing_an_attribute_keeps_the_others() -> None:
    both = with_unsigned(with_unsigned(SIGNED, OID, (der.null(),)), "2.999.2", (der.octets(b"x"),))
    changed = with_unsigned(both, OID, (der.octets(b"y"),))
    assert parse(changed).signers[0].unsigned_attributes == {OID: (der.octets(b"y"),), "2.999.2": (der.octets(b"x"),)}


def test_every_nested_signature_is_found() -> None:
    """Nested signatures are a SET OF, whose order DER defines."""
    assert nested_in(SIGNED) == ()
    assert nested_in(append(append(SIGNED, SIGNED), der.null())) == (der.null(), SIGNED)


def test_a_signature_with_two_signers_is_refused() -> None:
    data = parse(SIGNED)
    assert len(data.signers) == 1
    outer = der.read(SIGNED)
    oid, wrapped = der.children(SIGNED, outer)
    *head, infos = der.children(SIGNED, der.read(SIGNED, wrapped.body))
    signer = infos.contents(SIGNED)
    twice = der.sequence(*(part.whole(SIGNED) for part in head), der.tlv(der.SET, signer, signer))
    two = der.sequence(oid.whole(SIGNED), der.explicit(0, twice))
    with pytest.raises(SignatureFormatError, match="2 signers"):
        with_unsigned(two, OID, (der.null(),))


def with_field_behind(place: str) -> bytes:
    """Return the signature with an OCTET STRING behind the fields of one of its structures."""
    oid, wrapped = der.children(SIGNED, der.read(SIGNED))
    signed = der.read(SIGNED, wrapped.body)
    *head, signers = der.children(SIGNED, signed)
    signer = der.read(SIGNED, signers.body)
    names = ("ContentInfo", "content", "SignedData", "SignerInfo")
    extra = {name: der.octets(b"x") if name == place else b"" for name in names}
    signer_info = der.sequence(signer.contents(SIGNED), extra["SignerInfo"])
    inner = der.sequence(*(one.whole(SIGNED) for one in head), der.tlv(der.SET, signer_info), extra["SignedData"])
    return der.sequence(oid.whole(SIGNED), der.explicit(0, inner, extra["content"]), extra["ContentInfo"])


@pytest.mark.parametrize("place", ["ContentInfo", "content", "SignedData", "SignerInfo"])
def test_a_signature_with_other_fields_is_refused(place: str) -> None:
    """Readers report the field; a change of the attributes would drop it (found by fuzzing)."""
    with pytest.raises(SignatureFormatError):
        with_unsigned(with_field_behind(place), OID, (der.null(),))
    assert with_unsigned(with_field_behind("none"), OID, ()) == SIGNED


def with_signer(*numbers: int, last: bytes = b"") -> bytes:
    """Return the signature with these fields of its SignerInfo, and one more."""
    oid, wrapped = der.children(SIGNED, der.read(SIGNED))
    *head, signers = der.children(SIGNED, der.read(SIGNED, wrapped.body))
    fields = [field.whole(SIGNED) for field in der.children(SIGNED, der.read(SIGNED, signers.body))]
    signer = der.sequence(*(fields[number] for number in numbers), last)
    inner = der.sequence(*(one.whole(SIGNED) for one in head), der.tlv(der.SET, signer))
    return der.sequence(oid.whole(SIGNED), der.explicit(0, inner))


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param(with_signer(), id="none"),
        pytest.param(with_signer(0, 1, 2), id="three"),
        pytest.param(with_signer(0, 1, 2, 3), id="up to the signed attributes"),
        pytest.param(with_signer(0, 1, 2, 3, 4), id="without the signature"),
        pytest.param(with_signer(0, 1, 2, 3, 4, last=der.integer(1)), id="a number in place of the signature"),
        pytest.param(with_signer(0, 1, 2, 4, last=der.integer(1)), id="the same without signed attributes"),
        pytest.param(with_signer(0, 1, 2, 4, 5, last=der.octets(b"x")), id="two signatures"),
        pytest.param(with_signer(0, 1, 2, 3, 4, 5, last=der.octets(b"x")), id="two signatures and signed attributes"),
    ],
)
def test_a_signer_with_other_fields_is_refused(signature: bytes) -> None:
    with pytest.raises(SignatureFormatError):
        with_unsigned(signature, OID, (der.null(),))


def test_a_field_behind_the_signature_is_refused_where_it_would_be_lost() -> None:
    """Readers report it, and a change of the attributes would drop it."""
    signature = with_signer(0, 1, 2, 3, 4, 5, last=der.octets(b"x"))
    with pytest.raises(SignatureFormatError, match="fields that SignerInfo does not have"):
        with_unsigned(signature, OID, (der.null(),))


def test_a_signer_without_signed_attributes_gets_unsigned_ones() -> None:
    changed = with_unsigned(with_signer(0, 1, 2, 4, 5), OID, (der.null(),))
    assert parse(changed).signers[0].unsigned_attributes == {OID: (der.null(),)}


def test_a_signature_with_two_sets_of_signers_is_refused() -> None:
    """Readers take the first one; the attribute would be added to the other one (found by fuzzing)."""
    oid, wrapped = der.children(SIGNED, der.read(SIGNED))
    inner = der.read(SIGNED, wrapped.body)
    *_, signers = der.children(SIGNED, inner)
    twice = der.sequence(inner.contents(SIGNED), signers.whole(SIGNED))
    with pytest.raises(SignatureFormatError, match="two sets of signers"):
        append(der.sequence(oid.whole(SIGNED), der.explicit(0, twice)), SIGNED)

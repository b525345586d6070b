"""Certificates that come with a timestamp are added to those of the signature, once."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding

from signer.asn1 import der, oids
from signer.pkcs7.parse import parse
from signer.pkcs7.signed_data import Content, SigningOptions, TimestampAttribute, sign
from signer.pkcs7.timestamping import add_timestamps
from tests.support.hierarchy import issue
from tests.support.identities import identity

ONE, OTHER = (issue(name).certificate.public_bytes(Encoding.DER) for name in ("One", "Other"))


def signed(*certificates: bytes) -> bytes:
    """Return a signature that contains these certificates, in this order, or has no field for certificates."""
    data = sign(Content(oids.DATA, der.octets(b"x")), identity("p256"), SigningOptions())
    _, wrapped = der.children(data, der.read(data))
    fields = [one.whole(data) for one in der.children(data, der.read(data, wrapped.body))]
    fields[3:4] = [der.explicit(0, *certificates)] if certificates else []
    return der.sequence(der.oid(oids.SIGNED_DATA), der.explicit(0, der.sequence(*fields)))


def timestamped(signature: bytes, *certificates: bytes) -> bytes:
    stamp = TimestampAttribute((oids.RFC3161_TIMESTAMP, (der.sequence(),)), certificates)
    return add_timestamps(signature, lambda digest: lambda octets: stamp).signature


def test_a_signature_without_certificates_gets_them_and_keeps_its_signer() -> None:
    found = parse(timestamped(signed(), ONE))
    assert (found.certificates_der, len(found.signers)) == ((ONE,), 1)


def test_new_certificates_join_the_others_in_the_order_of_der() -> None:
    assert parse(timestamped(signed(ONE), OTHER)).certificates_der == tuple(sorted((ONE, OTHER)))


def test_certificates_that_are_there_already_keep_their_order() -> None:
    order = tuple(sorted((ONE, OTHER), reverse=True))
    for added in ((), (ONE,), (ONE, OTHER)):
        assert parse(timestamped(signed(*order), *added)).certificates_der == order

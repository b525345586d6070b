"""Make a signature smaller by what is not signed in it: certificates and unsigned attributes, as SignTool's remove."""

from __future__ import annotations

from cryptography.hazmat.primitives.serialization import Encoding

from signer.asn1 import der
from signer.errors import SignatureFormatError
from signer.pkcs7.nested import with_unsigned_attributes
from signer.pkcs7.parse import parse

_CERTIFICATES = 0xA0


def without_unsigned_attributes(signature: bytes) -> bytes:
    """Return a signature (DER) without nested signatures and timestamps. Raises SignatureFormatError."""
    return with_unsigned_attributes(signature, {})


def without_other_certificates(signature: bytes) -> bytes:
    """Return a signature (DER) with the signer's certificate alone. Raises SignatureFormatError if it has none."""
    parsed = parse(signature)
    certificate = parsed.certificate_of(parsed.signers[0]) if parsed.signers else None
    if certificate is None:
        raise SignatureFormatError("the signature does not contain the signer's certificate")
    parts = der.exact_children(signature, der.read(signature), 2)
    if parts is None:
        raise SignatureFormatError("the signature has fields behind its content, which would be lost")
    oid, wrapped = parts
    signed_data = der.read(signature, wrapped.body)
    only = der.tlv(_CERTIFICATES, certificate.public_bytes(Encoding.DER))
    fields = [
        only if field.tag == _CERTIFICATES else field.whole(signature) for field in der.children(signature, signed_data)
    ]
    return der.sequence(oid.whole(signature), der.explicit(0, der.sequence(*fields)))

"""Several signatures in one: nested ones are unsigned attributes of the first.

Source: SignTool's /as; the attribute is 1.3.6.1.4.1.311.2.4.1, and its values are ContentInfo, one for each signature.
"""

from __future__ import annotations

from collections.abc import Mapping

from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pkcs7.encode import attribute


def append(primary: bytes, nested: bytes) -> bytes:
    """The DER of `primary` with `nested` appended to the signatures that it carries. Raises SignatureFormatError."""
    return with_unsigned(primary, oids.NESTED_SIGNATURE, (*nested_in(primary), nested))


def nested_in(primary: bytes) -> tuple[bytes, ...]:
    """The DER of each nested signature, in their order. Raises SignatureFormatError."""
    from signer.pkcs7.parse import parse

    signers = parse(primary).signers
    return signers[0].unsigned_attributes.get(oids.NESTED_SIGNATURE, ()) if signers else ()


def with_unsigned(signature: bytes, oid: str, values: tuple[bytes, ...]) -> bytes:
    """The DER of `signature` with these values of the unsigned attribute `oid`, which goes when there are none.

    Everything else stays as it was encoded. Raises SignatureFormatError.
    """
    from signer.pkcs7.parse import parse

    signers = parse(signature).signers
    if len(signers) != 1:
        raise SignatureFormatError(f"a signature of {len(signers)} signers, where Authenticode has one")
    attributes = {**signers[0].unsigned_attributes, oid: values}
    return _with_unsigned_attributes(signature, attributes)


def _with_unsigned_attributes(signature: bytes, attributes: Mapping[str, tuple[bytes, ...]]) -> bytes:
    """The structure is ContentInfo { oid, [0] { SignedData { …, SET { SignerInfo { …, [1] attributes } } } } }."""
    content_info = der.read(signature)
    oid, wrapped = der.children(signature, content_info)
    signed_data = der.read(signature, wrapped.body)
    *head, signer_infos = der.children(signature, signed_data)
    signer = der.read(signature, signer_infos.body)
    fields = [field.whole(signature) for field in der.children(signature, signer) if field.tag != 0xA1]
    unsigned = der.set_of(attribute(oid_, values) for oid_, values in attributes.items() if values)
    if len(unsigned) > 2:
        fields.append(b"\xa1" + unsigned[1:])
    new_signers = der.tlv(der.SET, der.sequence(*fields))
    new_data = der.sequence(*(part.whole(signature) for part in head), new_signers)
    return der.sequence(oid.whole(signature), der.explicit(0, new_data))

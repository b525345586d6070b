"""Add and read nested signatures, which are values of an unsigned attribute of the primary signature.

Source: SignTool /as. The attribute is 1.3.6.1.4.1.311.2.4.1; each value is a ContentInfo with one nested signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from signer.pkcs7.encode import attribute

if TYPE_CHECKING:
    from signer.pkcs7.parse import ParsedSignedData


def append(primary: bytes, nested: bytes) -> bytes:
    """Return `primary` (DER) with `nested` (DER) appended to its nested signatures. Raises SignatureFormatError."""
    return with_unsigned(primary, oids.NESTED_SIGNATURE, (*nested_in(primary), nested))


def nested_in(primary: bytes) -> tuple[bytes, ...]:
    """Return the DER of each nested signature, in order. Raises SignatureFormatError."""
    from signer.pkcs7.parse import parse

    return values_of(parse(primary))


def values_of(parsed: ParsedSignedData) -> tuple[bytes, ...]:
    """Return the DER of each signature that is nested in a parsed one, in order."""
    return parsed.signers[0].unsigned_attributes.get(oids.NESTED_SIGNATURE, ()) if parsed.signers else ()


def with_unsigned(signature: bytes, oid: str, values: tuple[bytes, ...]) -> bytes:
    """Return `signature` (DER) with new values of the unsigned attribute `oid`; without values, remove the attribute.

    Does not change the encoding of anything else. Raises SignatureFormatError.
    """
    from signer.pkcs7.parse import parse

    signers = parse(signature).signers
    if len(signers) != 1:
        raise SignatureFormatError(f"the signature has {len(signers)} signers, but Authenticode requires exactly one")
    attributes = {**signers[0].unsigned_attributes, oid: values}
    return with_unsigned_attributes(signature, attributes)


def with_unsigned_attributes(signature: bytes, attributes: Mapping[str, tuple[bytes, ...]]) -> bytes:
    """Replace the unsigned attributes. Raises SignatureFormatError for a structure with other fields.

    The structure is ContentInfo { oid, [0] { SignedData { …, SET { SignerInfo { …, [1] attributes } } } } }.
    """
    oid, wrapped = _exactly(signature, der.read(signature), 2)
    (signed_data,) = _exactly(signature, wrapped, 1)
    *head, signer_infos = der.children(signature, signed_data)
    if signer_infos.tag != der.SET:
        raise SignatureFormatError("other fields follow the signers of the signature", offset=signer_infos.start)
    (signer,) = _exactly(signature, signer_infos, 1)
    fields = _signed_fields(signature, signer)
    unsigned = der.set_of(attribute(oid_, values) for oid_, values in attributes.items() if values)
    if len(unsigned) > 2:
        fields.append(b"\xa1" + unsigned[1:])
    new_signers = der.tlv(der.SET, der.sequence(*fields))
    new_data = der.sequence(*(part.whole(signature) for part in head), new_signers)
    changed = der.sequence(oid.whole(signature), der.explicit(0, new_data))
    _require_found(changed, {name: values for name, values in attributes.items() if values})
    return changed


def _require_found(signature: bytes, attributes: Mapping[str, tuple[bytes, ...]]) -> None:
    """Check that a reader finds the unsigned attributes. Raises SignatureFormatError."""
    from signer.pkcs7.parse import parse

    signers = parse(signature).signers
    found = signers[0].unsigned_attributes if len(signers) == 1 else {}
    if {name: sorted(values) for name, values in found.items()} != {n: sorted(v) for n, v in attributes.items()}:
        raise SignatureFormatError("the signature has two sets of signers, and a reader would find the other one")


def _signed_fields(data: bytes, signer: der.Element) -> list[bytes]:
    """Return the fields of a SignerInfo up to its signature, which only unsigned attributes may follow.

    Raises SignatureFormatError for other fields: attributes behind them would not be found.
    """
    fields = list(der.children(data, signer))
    if fields and fields[-1].tag == 0xA1:
        fields.pop()
    has_signed_attributes = len(fields) > 3 and fields[3].tag == 0xA0
    if len(fields) != (6 if has_signed_attributes else 5) or fields[-1].tag != der.OCTET_STRING:
        raise SignatureFormatError("the signature has fields that SignerInfo does not have", offset=signer.start)
    return [field.whole(data) for field in fields]


def _exactly(data: bytes, parent: der.Element, number: int) -> list[der.Element]:
    """Return the elements inside `parent`, which must have this number of them. Raises SignatureFormatError."""
    found = der.first_children(data, parent, number)
    if len(found) != number:
        raise SignatureFormatError("the signature has fields that SignedData does not have", offset=parent.start)
    return found

"""Read the fields that the structures of PKCS #7 share, as places in the buffer. Raises SignatureFormatError."""

from __future__ import annotations

from collections.abc import Iterator

from signer.asn1 import der
from signer.errors import SignatureFormatError

_EXPLICIT = 0xA0


def content_info(data: bytes, info: der.Element) -> tuple[str, der.Element | None]:
    """Return type and content of a ContentInfo: ContentInfo ::= SEQUENCE { OID, [0] EXPLICIT ANY OPTIONAL }."""
    content_type, *rest = fields(data, info, 1)
    wrapper = require(_EXPLICIT, rest[0], "the content of a ContentInfo") if rest else None
    if wrapper is None:
        return object_identifier(data, content_type), None
    content = der.read(data, wrapper.body, wrapper.end)
    if content.end != wrapper.end:
        raise SignatureFormatError("bytes follow the content of a ContentInfo", offset=content.end)
    return object_identifier(data, content_type), content


def fields(data: bytes, parent: der.Element, least: int) -> list[der.Element]:
    """Return the elements of a structure that has at least `least` fields."""
    found = list(der.children(data, parent))
    if len(found) < least:
        raise SignatureFormatError("a structure of the signature has too few fields", offset=parent.start)
    return found


def require(tag: int, element: der.Element | None, name: str) -> der.Element:
    """Return the element if it has the tag; `name` is that of the field in the message."""
    if element is None or element.tag != tag:
        found = "nothing" if element is None else f"the tag {element.tag:#04x}"
        raise SignatureFormatError(f"{found} is in place of {name}", offset=None if element is None else element.start)
    return element


def number(data: bytes, element: der.Element | None) -> int:
    """Return the value of an INTEGER."""
    return int.from_bytes(require(der.INTEGER, element, "a number").contents(data), "big", signed=True)


def algorithm(data: bytes, element: der.Element) -> str:
    """Return the object identifier of an AlgorithmIdentifier; empty for an empty one, which `check_value` reports."""
    parts = fields(data, require(der.SEQUENCE, element, "an algorithm"), 0)
    return object_identifier(data, parts[0]) if parts else ""


def digest_algorithm(data: bytes, element: der.Element) -> str:
    """Return the object identifier of an AlgorithmIdentifier, which has no fields but its parameters."""
    parts = der.first_children(data, require(der.SEQUENCE, element, "an algorithm"), 2)
    if not 1 <= len(parts) <= 2:
        raise SignatureFormatError("an algorithm has too few or undefined fields", offset=element.start)
    return shortest_identifier(data, parts[0])


def two_fields(data: bytes, parent: der.Element) -> tuple[der.Element, der.Element]:
    """Return the elements of a structure that has two fields."""
    found = der.exact_children(data, parent, 2)
    if found is None:
        raise SignatureFormatError("a structure of the signature has not exactly two fields", offset=parent.start)
    return found[0], found[1]


def shortest_identifier(data: bytes, element: der.Element) -> str:
    """Decode an object identifier of signed content, which must be DER: in its shortest form."""
    return der.read_oid(require(der.OID, element, "an object identifier").contents(data))


def object_identifier(data: bytes, element: der.Element) -> str:
    """Decode an object identifier also in a longer form than necessary, which `signer.pkcs7.structure` reports."""
    contents = require(der.OID, element, "an object identifier").contents(data)
    return der.read_oid(bytes(_without_padding(contents)))


def _without_padding(contents: bytes) -> Iterator[int]:
    begins = True
    for octet in contents:
        if not (begins and octet == 0x80):
            yield octet
            begins = not octet & 0x80

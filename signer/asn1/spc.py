"""Read Microsoft's Authenticode types SpcString, SpcLink and SpcSerializedObject in DER.

Source: "Windows Authenticode Portable Executable Signature Format", version 1.0 (2008), the sections of these names:

    SpcString ::= CHOICE { unicode [0] IMPLICIT BMPSTRING, ascii [1] IMPLICIT IA5STRING }
    SpcLink ::= CHOICE {
        url [0] IMPLICIT IA5STRING, moniker [1] IMPLICIT SpcSerializedObject, file [2] EXPLICIT SpcString }
    SpcSerializedObject ::= SEQUENCE { classId OCTETSTRING, serializedData OCTETSTRING }

All functions raise SignatureFormatError.
"""

from __future__ import annotations

from signer.asn1 import der
from signer.errors import SignatureFormatError

_ENCODINGS = {0x80: "utf-16-be", 0x81: "ascii"}
"""The encodings of an SpcString by its tag."""
_URL, _MONIKER, _FILE = 0x80, 0xA1, 0xA2


def string(data: bytes, element: der.Element) -> str:
    """Return the text of an SpcString."""
    return _decoded(element.contents(data), _ENCODINGS.get(element.tag), "an SpcString", element)


def link_text(data: bytes, link: der.Element) -> str | None:
    """Return the URL or the file of an SpcLink, or None for a serialized object."""
    if link.tag == _URL:
        return _decoded(link.contents(data), "ascii", "a URL", link)
    if link.tag == _FILE:
        return string(data, only_child(data, link))
    serialized_object(data, link)
    return None


def serialized_object(data: bytes, link: der.Element) -> tuple[bytes, bytes] | None:
    """Return class and contents of the serialized object in an SpcLink, or None for a URL and a file."""
    if link.tag == _URL or (link.tag == _FILE and only_child(data, link).tag in _ENCODINGS):
        return None
    pair = der.exact_children(data, link, 2) if link.tag == _MONIKER else None
    if pair is None or any(one.tag != der.OCTET_STRING for one in pair):
        raise SignatureFormatError("an SpcLink has neither a URL, a file nor a serialized object", offset=link.start)
    return pair[0].contents(data), pair[1].contents(data)


def only_child(data: bytes, parent: der.Element) -> der.Element:
    """Return the element in an explicit tag."""
    child = der.read(data, parent.body, parent.end)
    if child.end != parent.end:
        raise SignatureFormatError("an explicit tag has more than one element in it", offset=child.end)
    return child


def _decoded(contents: bytes, encoding: str | None, name: str, element: der.Element) -> str:
    if encoding is None:
        raise SignatureFormatError(f"{name} has the tag {element.tag:#04x}", offset=element.start)
    try:
        return contents.decode(encoding)
    except UnicodeDecodeError as error:
        raise SignatureFormatError(f"{name} is not encoded in {encoding}", offset=element.start) from error

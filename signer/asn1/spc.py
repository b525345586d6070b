"""Read Microsoft's Authenticode types from DER: texts, links and serialized objects.

Source: "Windows Authenticode Portable Executable Signature Format", version 1.0 (2008), in the sections that the
functions name. `signer.pkcs7.indirect_data` and `opus` read the types that contain these.
"""

from __future__ import annotations

from signer.asn1 import der
from signer.errors import SignatureFormatError

_UNICODE, _ASCII = 0x80, 0x81
_URL, _MONIKER, _FILE = 0x80, 0xA1, 0xA2


def read_string(data: bytes, element: der.Element) -> str:
    """Return the text of an SpcString (section "SpcString"). Raises SignatureFormatError.

    SpcString ::= CHOICE { unicode [0] IMPLICIT BMPSTRING, ascii [1] IMPLICIT IA5STRING }
    """
    encoding = {_UNICODE: "utf-16-be", _ASCII: "ascii"}.get(element.tag)
    if encoding is None:
        raise SignatureFormatError(f"the tag {element.tag:#04x} is in place of an SpcString", offset=element.start)
    return _decoded(data, element, encoding)


def read_link(data: bytes, element: der.Element) -> str | tuple[bytes, bytes]:
    """Return a URL, a file name, or class and data of a serialized object (section "SpcLink").

    SpcLink ::= CHOICE {
        url [0] IMPLICIT IA5STRING, moniker [1] IMPLICIT SpcSerializedObject, file [2] EXPLICIT SpcString }
    SpcSerializedObject ::= SEQUENCE { classId OCTETSTRING, serializedData OCTETSTRING }
    Raises SignatureFormatError.
    """
    if element.tag == _URL:
        return _decoded(data, element, "ascii")
    if element.tag == _FILE:
        return read_string(data, explicit(data, element))
    parts = list(der.children(data, element)) if element.tag == _MONIKER else []
    if [part.tag for part in parts] != [der.OCTET_STRING, der.OCTET_STRING]:
        raise SignatureFormatError("an SpcLink is neither a URL nor a file nor an object", offset=element.start)
    class_id, serialized = parts
    return class_id.contents(data), serialized.contents(data)


def explicit(data: bytes, element: der.Element) -> der.Element:
    """Return the only element in an explicit tag. Raises SignatureFormatError."""
    inner = der.read(data, element.body, element.end)
    if inner.end != element.end:
        raise SignatureFormatError("bytes follow the element in an explicit tag", offset=inner.end)
    return inner


def _decoded(data: bytes, element: der.Element, encoding: str) -> str:
    try:
        return element.contents(data).decode(encoding)
    except UnicodeDecodeError as error:
        raise SignatureFormatError(f"a text is not {encoding}", offset=element.body) from error

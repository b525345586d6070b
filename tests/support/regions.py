"""Name the region of a signed file that each byte is in, from the definitions of the formats.

Independent of the code that verifies: it says what a byte is, and not whether a signature covers it.
"""

from __future__ import annotations

import struct
from collections.abc import Collection
from typing import NamedTuple

from signer.asn1 import der, oids

CONTENT = "content of the file"
_CERTIFICATES, _SIGNED, _UNSIGNED = 0xA0, 0xA0, 0xA1


class _Canvas:
    """The name of the region of each byte. Inner structures are painted over outer ones."""

    def __init__(self, data: bytes, name: str) -> None:
        self.data = data
        self.names = [name] * len(data)

    def paint(self, start: int, end: int, name: str) -> None:
        self.names[start:end] = [name] * (end - start)

    def element(self, element: der.Element, name: str) -> None:
        self.paint(element.start, element.end, name)

    def children(self, element: der.Element) -> list[der.Element]:
        return list(der.children(self.data, element))


class Roles(NamedTuple):
    """The DER certificates of the paths to the root, without the root."""

    signer: Collection[bytes]
    """The certificates of the signer and of the timestamp authority."""
    issuers: Collection[bytes]
    """The certificates above them, and below the root."""


def regions_of(data: bytes, kind: str, roles: Roles) -> list[str]:
    """Return the name of the region of each byte of a signed file; `kind` is image, cabinet, catalog or signature."""
    canvas = _Canvas(data, CONTENT)
    start = {"image": _image, "cabinet": _cabinet}.get(kind, lambda _: 0)(canvas)
    end = _signed_data(canvas, start, roles, "")
    canvas.paint(end, len(data), "padding after the signature")
    return canvas.names


def _image(canvas: _Canvas) -> int:
    """Paint the fields of a PE image; return the offset of the SignedData."""
    (header,) = struct.unpack_from("<I", canvas.data, 0x3C)
    optional = header + 24
    (magic,) = struct.unpack_from("<H", canvas.data, optional)
    entry = optional + {0x10B: 96, 0x20B: 112}[magic] + 4 * 8
    (table,) = struct.unpack_from("<I", canvas.data, entry)
    canvas.paint(optional + 64, optional + 68, "checksum of the image")
    canvas.paint(entry, entry + 8, "directory entry of the certificate table")
    canvas.paint(table, table + 8, "header of the certificate table entry")
    return int(table + 8)


def _cabinet(canvas: _Canvas) -> int:
    """Paint the fields of a cabinet with 20 reserved bytes; return the offset of the SignedData."""
    canvas.paint(4, 8, "reserved1 of the cabinet")
    canvas.paint(34, 36, "iCabinet of the cabinet")
    canvas.paint(36, 40, "sizes of the reserved areas")
    canvas.paint(40, 44, "first four bytes of the reserved area")
    canvas.paint(44, 52, "offset and size of the signature")
    canvas.paint(52, 56, "last four bytes of the reserved area")
    (start,) = struct.unpack_from("<I", canvas.data, 44)
    return int(start)


def _signed_data(canvas: _Canvas, start: int, roles: Roles, prefix: str) -> int:
    """Paint a ContentInfo with SignedData; return its end."""
    info = der.read(canvas.data, start)
    canvas.element(info, f"{prefix}tags and lengths")
    canvas.paint(info.start, info.body, f"{prefix}length of ContentInfo")
    content_type, wrapped = canvas.children(info)
    canvas.element(content_type, f"{prefix}content type of ContentInfo")
    version, digests, content, *rest = canvas.children(der.read(canvas.data, wrapped.body))
    canvas.element(version, f"{prefix}version of SignedData")
    canvas.element(digests, f"{prefix}digest algorithms of SignedData")
    canvas.element(content, f"{prefix}signed content")
    certificates = [field for field in rest if field.tag == _CERTIFICATES]
    for field in certificates:
        for certificate in canvas.children(field):
            canvas.element(certificate, prefix + _role(certificate.whole(canvas.data), roles))
    for signer in canvas.children(rest[-1]):
        _signer(canvas, signer, roles, prefix)
    return info.end


def _role(certificate: bytes, roles: Roles) -> str:
    if certificate in roles.signer:
        return "certificate of the signer"
    return "certificates of the path" if certificate in roles.issuers else "other certificates"


def _signer(canvas: _Canvas, signer: der.Element, roles: Roles, prefix: str) -> None:
    version, name, digest, *rest = canvas.children(signer)
    canvas.element(version, f"{prefix}version of SignerInfo")
    canvas.element(name, f"{prefix}issuer and serial number of the signer")
    canvas.element(digest, f"{prefix}digest algorithm of the signer")
    if rest[0].tag == _SIGNED:
        canvas.element(rest.pop(0), f"{prefix}signed attributes")
    canvas.element(rest[0], f"{prefix}signature algorithm")
    canvas.element(rest[1], f"{prefix}signature")
    for field in rest[2:]:
        if field.tag == _UNSIGNED:
            canvas.element(field, f"{prefix}unsigned attributes")
            for attribute in canvas.children(field):
                _unsigned_attribute(canvas, attribute, roles)


def _unsigned_attribute(canvas: _Canvas, attribute: der.Element, roles: Roles) -> None:
    kind, values = canvas.children(attribute)
    name = der.read_oid(kind.contents(canvas.data))
    for value in canvas.children(values):
        if name == oids.RFC3161_TIMESTAMP:
            _signed_data(canvas, value.start, roles, "timestamp: ")
        elif name == oids.COUNTER_SIGNATURE:
            _signer(canvas, value, roles, "timestamp: ")

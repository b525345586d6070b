"""Change one element of a DER structure, and mend the lengths of those around it."""

from __future__ import annotations

import random

from signer.asn1 import der, oids
from signer.errors import SignatureFormatError
from tests.fuzz.mutation import mutated_bytes

_TAGS = tuple(bytes.fromhex("0102030405060c131617181e30318081a0a1a3"))
_OIDS = tuple(
    der.oid(getattr(oids, name))
    for name in dir(oids)
    if name.isupper() and isinstance(getattr(oids, name), str) and "." in getattr(oids, name)
)
_CONTENTS: dict[int, tuple[bytes, ...]] = {
    0x01: (b"\0", b"\xff", b"\1", b""),
    0x02: (
        b"",
        b"\0",
        b"\xff",
        b"\x80",
        b"\0\0\1",
        b"\x7f" * 8,
        b"\xff" * 9,
        b"\0" + b"\xff" * 20,
        b"\1" * 200,
        b"\x7f" * 1800,
    ),
    0x03: (b"", b"\0", b"\7", b"\xff\xff", b"\0\0"),
    0x06: (b"", b"\x80\1", b"\xff", b"\x88\x37", b"\x2b" + b"\xff" * 20 + b"\x7f", b"\x2a\x03\x80\x01"),
    0x17: (b"", b"991231235959Z", b"000101000000Z", b"2406010000Z", b"240601000000+0100", b"24023000\xd9\xa0000Z"),
    0x18: (b"99991231235959Z", b"00000101000000Z", b"20240601000000.5Z", b"20240601000000", b"20240601240000Z"),
}
_DEPTH = 130


def mutated_der(data: bytes, chooser: random.Random) -> bytes:
    """Change one element of `data`; of data that is not DER, some bytes."""
    try:
        path = _path(data, chooser)
        *ancestors, chosen = path
        new = _changed(data, chosen, chooser)
        for parent in reversed(ancestors):
            new = der.tlv(parent.tag, data[parent.body : chosen.start], new, data[chosen.end : parent.end])
            chosen = parent
        return data[: chosen.start] + new + data[chosen.end :]
    except (SignatureFormatError, IndexError):
        return mutated_bytes(data, chooser)


def _path(data: bytes, chooser: random.Random) -> list[der.Element]:
    """Choose an element at random, and return it behind those around it; large ones are opened more often."""
    path = [der.read(data)]
    while inside := _inside(data, path[-1]):
        if len(path) > 1 and chooser.random() < 0.12:
            break
        sizes = [one.end - one.start for one in inside] if chooser.random() < 0.5 else None
        path.append(chooser.choices(inside, sizes)[0])
    return path


def _inside(data: bytes, element: der.Element) -> list[der.Element]:
    """Return the elements inside a constructed element, or inside an OCTET STRING that holds exactly one."""
    try:
        if element.tag & 0x20:
            return list(der.children(data, element))
        if element.tag == der.OCTET_STRING and element.end - element.body > 2:
            one = der.read(data, element.body, element.end)
            return [one] if one.end == element.end and one.tag in (der.SEQUENCE, der.OCTET_STRING) else []
    except SignatureFormatError:
        pass
    return []


def _changed(data: bytes, chosen: der.Element, chooser: random.Random) -> bytes:
    """Return the bytes that replace an element."""
    whole, contents, tag = chosen.whole(data), chosen.contents(data), chosen.tag
    match chooser.randrange(14):
        case 0:
            return b""
        case 1:
            return whole * chooser.choice((2, 2, 2, 9))
        case 2:
            return _other(data, chooser).whole(data)
        case 3:
            return whole + _other(data, chooser).whole(data)
        case 4:
            return der.tlv(chooser.choice(_TAGS), contents)
        case 5:
            return der.tlv(chooser.choice((0x30, 0x31, 0xA0, 0xA1, 0x04)), whole)
        case 6:
            return contents
        case 7:
            return chooser.choice(_OIDS) if tag == der.OID or chooser.random() < 0.2 else der.tlv(tag)
        case 8:
            return _nested(whole, chooser)
        case 9:
            return _not_der(whole, tag, contents, chooser)
        case 10 | 11 if tag in _CONTENTS:
            return der.tlv(tag, chooser.choice(_CONTENTS[tag]))
        case 12:
            inside = [one.whole(data) for one in _inside(data, chosen)]
            chooser.shuffle(inside)
            return der.tlv(tag, *inside) if inside else der.tlv(tag, contents[::-1])
        case _:
            return der.tlv(tag, mutated_bytes(contents, chooser))


def _other(data: bytes, chooser: random.Random) -> der.Element:
    return _path(data, chooser)[-1]


def _nested(whole: bytes, chooser: random.Random) -> bytes:
    """Wrap an element many times, rarely: readers must not recurse without limit."""
    if chooser.random() < 0.9:
        return whole
    for _ in range(_DEPTH):
        whole = der.sequence(whole)
    return whole


def _not_der(whole: bytes, tag: int, contents: bytes, chooser: random.Random) -> bytes:
    """Encode an element as BER: of indefinite length, of a length with leading zeros, or in a constructed string."""
    match chooser.randrange(3):
        case 0:
            return bytes((tag | 0x20, 0x80)) + contents + b"\0\0"
        case 1:
            return bytes((tag, 0x84)) + len(contents).to_bytes(4, "big") + contents
        case _:
            return der.tlv(tag | 0x20, whole)

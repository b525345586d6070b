"""Read and write DER without building objects. Source: X.690.

A catalog has tens of thousands of members, and libraries build an object for each of their fields. Writing the bytes
directly also makes them identical to those of Microsoft's tools.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from signer.errors import NotDerError, SignatureFormatError

INTEGER, BIT_STRING, OCTET_STRING, OID, UTF8_STRING = 0x02, 0x03, 0x04, 0x06, 0x0C
UTC_TIME, GENERALIZED_TIME, BMP_STRING = 0x17, 0x18, 0x1E
SEQUENCE, SET = 0x30, 0x31

_TIME_SIZES = {UTC_TIME: (10, 12), GENERALIZED_TIME: (14,)}
"""Numbers of digits from the year to the minute or second."""

_Bytes = bytes | memoryview
_HAS_MORE_OCTETS, _IS_RESERVED = frozenset(range(0x1F, 256, 0x20)), frozenset({0x00, 0x20})
IS_READABLE = bytes(tag not in _HAS_MORE_OCTETS | _IS_RESERVED for tag in range(256))
"""Whether an identifier octet is one of DER: not the first of several, and not the universal tag 0 (X.690, 8.1.5)."""


class Element(NamedTuple):
    """One tag-length-value element, as offsets into its buffer."""

    tag: int
    """The identifier octet. These formats have no tags of several octets."""
    start: int
    """Offset of the tag."""
    body: int
    """Offset of the contents."""
    end: int
    """Offset of the end of the contents."""

    def contents(self, data: _Bytes) -> bytes:
        """Return the contents octets."""
        return bytes(data[self.body : self.end])

    def whole(self, data: _Bytes) -> bytes:
        """Return tag, length and contents."""
        return bytes(data[self.start : self.end])


def read(data: _Bytes, offset: int = 0, end: int | None = None) -> Element:
    """Return the element at `offset`, which must end at or before `end` (default: the end of `data`).

    Raises SignatureFormatError, and its subclass NotDerError for BER, with the offset.
    """
    limit = len(data) if end is None else end
    body = offset + 2
    if body > limit:
        raise SignatureFormatError("the DER is truncated in the middle of an element", offset=offset)
    tag, length = data[offset], data[offset + 1]
    if length < 0x80 and IS_READABLE[tag] and body + length <= limit:  # nearly all elements
        return tuple.__new__(Element, (tag, offset, body, body + length))
    if tag in _HAS_MORE_OCTETS:
        raise SignatureFormatError(
            "a DER tag has more than one byte: no signature format uses such tags", offset=offset
        )
    if tag in _IS_RESERVED:
        raise SignatureFormatError(
            "an element has the tag 0, which only ends elements of BER with an indefinite length", offset=offset
        )
    if length == 0x80:
        raise NotDerError("an element has a BER indefinite length, which DER forbids", offset=offset)
    if length > 0x80:
        size = length & 0x7F
        if size > 4 or body + size > limit:
            raise SignatureFormatError("a DER length exceeds the enclosing element", offset=offset)
        length = int.from_bytes(data[body : body + size], "big")
        if length < 0x80 or length >> (8 * (size - 1)) == 0:
            raise NotDerError("a length is not in its shortest form, which DER requires", offset=offset)
        body += size
    if body + length > limit:
        raise SignatureFormatError("a DER length exceeds the enclosing element", offset=offset)
    return tuple.__new__(Element, (tag, offset, body, body + length))


def expect(data: _Bytes, offset: int, tag: int, description: str, end: int | None = None) -> Element:
    """Return the element at `offset`, which must have `tag`. `description` names it in errors, such as "an OID".

    Raises SignatureFormatError.
    """
    element = read(data, offset, end)
    if element.tag != tag:
        raise SignatureFormatError(f"expected {description}, found the DER tag {element.tag:#04x}", offset=offset)
    return element


def children(data: _Bytes, parent: Element) -> Iterator[Element]:
    """Yield the elements inside a constructed element. Raises SignatureFormatError."""
    offset, end = parent.body, parent.end
    while offset < end:
        element = read(data, offset, end)
        yield element
        offset = element.end


def first_children(data: _Bytes, parent: Element, limit: int) -> list[Element]:
    """Return at most `limit + 1` elements inside a constructed element: one more than the limit shows an excess.

    Raises SignatureFormatError.
    """
    return list(islice(children(data, parent), limit + 1))


def exact_children(data: _Bytes, parent: Element, count: int) -> list[Element] | None:
    """Return the elements inside a constructed element, or None if there are not `count` of them.

    Raises SignatureFormatError.
    """
    found, offset, end = [], parent.body, parent.end
    for _ in range(count):
        if offset == end:
            return None
        element = read(data, offset, end)
        found.append(element)
        offset = element.end
    return found if offset == end else None


def total_length(data: _Bytes) -> int:
    """Return the size in bytes of the first element of `data`, with tag and length. Raises SignatureFormatError."""
    return read(data).end


def tlv(tag: int, *contents: bytes) -> bytes:
    """Encode an element with these contents."""
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        return b"%c%c%b" % (tag, size, body)
    return _head(tag, size) + body


def enclosed(tag: int, pieces: Sequence[bytes]) -> list[bytes]:
    """Return the pieces of an element with these contents: large ones are joined once, and not at each level."""
    return [_head(tag, sum(map(len, pieces))), *pieces]


def _head(tag: int, size: int) -> bytes:
    """Encode tag and length."""
    if size < 0x80:
        return bytes((tag, size))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return b"%c%c%b" % (tag, 0x80 | len(length), length)


def sequence(*parts: bytes) -> bytes:
    """Encode a SEQUENCE of encoded parts."""
    return tlv(SEQUENCE, *parts)


def set_of(parts: Iterable[bytes]) -> bytes:
    """Encode a SET OF, its parts in DER order (X.690, 11.6): ascending, as if padded with zero octets."""
    return tlv(SET, *sorted(parts))


def explicit(number: int, *parts: bytes) -> bytes:
    """Encode `[number] EXPLICIT`, or a constructed `[number] IMPLICIT`."""
    return tlv(0xA0 | number, *parts)


def integer(value: int) -> bytes:
    """Encode an INTEGER."""
    return tlv(INTEGER, value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True))


def octets(value: _Bytes) -> bytes:
    """Encode an OCTET STRING."""
    return tlv(OCTET_STRING, bytes(value))


def bmp_string(text: str) -> bytes:
    """Encode a BMPString. Characters outside the BMP become surrogate pairs, as Windows writes them."""
    return tlv(BMP_STRING, text.encode("utf-16-be", "surrogatepass"))


def null() -> bytes:
    """Encode NULL."""
    return b"\x05\x00"


def time(moment: datetime) -> bytes:
    """Encode a Time in UTC and whole seconds: UTCTime until 2049, then GeneralizedTime (RFC 5280, 4.1.2.5)."""
    utc = moment.astimezone(UTC)
    if utc.year < 2050:
        return tlv(UTC_TIME, f"{utc:%y%m%d%H%M%SZ}".encode("ascii"))
    return tlv(GENERALIZED_TIME, f"{utc:%Y%m%d%H%M%SZ}".encode("ascii"))


def read_time(data: _Bytes, element: Element) -> datetime:
    """Decode a UTCTime or GeneralizedTime to an aware datetime in UTC. Raises SignatureFormatError.

    A UTCTime is from 1950 to 2049 (RFC 5280, 4.1.2.5.1) and may lack its seconds; a GeneralizedTime may have up to six
    digits of a fraction.
    """
    text = element.contents(data).decode("ascii", "replace")
    digits, point, fraction = text.removesuffix("Z").partition(".")
    if (
        text.endswith("Z")
        and len(digits) in _TIME_SIZES.get(element.tag, ())
        and (digits + fraction).isdecimal()
        and (not point or (element.tag == GENERALIZED_TIME and 0 < len(fraction) <= 6))
    ):
        if element.tag == UTC_TIME:
            digits = f"{'19' if digits >= '50' else '20'}{digits:0<12}"
        month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
        with contextlib.suppress(ValueError):
            return datetime(int(digits[:4]), month, day, hour, minute, second, int(f"{fraction:0<6}"), UTC)
    raise SignatureFormatError(f"{text!r} is not a valid UTCTime or GeneralizedTime", offset=element.start)


@lru_cache(maxsize=1024)
def oid(dotted: str) -> bytes:
    """Encode an OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    return tlv(OID, b"".join(_base128(arc) for arc in (first * 40 + second, *rest)))


@lru_cache(maxsize=1024)
def read_oid(contents: bytes) -> str:
    """Decode the contents octets of an OBJECT IDENTIFIER to its dotted form. Raises SignatureFormatError."""
    if not contents or contents[-1] & 0x80:
        raise SignatureFormatError("an object identifier is truncated")
    if len(contents) > 127:
        raise SignatureFormatError("an object identifier has more than 127 bytes")
    arcs, value, begins = [], 0, True
    for octet in contents:
        if begins and octet == 0x80:
            raise SignatureFormatError("an object identifier is not in its shortest form")
        begins = not octet & 0x80
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - first * 40, *arcs[1:])))


def _base128(value: int) -> bytes:
    octets_ = [value & 0x7F]
    while value := value >> 7:
        octets_.append(0x80 | value & 0x7F)
    return bytes(reversed(octets_))

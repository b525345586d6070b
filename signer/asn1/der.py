"""DER, written by hand where the bytes must be Microsoft's, and walked without building objects.

Source: X.690. Catalogs have tens of thousands of members, and asn1crypto builds an object for each field of each.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from signer.errors import NotDerError, SignatureFormatError

INTEGER, BIT_STRING, OCTET_STRING, OID, UTF8_STRING = 0x02, 0x03, 0x04, 0x06, 0x0C
UTC_TIME, GENERALIZED_TIME, BMP_STRING = 0x17, 0x18, 0x1E
SEQUENCE, SET = 0x30, 0x31

_Bytes = bytes | memoryview
_CONSTRUCTED = 0x20
_DEEPEST = 100
_MOST_ELEMENTS = 4_000_000


class Element(NamedTuple):
    """One tag-length-value, as offsets into the buffer that it was found in."""

    tag: int
    """The identifier octet; multi-octet tags do not occur in these formats."""
    start: int
    """Where the tag is."""
    body: int
    """Where the contents begin."""
    end: int
    """Where the contents end."""

    def contents(self, data: _Bytes) -> bytes:
        """The contents octets."""
        return bytes(data[self.body : self.end])

    def whole(self, data: _Bytes) -> bytes:
        """Tag, length and contents."""
        return bytes(data[self.start : self.end])


def read(data: _Bytes, offset: int = 0, end: int | None = None) -> Element:
    """The element at `offset`, which must end by `end`. Raises SignatureFormatError with the offset, NotDerError."""
    limit = len(data) if end is None else end
    if offset + 2 > limit:
        raise SignatureFormatError("the DER ends in the middle of a structure", offset=offset)
    tag, length, body = data[offset], data[offset + 1], offset + 2
    if tag & 0x1F == 0x1F:
        raise SignatureFormatError("a DER tag of more than one byte, which no signature format uses", offset=offset)
    if length == 0x80:
        raise NotDerError("BER indefinite length where DER is required", offset=offset)
    if length > 0x80:
        size = length & 0x7F
        if size > 4 or body + size > limit:
            raise SignatureFormatError("a DER length that runs beyond the end", offset=offset)
        length = int.from_bytes(data[body : body + size], "big")
        if length < 0x80 or length >> (8 * (size - 1)) == 0:
            raise NotDerError("a DER length that is not in its shortest form", offset=offset)
        body += size
    if body + length > limit:
        raise SignatureFormatError("a DER length that runs beyond the end", offset=offset)
    return Element(tag, offset, body, body + length)


def expect(data: _Bytes, offset: int, tag: int, what: str, end: int | None = None) -> Element:
    """The element at `offset`, which must have `tag`; `what` names it. Raises SignatureFormatError."""
    element = read(data, offset, end)
    if element.tag != tag:
        raise SignatureFormatError(f"expected {what}, found the DER tag {element.tag:#04x}", offset=offset)
    return element


def children(data: _Bytes, parent: Element) -> Iterator[Element]:
    """The elements inside a constructed one. Raises SignatureFormatError."""
    offset = parent.body
    while offset < parent.end:
        element = read(data, offset, parent.end)
        yield element
        offset = element.end


def first_children(data: _Bytes, parent: Element, most: int) -> list[Element]:
    """The elements inside a constructed one, no more than `most` and one: enough to see that there are too many."""
    return list(islice(children(data, parent), most + 1))


def two_children(data: _Bytes, parent: Element) -> tuple[Element, Element] | None:
    """The elements inside a constructed one that has two; None for any other number. Raises SignatureFormatError."""
    if parent.body == parent.end:
        return None
    first = read(data, parent.body, parent.end)
    if first.end == parent.end:
        return None
    second = read(data, first.end, parent.end)
    return (first, second) if second.end == parent.end else None


def require_der(data: _Bytes, most: int = _MOST_ELEMENTS) -> None:
    """Raise SignatureFormatError unless `data` is one element in definite lengths with nothing behind it.

    The insides of OCTET STRINGs are not looked at, and no deeper than any signature format nests. No more than `most`
    elements are walked, so that what is made of nothing but tiny ones is soon refused; a catalog of 50,000 files has
    fewer than three million.
    """
    whole = read(data)
    if whole.end != len(data):
        raise SignatureFormatError(f"{len(data) - whole.end} bytes follow the structure", offset=whole.end)
    if whole.tag & _CONSTRUCTED:
        _walk(bytes(data), whole, most)


def _walk(data: bytes, whole: Element, most: int) -> None:
    """Every element inside `whole`, in one pass; short lengths, which nearly all have, are read on the spot."""
    offset, ends = whole.body, [whole.end]
    for _ in range(most):
        while ends and offset == ends[-1]:
            ends.pop()
        if not ends:
            return
        end = ends[-1]
        if end - offset >= 2 and (size := data[offset + 1]) < 0x80 and (tag := data[offset]) & 0x1F != 0x1F:
            body = offset + 2
            offset = body + size
            if offset > end:
                raise SignatureFormatError("a DER length that runs beyond the end", offset=body - 2)
        else:
            tag, start, body, offset = read(data, offset, end)
            if tag == OID:
                raise SignatureFormatError("an object identifier of more than 127 bytes", offset=start)
        if tag & _CONSTRUCTED:
            if len(ends) > _DEEPEST:
                raise SignatureFormatError("a structure that is nested too deeply", offset=body)
            ends.append(offset)
            offset = body
    raise SignatureFormatError(f"more than {most:,} elements, which no signature has", offset=offset)


def total_length(data: _Bytes) -> int:
    """How many bytes the first element of `data` takes, its tag and length among them. Raises SignatureFormatError."""
    return read(data).end


def tlv(tag: int, *contents: bytes) -> bytes:
    """An element with these contents."""
    body = b"".join(contents)
    size = len(body)
    if size < 0x80:
        return b"%c%c%b" % (tag, size, body)
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return b"%c%c%b%b" % (tag, 0x80 | len(length), length, body)


def sequence(*parts: bytes) -> bytes:
    """A SEQUENCE of encoded parts."""
    return tlv(SEQUENCE, *parts)


def set_of(parts: Iterable[bytes]) -> bytes:
    """A SET OF with its parts in DER's order (X.690, 11.6): ascending, shorter ones padded with zero octets."""
    return tlv(SET, *sorted(parts))


def explicit(number: int, *parts: bytes) -> bytes:
    """`[number] EXPLICIT`, or a constructed `[number] IMPLICIT`."""
    return tlv(0xA0 | number, *parts)


def integer(value: int) -> bytes:
    """An INTEGER."""
    return tlv(INTEGER, value.to_bytes((value + (value < 0)).bit_length() // 8 + 1, "big", signed=True))


def octets(value: _Bytes) -> bytes:
    """An OCTET STRING."""
    return tlv(OCTET_STRING, bytes(value))


def bmp_string(text: str) -> bytes:
    """A BMPString; characters beyond the BMP become surrogate pairs, as Windows writes them."""
    return tlv(BMP_STRING, text.encode("utf-16-be", "surrogatepass"))


def null() -> bytes:
    """NULL."""
    return b"\x05\x00"


def time(moment: datetime) -> bytes:
    """A Time: UTCTime until 2049, then GeneralizedTime (RFC 5280, 4.1.2.5), in UTC and whole seconds."""
    utc = moment.astimezone(UTC)
    if utc.year < 2050:
        return tlv(UTC_TIME, f"{utc:%y%m%d%H%M%SZ}".encode("ascii"))
    return tlv(GENERALIZED_TIME, f"{utc:%Y%m%d%H%M%SZ}".encode("ascii"))


def read_time(data: _Bytes, element: Element) -> datetime:
    """The moment that a UTCTime or GeneralizedTime says, in UTC. Raises SignatureFormatError."""
    text = element.contents(data).decode("ascii", "replace")
    forms = {UTC_TIME: ("%y%m%d%H%M%SZ", "%y%m%d%H%MZ"), GENERALIZED_TIME: ("%Y%m%d%H%M%SZ", "%Y%m%d%H%M%S.%fZ")}
    for form in forms.get(element.tag, ()):
        with contextlib.suppress(ValueError):
            return datetime.strptime(text, form).replace(tzinfo=UTC)
    raise SignatureFormatError(f"not a time: {text!r}", offset=element.start)


@lru_cache(maxsize=1024)
def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    return tlv(OID, b"".join(_base128(arc) for arc in (first * 40 + second, *rest)))


@lru_cache(maxsize=1024)
def read_oid(contents: bytes) -> str:
    """The dotted form of an OBJECT IDENTIFIER's contents. Raises SignatureFormatError."""
    if not contents or contents[-1] & 0x80:
        raise SignatureFormatError("an object identifier that is cut short")
    if len(contents) > 127:
        raise SignatureFormatError("an object identifier of more than 127 bytes")
    arcs, value = [], 0
    for octet in contents:
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

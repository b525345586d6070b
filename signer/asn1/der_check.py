"""Check that data is DER throughout, in one pass and without building objects. Source: X.690."""

from __future__ import annotations

from collections import deque
from itertools import islice

from signer.asn1 import der
from signer.asn1.alike import MAX_SIZE, ByStructure
from signer.errors import SignatureFormatError
from signer.numbers import counted

MAX_DEPTH = 100
MAX_ELEMENTS = 4_000_000

_CONSTRUCTED = 0x20
_PLAIN, _CONTAINER, _IDENTIFIER, _UNREADABLE = range(4)
_KINDS = bytes(
    _UNREADABLE
    if not der.IS_READABLE[tag]
    else _CONTAINER
    if tag & _CONSTRUCTED
    else _IDENTIFIER
    if tag == der.OID
    else _PLAIN
    for tag in range(256)
)
"""How `_walk` treats each tag: contents that it skips, elements inside, an object identifier, refused by `der.read`."""

_MANY = 1 << 14
"""Number of bytes in a container from which its small elements are expected to be alike."""
_MAX_LEVELS = 20
"""Maximum number of levels in an element that is compared with others."""


def require_der(data: bytes | memoryview, limit: int = MAX_ELEMENTS) -> None:
    """Raise SignatureFormatError unless `data` is exactly one element with definite lengths throughout.

    Does not look inside OCTET STRINGs. Refuses deep nesting and more than `limit` elements, so that hostile input takes
    bounded time; a catalog of 50,000 files has fewer than three million elements.
    """
    whole = der.read(data)
    if whole.end != len(data):
        raise SignatureFormatError(
            f"the DER structure is followed by {counted(len(data) - whole.end, 'extra byte')}", offset=whole.end
        )
    if whole.tag & _CONSTRUCTED:
        _walk(bytes(data), whole, limit)
    elif whole.tag == der.OID and (whole.body == whole.end or data[-1] & 0x80):
        raise SignatureFormatError("an object identifier is truncated", offset=whole.start)


def _walk(data: bytes, whole: der.Element, limit: int, depth: int = MAX_DEPTH) -> int:
    """Check every element inside `whole` in one pass; return their number.

    Decodes short lengths, the common case, without a call.
    """
    offset, end, outer, kinds = whole.body, whole.end, [whole.end], _KINDS
    inside, numbers = ByStructure(_number_inside), iter(range(limit))
    for number in numbers:
        while offset == end:
            outer.pop()
            if not outer:
                return number
            end = outer[-1]
        body = offset + 2
        if body <= end and (size := data[offset + 1]) < 0x80 and (kind := kinds[data[offset]]) != _UNREADABLE:
            start, offset = offset, body + size
            if offset > end:
                raise SignatureFormatError("a DER length exceeds the enclosing element", offset=start)
            if kind == _PLAIN:
                continue
            if kind == _IDENTIFIER and (not size or data[offset - 1] & 0x80):
                raise SignatureFormatError("an object identifier is truncated", offset=start)
        else:
            tag, start, body, offset = der.read(data, offset, end)
            kind = kinds[tag]
            if kind == _IDENTIFIER:
                raise SignatureFormatError("an object identifier has more than 127 bytes", offset=start)
        if kind != _CONTAINER:
            continue
        if end - start > _MANY and offset - start <= MAX_SIZE and len(outer) + _MAX_LEVELS <= depth:
            count, after = _count_alike(data, start, end, inside)
            if count:
                deque(islice(numbers, count - 1), maxlen=0)
                offset = after
                continue
        if len(outer) > depth:
            raise SignatureFormatError(f"the DER is nested more than {MAX_DEPTH} levels deep", offset=body)
        end = offset
        outer.append(end)
        offset = body
    raise SignatureFormatError(f"the DER has more than {limit:,} elements", offset=offset)


def _count_alike(data: bytes, offset: int, end: int, inside: ByStructure[int | None]) -> tuple[int, int]:
    """Check small elements from `offset` on; return the number of elements in them, and the offset behind them."""
    count = 0
    for octets, more in inside.each(data, offset, end):
        if more is None:
            break
        count += 1 + more
        offset += len(octets)
    return count, offset


def _number_inside(element: bytes) -> int | None:
    """Return the number of elements inside a small container; None for others, and for one that is malformed."""
    whole = der.read(element)
    if len(element) > MAX_SIZE or _KINDS[whole.tag] != _CONTAINER:
        return None
    try:
        return _walk(element, whole, MAX_SIZE, _MAX_LEVELS - 1)
    except SignatureFormatError:
        return None

"""Check that data is DER throughout, in one pass and without building objects. Source: X.690."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
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
"""Maximum number of levels in an element that is compared with others, or known."""
_MAX_KNOWN_SIZE = 4096
"""Maximum size in bytes of an element that is known when it occurs again. Certificates have 500 to 2,500."""
_KNOWN = 256
"""Number of elements that are known: at most 1 MB."""


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
    shortcuts, numbers = _Shortcuts(), iter(range(limit))
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
        if (offset - start > MAX_SIZE or end - start > _MANY) and len(outer) + _MAX_LEVELS <= depth:
            count, after = shortcuts.count(data, start, offset, end, limit - number - 1)
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


class _Shortcuts:
    """Count elements without reading each: those that are like others nearby, and those that are known.

    Many signatures have the same certificates, and a signature is checked again with the one that it is nested in.
    """

    def __init__(self) -> None:
        self._alike = ByStructure(_number_inside)
        self._tried = 0
        """Offset of the end of the last element that is no shortcut: what is inside it is not tried at each level."""

    def count(self, data: bytes, start: int, after: int, end: int, left: int) -> tuple[int, int]:
        """Return the number of elements in the container at `start`, itself included, and the offset behind it.

        Elements that are like others are counted up to `end`. Zero if there is no shortcut. Fewer than `left` elements
        may be inside a known one.
        """
        if after - start <= MAX_SIZE:
            return self._count_alike(data, start, end)
        if after - start > _MAX_KNOWN_SIZE or start < self._tried:
            return 0, start
        inside = _number_inside_known(data[start:after])
        if inside is not None and inside < left:
            return 1 + inside, after
        self._tried = after
        return 0, start

    def _count_alike(self, data: bytes, offset: int, end: int) -> tuple[int, int]:
        """Count small elements from `offset` on."""
        count = 0
        for octets, inside in self._alike.each(data, offset, end):
            if inside is None:
                break
            count += 1 + inside
            offset += len(octets)
        return count, offset


@lru_cache(_KNOWN)
def _number_inside_known(element: bytes) -> int | None:
    """Return the number of elements inside a container, cached; None for one that is malformed or nested deeply."""
    try:
        return _walk(element, der.read(element), len(element), _MAX_LEVELS - 1)
    except SignatureFormatError:
        return None


def _number_inside(element: bytes) -> int | None:
    """Return the number of elements inside a small container; None for others, and for one that is malformed."""
    whole = der.read(element)
    if len(element) > MAX_SIZE or _KINDS[whole.tag] != _CONTAINER:
        return None
    try:
        return _walk(element, whole, MAX_SIZE, _MAX_LEVELS - 1)
    except SignatureFormatError:
        return None

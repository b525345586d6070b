"""Read elements that have the structure of an earlier one by comparing their structure octets.

The structure octets of an element are those of its tags, lengths and object identifiers, and of those inside it. If two
elements of one size have equal structure octets at equal offsets, all their parts are at equal offsets. A catalog has
tens of thousands of entries of few structures. Python compares an entry in 0.4 µs, and reads each of its ten elements
in 0.25 µs (bench/PROFILE.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, NamedTuple, TypeVar

from signer.asn1 import der
from signer.errors import SignatureFormatError, SignerError

Result = TypeVar("Result")

MAX_SIZE = 512
"""Maximum size in bytes of an element that is compared. The entries of catalogs have 40 to 300, without page hashes."""
_STRUCTURES_A_SIZE = 4
_CONSTRUCTED = 0x20


class _Known(NamedTuple, Generic[Result]):
    """One structure."""

    mask: int
    """A number whose one bits are the structure octets."""
    octets: int
    """The structure octets, and zeros."""
    result: Result


class ByStructure(Generic[Result]):
    """A function of an element (DER) that is called once for each structure, and once more for each size.

    Its result must depend on nothing but the structure octets, such as the offsets of parts.
    """

    def __init__(self, function: Callable[[bytes], Result]) -> None:
        self._function = function
        self._known: dict[int, list[_Known[Result]]] = {}

    def each(self, data: bytes, offset: int, end: int) -> Iterator[tuple[bytes, Result]]:
        """Yield the octets of each element from `offset` to `end`, and the function's result for its structure.

        Raises SignatureFormatError, and what the function raises, with the offset in `data`.
        """
        known, number = self._known, int.from_bytes
        while offset < end:
            octets = data[offset : min(_expected_end(data, offset), end)]
            value = number(octets, "big")
            for mask, structure, of_structure in known.get(len(octets), ()):
                if value & mask == structure:
                    result = of_structure
                    break
            else:
                octets = der.read(data, offset, end).whole(data)
                result = self._read(octets, offset)
            yield octets, result
            offset += len(octets)

    def _read(self, element: bytes, offset: int) -> Result:
        """Call the function, and remember its result for the structure of the element."""
        try:
            result = self._function(element)
        except SignerError as error:
            if error.offset is not None:
                error.offset += offset
            raise
        known = self._known.get(len(element))
        if known is None:  # perhaps the only one of its size, as in most small catalogs
            self._known[len(element)] = []
        elif len(element) <= MAX_SIZE and len(known) < _STRUCTURES_A_SIZE and (mask := _structure_mask(element)):
            known.append(_Known(mask, int.from_bytes(element, "big") & mask, result))
        return result


def _expected_end(data: bytes, offset: int) -> int:
    """Return the end of the element at `offset` without checks: one of a known structure has the length in it."""
    size = data[offset + 1] if offset + 1 < len(data) else 0
    if size < 0x80:
        return offset + 2 + size
    if size == 0x81 and offset + 2 < len(data):
        return offset + 3 + data[offset + 2]
    body = offset + 2 + (size & 0x7F)
    return body + int.from_bytes(data[offset + 2 : body], "big")


def _structure_mask(element: bytes) -> int:
    """Return the number whose one bits are the structure octets of an element; 0 for a malformed one."""
    mask = bytearray(b"\xff" * len(element))
    try:
        left = [der.read(element)]
        while left:
            one = left.pop()
            if one.tag & _CONSTRUCTED:
                left += der.children(element, one)
            elif one.tag != der.OID:
                mask[one.body : one.end] = bytes(one.end - one.body)
    except SignatureFormatError:
        return 0
    return int.from_bytes(mask, "big")

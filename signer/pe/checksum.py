"""The checksum in the header of an image, which the loader compares for every driver.

Source: IMAGE_OPTIONAL_HEADER.CheckSum ("PE Format", Microsoft), as CheckSumMappedFile computes it: the one's complement
sum of all 16-bit words but its own, plus the length of the file.
"""

from __future__ import annotations

from collections.abc import Iterable

_CHUNK = 1 << 20
_CARRY = 0xFFFF
POLY1305_MIN_SIZE = 1 << 14
_POLY1305_KEY = b"\1" + bytes(31)
"""r = 1 and s = 0 (RFC 8439, 2.5): the tag is nothing but the sum of the blocks."""
_POLY1305_PRIME = (1 << 130) - 5


class WordSum:
    """The sum of bytes as 16-bit words, little endian; they come in pieces, all but the last of even length."""

    def __init__(self) -> None:
        self._total = 0

    def add(self, piece: bytes | memoryview) -> None:
        """Go on with the next piece."""
        view = memoryview(piece)
        total = sum(_sum(view[at : at + _CHUNK]) for at in range(0, len(view), _CHUNK))
        self._total = _folded(self._total + total)

    @property
    def value(self) -> int:
        """The sum with carries added back: 16 bits."""
        return self._total


def checksum(sums: Iterable[int], size: int) -> int:
    """CheckSum of a file of `size` bytes, from the sums of its parts without the field itself."""
    return _folded(sum(sums)) + size


def sum16(data: bytes | memoryview) -> int:
    """The sum of bytes that begin at an even offset."""
    words = WordSum()
    words.add(data)
    return words.value


def _sum(view: memoryview) -> int:
    """A number that leaves the same remainder as the sum of the words, and is zero for zeros only."""
    whole = len(view) // 16 * 16
    found = _sum_by_poly1305(view[:whole]) if whole >= POLY1305_MIN_SIZE else None
    if not found:
        # The bytes are a huge number in base 0x10000, and that base leaves the remainder 1.
        return int.from_bytes(view, "little")
    return found + int.from_bytes(view[whole:], "little")


def _sum_by_poly1305(view: memoryview) -> int | None:
    """The remainder of the sum of 16-byte blocks; None where there is no Poly1305.

    Poly1305 adds blocks modulo its prime p, 2**128 added to each, several times as fast as Python turns bytes into a
    number. For blocks of a low and a high half of 64 bits, with sums L and H, one tag is L + H * 2**64, and that of the
    same bytes shifted by half a block H + L * 2**64. As 2**130 is 5 modulo p, 4 * (2**128 - 1) is 1, and so H is four
    times (the first tag * 2**64 - the second); L follows. A tag lacks its two highest bits, t * 2**128. For want of the
    first one's, H is less by 5 * 2**64 * t and L more by 5 * t; for want of the other's, H is more by 5 * t and L less
    by 5 * 2**64 * t. Both are nothing modulo 0xffff, where 2**64 is 1, and too little to wrap around p.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.poly1305 import Poly1305

    try:
        straight, shifted = Poly1305(_POLY1305_KEY), Poly1305(_POLY1305_KEY)
    except UnsupportedAlgorithm:  # as where only FIPS 140 counts
        return None
    straight.update(view)
    for part in (bytes(8), view, bytes(8)):
        shifted.update(part)
    blocks = len(view) // 16
    first = int.from_bytes(straight.finalize(), "little") - (blocks << 128)
    second = int.from_bytes(shifted.finalize(), "little") - (blocks + 1 << 128)
    high = _nearest_to_zero(4 * ((first << 64) - second))
    low = _nearest_to_zero(first - (high << 64))
    return (high + low) % _CARRY


def _nearest_to_zero(number: int) -> int:
    """The number of least size among those that equal this one modulo Poly1305's prime."""
    least = number % _POLY1305_PRIME
    return least if least <= _POLY1305_PRIME // 2 else least - _POLY1305_PRIME


def _folded(total: int) -> int:
    """A sum with carries added back is the sum modulo 0xffff, but for zero, which only zeros sum up to."""
    return total % _CARRY or (_CARRY if total else 0)

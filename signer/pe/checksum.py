"""Compute the checksum in an image's header, which the Windows loader verifies for every driver.

Source: IMAGE_OPTIONAL_HEADER.CheckSum ("PE Format", Microsoft), as CheckSumMappedFile computes it: the one's complement
sum of all 16-bit words except the field itself, plus the size of the file.
"""

from __future__ import annotations

from collections.abc import Iterable

_CHUNK = 1 << 20
_CARRY = 0xFFFF
POLY1305_MIN_SIZE = 1 << 14
_POLY1305_KEY = b"\1" + bytes(31)
"""r = 1 and s = 0 (RFC 8439, 2.5): the tag is the plain sum of the blocks."""
_POLY1305_PRIME = (1 << 130) - 5


class WordSum:
    """Sum up bytes as 16-bit little-endian words, piece by piece. Every piece but the last must have an even size."""

    def __init__(self) -> None:
        self._total = 0

    def add(self, piece: bytes | memoryview) -> None:
        """Add the next piece to the sum."""
        view = memoryview(piece)
        total = sum(_sum(view[at : at + _CHUNK]) for at in range(0, len(view), _CHUNK))
        self._total = _folded(self._total + total)

    @property
    def value(self) -> int:
        """The sum with carries added back: 16 bits."""
        return self._total


def checksum(sums: Iterable[int], size: int) -> int:
    """Return the CheckSum of a file of `size` bytes from the sums of its parts without the CheckSum field."""
    return _folded(sum(sums)) + size


def sum16(data: bytes | memoryview) -> int:
    """Return the 16-bit sum of bytes that begin at an even offset."""
    words = WordSum()
    words.add(data)
    return words.value


def _sum(view: memoryview) -> int:
    """Return a number that is congruent to the sum of the words modulo 0xffff, and zero only for zero bytes."""
    whole = len(view) // 16 * 16
    found = _sum_by_poly1305(view[:whole]) if whole >= POLY1305_MIN_SIZE else None
    if not found:
        # The bytes are one large number in base 0x10000, and 0x10000 modulo 0xffff is 1.
        return int.from_bytes(view, "little")
    return found + int.from_bytes(view[whole:], "little")


def _sum_by_poly1305(view: memoryview) -> int | None:
    """Return the sum of 16-byte blocks modulo 0xffff, or None if OpenSSL does not provide Poly1305.

    Poly1305 adds blocks modulo its prime p, with 2**128 added to each, several times faster than Python converts bytes
    to a number. Let each block consist of a low and a high half of 64 bits, with the sums L and H over all blocks. The
    tag of the bytes is L + H * 2**64; the tag of the same bytes shifted by half a block is H + L * 2**64. Because
    2**130 is 5 modulo p, 4 * (2**128 - 1) is 1, so H is 4 * (first tag * 2**64 - second tag), and L follows. A tag
    lacks its two highest bits, t * 2**128. The missing bits of the first tag decrease H by 5 * 2**64 * t and increase L
    by 5 * t; those of the second tag increase H by 5 * t and decrease L by 5 * 2**64 * t. Both changes cancel out
    modulo 0xffff, where 2**64 is 1, and are too small to wrap around p.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.poly1305 import Poly1305

    try:
        straight, shifted = Poly1305(_POLY1305_KEY), Poly1305(_POLY1305_KEY)
    except UnsupportedAlgorithm:  # for example in FIPS mode
        return None
    straight.update(view)
    for part in (bytes(8), view, bytes(8)):
        shifted.update(part)
    blocks = len(view) // 16
    first = int.from_bytes(straight.finalize(), "little") - (blocks << 128)
    second = int.from_bytes(shifted.finalize(), "little") - (blocks + 1 << 128)
    high = _balanced_residue(4 * ((first << 64) - second))
    low = _balanced_residue(first - (high << 64))
    return (high + low) % _CARRY


def _balanced_residue(number: int) -> int:
    """Return the residue of `number` modulo Poly1305's prime that is closest to zero; it can be negative."""
    least = number % _POLY1305_PRIME
    return least if least <= _POLY1305_PRIME // 2 else least - _POLY1305_PRIME


def _folded(total: int) -> int:
    """Fold a sum to 16 bits, carries added back: the sum modulo 0xffff, but 0xffff instead of 0 unless it is 0."""
    return total % _CARRY or (_CARRY if total else 0)

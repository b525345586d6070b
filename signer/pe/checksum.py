"""The checksum in the header of an image, which the loader compares for every driver.

Source: IMAGE_OPTIONAL_HEADER.CheckSum ("PE Format", Microsoft), as CheckSumMappedFile computes it: the one's complement
sum of all 16-bit words but its own, plus the length of the file.
"""

from __future__ import annotations

from collections.abc import Iterable

_CHUNK = 1 << 20
_CARRY = 0xFFFF


class WordSum:
    """The sum of bytes as 16-bit words, little endian; they come in pieces, all but the last of even length."""

    def __init__(self) -> None:
        self._total = 0

    def add(self, piece: bytes | memoryview) -> None:
        """Go on with the next piece."""
        # Pieces are added as the huge numbers that they are, since it is division that takes long.
        view = memoryview(piece)
        total = sum(int.from_bytes(view[at : at + _CHUNK], "little") for at in range(0, len(view), _CHUNK))
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


def _folded(total: int) -> int:
    """A sum with carries added back is the sum modulo 0xffff, but for zero, which only zeros sum up to."""
    return total % _CARRY or (_CARRY if total else 0)

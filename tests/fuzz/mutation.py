"""Change bytes and texts at random, without knowledge of their format."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

INTERESTING = (0, 1, 0x30, 0x7F, 0x80, 0xFF)
SIZES = (1, 2, 3, 4, 8, 16, 32, 64)
_WINDOW = 6
"""A few lines of a text are read faster than all, and say as much about a reader of lines."""


def mutated_bytes(data: bytes, chooser: random.Random) -> bytes:
    """Flip a bit, set, delete, double or move some bytes, or truncate."""
    result = bytearray(data or b"\0")
    place, length = chooser.randrange(len(result)), chooser.choice(SIZES)
    match chooser.randrange(8):
        case 0:
            result[place] ^= 1 << chooser.randrange(8)
        case 1:
            result[place] = chooser.randrange(256)
        case 2:
            result[place : place + length] = bytes([chooser.choice(INTERESTING)]) * length
        case 3:
            del result[place : place + length]
        case 4:
            result[place:place] = result[place : place + length]
        case 5:
            source = chooser.randrange(len(result))
            result[place : place + length] = result[source : source + length]
        case 6:
            value = chooser.choice((0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF))
            result[place : place + 4] = value.to_bytes(4, "little")
        case _:
            if chooser.random() < 0.2:
                del result[place:]
            else:
                result[place] = (result[place] + chooser.randrange(-4, 5)) & 0xFF
    return bytes(result)


def text_mutator(pieces: Sequence[str], encodings: Sequence[str] = ("utf-8",)) -> Callable[..., bytes]:
    """Return a mutator of texts that changes lines and inserts `pieces`, words that mean something in the format."""
    words = tuple(piece.encode(encoding) for piece in pieces for encoding in encodings)

    def mutated_text(data: bytes, chooser: random.Random) -> bytes:
        kind = chooser.randrange(7)
        if kind == 0:
            return mutated_bytes(data, chooser)
        if kind < 3:
            place = chooser.randrange(len(data) + 1)
            return data[:place] + chooser.choice(words) + data[place + chooser.choice((0, 0, 1, 4)) :]
        lines = data.splitlines(keepends=True) or [b""]
        one, other = chooser.randrange(len(lines)), chooser.randrange(len(lines))
        if kind == 3:
            lines[one], lines[other] = lines[other], lines[one]
        elif kind == 4:
            lines.insert(one, lines[other])
        elif kind == 5:
            lines = lines[one : one + chooser.randrange(1, _WINDOW)]
        else:
            del lines[one]
        return b"".join(lines)

    return mutated_text

"""Read numbers from text of untrusted files, and write them in sentences."""

from __future__ import annotations

_MAX_DIGITS = 20
"""More than the digits of any 64-bit number. Python refuses to convert thousands of digits."""


def decimal(text: str) -> int | None:
    """Return the number that `text` writes in ASCII digits, or None if it is not a number or has too many digits.

    `str.isdigit` also accepts characters that `int` refuses, such as superscripts.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else None


def counted(number: int, noun: str) -> str:
    """Return the number and the noun, in the plural unless the number is 1."""
    return f"{number} {noun}{'' if number == 1 else 's'}"

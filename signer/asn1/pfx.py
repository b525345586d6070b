"""Read the iteration counts of a PFX (PKCS #12) without a password.

Sources: RFC 7292, 4 (MacData) and appendix C; RFC 8018, A.2 (PBKDF2-params) and A.3; RFC 7914, 7 (scrypt-params). In
each of them the count is the INTEGER behind the salt, an OCTET STRING.

The file is scanned for these pairs and not parsed: what one parser refuses another one opens, and a count that is not
found is not limited.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from signer.asn1 import der

_SCRYPT_NUMBERS = 3
"""N, r and p of scrypt, whose time is their product."""
_MAX_LEVELS = 8
"""Levels of OCTET STRINGs that contain ASN.1; a PFX has two."""
_MAX_NUMBER_SIZE = 8
"""Bytes of the longest count; the order of an elliptic curve is longer, and follows an OCTET STRING too."""
_CONSTRUCTED, _LONG_TAG, _INDEFINITE, _END = 0x20, 0x1F, 0x80, 0x00


def iterations(data: bytes) -> int:
    """Return how many iterations opening a PFX takes in all, in DER or BER; 0 if the data contains no count.

    Those of its MAC, its encrypted contents and its unencrypted bags with keys are added up.
    """
    return _sum(memoryview(data), _MAX_LEVELS)


def _sum(data: memoryview, levels: int) -> int:
    """Add up the counts in `data` and inside its OCTET STRINGs, which may be split into several ones (BER)."""
    total, strings, numbers = 0, list[memoryview](), list[int]()
    for tag, contents in (*_primitives(data), (_END, memoryview(b""))):
        if tag == der.INTEGER and strings and 0 < len(contents) <= _MAX_NUMBER_SIZE:
            numbers.append(int.from_bytes(contents, "big"))
        elif tag == der.OCTET_STRING and not numbers:
            strings.append(contents)
        else:
            total += math.prod(numbers) if len(numbers) == _SCRYPT_NUMBERS else sum(numbers[:1])
            inside = b"".join(strings)
            if levels and inside[:1] == b"\x30":
                total += _sum(memoryview(inside), levels - 1)
            strings, numbers = [contents] if tag == der.OCTET_STRING else [], []
    return total


def _primitives(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield tag and contents of the primitive elements in BER, in their order; stop where the data ends too early."""
    place = 0
    while place + 2 <= len(data):
        tag, place = data[place], place + 1
        if tag & _LONG_TAG == _LONG_TAG:
            while place + 1 < len(data) and data[place] & 0x80:
                place += 1
            place += 1
        length, place = int.from_bytes(data[place : place + 1]), place + 1
        if length > _INDEFINITE:
            size = length & 0x7F
            length, place = int.from_bytes(data[place : place + size]), place + size
        if tag != _END and not tag & _CONSTRUCTED:
            yield tag, data[place : place + length]
            place += length

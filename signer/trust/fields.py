"""Extract the certificate fields that path building compares, as their original bytes.

Windows chains names by comparing their DER (CertCompareCertificateName), and roots are pinned by the SHA-256 of the
SubjectPublicKeyInfo. Encoding a parsed name or key again may produce different bytes, so the original ones are copied.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from cryptography import x509

from signer.asn1 import der
from signer.certificates import per_certificate
from signer.errors import CertificateError, SignatureFormatError
from signer.records import dataclass

_VERSION = 0xA0


@dataclass(frozen=True, slots=True)
class Fields:
    """Issuer, subject and SubjectPublicKeyInfo as DER (RFC 5280, 4.1)."""

    issuer: bytes
    subject: bytes
    spki: bytes


@lru_cache(maxsize=1024)
def key_identity(spki: bytes) -> str:
    """Return the SHA-256 of a SubjectPublicKeyInfo in upper-case hex, which pins a root."""
    return hashlib.sha256(spki).hexdigest().upper()


@per_certificate
def fields_of(certificate: x509.Certificate) -> Fields:
    """Return the fields of a loaded certificate. Raises CertificateError."""
    return _walk(certificate.tbs_certificate_bytes, 0)


def fields_of_der(data: bytes) -> Fields:
    """Return the fields of a DER certificate without parsing the rest. Raises CertificateError."""
    try:
        return _walk(data, der.expect(data, 0, der.SEQUENCE, "a certificate").body)
    except SignatureFormatError as error:
        raise CertificateError(error.message, offset=error.offset) from error


def _walk(data: bytes, offset: int) -> Fields:
    """Read TBSCertificate: [version] serial signature issuer validity subject subjectPublicKeyInfo."""
    try:
        element = der.read(data, der.expect(data, offset, der.SEQUENCE, "a TBSCertificate").body)
        if element.tag == _VERSION:
            element = der.read(data, element.end)
        spans = []
        for _ in range(5):
            element = der.expect(data, element.end, der.SEQUENCE, "a SEQUENCE in a certificate")
            spans.append(element.whole(data))
    except SignatureFormatError as error:
        raise CertificateError(error.message, offset=error.offset) from error
    return Fields(issuer=spans[1], subject=spans[3], spki=spans[4])

"""The fields of a certificate that paths are built with, as the bytes that stand in it.

Windows chains names by comparing their DER (CertCompareCertificateName), and roots are pinned by the SHA-256 of the
SubjectPublicKeyInfo. Encoding a parsed name or key again need not give the same bytes, so they are cut out.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography import x509

from signer.errors import CertificateError

_VERSION = 0xA0
_SEQUENCE = 0x30


@dataclass(frozen=True, slots=True)
class Fields:
    """Issuer, subject and SubjectPublicKeyInfo as DER (RFC 5280, 4.1)."""

    issuer: bytes
    subject: bytes
    spki: bytes


def key_identity(spki: bytes) -> str:
    """SHA-256 of a SubjectPublicKeyInfo as upper-case hex: what roots are pinned by."""
    return hashlib.sha256(spki).hexdigest().upper()


def fields_of(certificate: x509.Certificate) -> Fields:
    """The fields of a loaded certificate. Raises CertificateError."""
    return _from_tbs(certificate.tbs_certificate_bytes, 0)


def fields_of_der(der: bytes) -> Fields:
    """The fields of a DER certificate that is not otherwise parsed. Raises CertificateError."""
    tag, start, _ = _element(der, 0)
    if tag != _SEQUENCE:
        raise CertificateError("not a certificate: no SEQUENCE at its start", offset=0)
    return _from_tbs(der, start)


def _from_tbs(der: bytes, offset: int) -> Fields:
    """Walk [version] serial signature issuer validity subject subjectPublicKeyInfo."""
    tag, position, _ = _element(der, offset)
    if tag != _SEQUENCE:
        raise CertificateError("not a certificate: no TBSCertificate", offset=offset)
    tag, _, end = _element(der, position)
    if tag == _VERSION:
        _, _, end = _element(der, end)
    spans = []
    for _ in range(5):
        start = end
        tag, _, end = _element(der, start)
        if tag != _SEQUENCE:
            raise CertificateError("not a certificate: a field is not a SEQUENCE", offset=start)
        spans.append(der[start:end])
    return Fields(issuer=spans[1], subject=spans[3], spki=spans[4])


def _element(der: bytes, offset: int) -> tuple[int, int, int]:
    """(tag, start of the contents, end) of the DER element at `offset`. Raises CertificateError."""
    try:
        tag, length, start = der[offset], der[offset + 1], offset + 2
    except IndexError:
        raise CertificateError("a certificate that ends too early", offset=offset) from None
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(der[start : start + size], "big")
        start += size
    end = start + length
    if end > len(der):
        raise CertificateError("a certificate that ends too early", offset=offset)
    return tag, start, end

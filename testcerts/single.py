"""Make one certificate as MakeCert does: self-signed, or issued by another.

Source: "MakeCert" (win32, SecCrypto/makecert.md).
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ObjectIdentifier

from signer.records import dataclass
from testcerts.issue import PrivateKey

Digest = hashes.SHA256 | hashes.SHA384 | hashes.SHA512


@dataclass(frozen=True, slots=True)
class Request:
    """What a certificate says."""

    subject: x509.Name
    begin: datetime
    end: datetime
    digest: Digest = field(default_factory=hashes.SHA256)
    usages: tuple[str, ...] = ()
    """Extended key usages; without any, the certificate is for all."""
    authority: bool | None = None
    """Whether it is that of an authority; None leaves the basic constraints out."""
    path_length: int | None = None
    serial: int | None = None
    """The serial number; None for a random one."""


def certify(
    request: Request, key: PrivateKey, issuer: tuple[x509.Certificate, PrivateKey] | None = None
) -> x509.Certificate:
    """Return the certificate of `key`: issued by `issuer`, a certificate and its key, or self-signed.

    Raises ValueError for what a certificate can't contain.
    """
    signing_key = issuer[1] if issuer is not None else key
    identifier = x509.SubjectKeyIdentifier.from_public_key(signing_key.public_key())
    builder = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(issuer[0].subject if issuer is not None else request.subject)
        .public_key(key.public_key())
        .serial_number(request.serial or x509.random_serial_number())
        .not_valid_before(request.begin)
        .not_valid_after(request.end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
    )
    if request.authority is not None:
        length = request.path_length if request.authority else None
        builder = builder.add_extension(x509.BasicConstraints(request.authority, length), critical=True)
    if request.usages:
        usages = x509.ExtendedKeyUsage([ObjectIdentifier(usage) for usage in request.usages])
        builder = builder.add_extension(usages, critical=False)
    return builder.sign(signing_key, request.digest)

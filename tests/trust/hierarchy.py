"""Certificates made for one test: small, quick (elliptic curves unless asked otherwise), and wrong where asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import NameOID

NOW = datetime(2024, 6, 1, tzinfo=UTC)
YEAR = timedelta(days=365)


@cache
def key(label: str) -> ec.EllipticCurvePrivateKey:
    """The P-256 key called `label`: the same one for the whole run."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(label: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The RSA key called `label`."""
    return rsa.generate_private_key(65537, bits)


def name(common: str, *more: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name(
        [*(x509.NameAttribute(oid, value) for oid, value in more), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def common_name(common: str | x509.Name) -> x509.Name:
    return name(common) if isinstance(common, str) else common


@dataclass(frozen=True)
class Entity:
    """A certificate with its private key."""

    certificate: x509.Certificate
    private_key: CertificateIssuerPrivateKeyTypes

    @property
    def subject(self) -> x509.Name:
        return self.certificate.subject


def key_usage(*, sign_certificates: bool, sign_data: bool = True) -> x509.KeyUsage:
    return x509.KeyUsage(sign_data, False, False, False, False, sign_certificates, sign_certificates, False, False)


def issue(
    subject: str | x509.Name,
    issuer: Entity | None = None,
    *,
    ca: bool | None = None,
    path_length: int | None = None,
    usages: Iterable[str] | None = None,
    may_sign: bool | None = None,
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    private_key: CertificateIssuerPrivateKeyTypes | None = None,
    algorithm: hashes.HashAlgorithm | None = None,
    issuer_name: str | x509.Name | None = None,
    start: datetime = NOW - YEAR,
    end: datetime = NOW + YEAR,
) -> Entity:
    """A certificate for `subject` by `issuer`, or self-signed. What is None is left out of it."""
    subject = common_name(subject)
    own = private_key or key(subject.rfc4514_string())
    signer = issuer.private_key if issuer else own
    by = common_name(issuer_name) if issuer_name else issuer.subject if issuer else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length), critical=True)
    if may_sign is not None:
        builder = builder.add_extension(key_usage(sign_certificates=may_sign), critical=True)
    if usages is not None:
        oids = [x509.ObjectIdentifier(usage) for usage in usages]
        builder = builder.add_extension(x509.ExtendedKeyUsage(oids), critical=False)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return Entity(builder.sign(signer, algorithm or hashes.SHA256()), own)

"""Signing identities for tests, created once per process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signer.keys.identity import SigningIdentity
from signer.keys.local import LocalKey

_START = datetime(2024, 1, 1, tzinfo=UTC)


@cache
def private_key(kind: str, name: str) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """Return a key of this kind; different names have different keys."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:]))
    return ec.generate_private_key({"p256": ec.SECP256R1, "p384": ec.SECP384R1}[kind]())


def certificate(name: str, kind: str, issuer: tuple[str, str] | None = None) -> x509.Certificate:
    """Return a certificate for `name`: a root CA, or a code-signing certificate of the issuer (name, kind)."""
    key, (issuer_name, issuer_kind) = private_key(kind, name), issuer or (name, kind)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer_name)]))
        .public_key(key.public_key())
        .serial_number(int.from_bytes(name.encode()[:8]))
        .not_valid_before(_START)
        .not_valid_after(_START + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
    return builder.sign(private_key(issuer_kind, issuer_name), hashes.SHA256())


@cache
def public_identity(kind: str = "rsa2048") -> SigningIdentity:
    """Return an identity that does not look like a test: its issuer is unknown and not self-signed here."""
    leaf = certificate("Contoso", kind, ("Contoso EV Code Signing CA", "p256"))
    return SigningIdentity(LocalKey(private_key(kind, "Contoso")), leaf, ())


def public_pfx(password: bytes) -> bytes:
    """Return the PFX file of `public_identity`."""
    encryption = serialization.BestAvailableEncryption(password)
    key, leaf = private_key("rsa2048", "Contoso"), public_identity().certificate
    return pkcs12.serialize_key_and_certificates(b"contoso", key, leaf, None, encryption)


@cache
def identity(kind: str = "rsa2048", name: str = "Drvsign Unit Test") -> SigningIdentity:
    """Return a code-signing identity issued by a root."""
    root = ("Drvsign Unit Root", "p256")
    leaf = certificate(name, kind, root)
    return SigningIdentity(LocalKey(private_key(kind, name)), leaf, (certificate(*root),))

"""Define signing identities: a key that signs digests, its certificate, and the chain."""

from __future__ import annotations

from dataclasses import field
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import PublicKeyAlgorithmOID

from signer.algorithms import DigestAlgorithm
from signer.certificates import common_name, public_key
from signer.errors import IdentityError, KeyCertificateMismatch
from signer.records import dataclass

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class SigningKey(Protocol):
    """A private key in a file, a token or a service. It signs digests, so only digests leave this machine."""

    @property
    def public_key(self) -> PublicKey:
        """The public key."""
        ...

    def sign(self, digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        """Sign `digest` with RSASSA-PKCS1-v1_5, or with ECDSA in DER. Raises IdentityError."""
        ...


@dataclass(frozen=True, slots=True)
class SigningIdentity:
    """A signing key, its certificate, and its chain (issuer first, optionally with the root).

    Raises KeyCertificateMismatch if the key does not match the certificate, and IdentityError for an unsupported key.
    """

    key: SigningKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
            raise IdentityError(
                f"the certificate {common_name(self.certificate)!r} restricts its key to RSASSA-PSS, but Authenticode "
                "uses RSASSA-PKCS1-v1_5",
                hint="Use a certificate with an rsaEncryption, ECDSA P-256 or ECDSA P-384 key.",
            )
        if _spki(self.key.public_key) != _spki(public_key(self.certificate)):
            raise KeyCertificateMismatch(
                f"the private key does not match the certificate {common_name(self.certificate)!r}",
                hint="Use the key that the certificate was issued for, or the certificate of this key.",
            )

    @property
    def name(self) -> str:
        """Display name of the signer: the common name of its certificate."""
        return common_name(self.certificate)


def require_supported(key: object) -> PublicKey:
    """Return `key` if Authenticode supports it (RSA, ECDSA P-256 or P-384). Raises IdentityError otherwise."""
    if isinstance(key, rsa.RSAPublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, (ec.SECP256R1, ec.SECP384R1)):
        return key
    raise IdentityError(
        "Authenticode does not support this type of key", hint="Use an RSA, ECDSA P-256 or ECDSA P-384 key."
    )


def _spki(key: object) -> bytes:
    """Return the SubjectPublicKeyInfo of a public key in DER."""
    return require_supported(key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

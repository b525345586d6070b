"""Who signs: a key that can sign a digest, and the certificates that speak for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import PublicKeyAlgorithmOID

from signer.algorithms import DigestAlgorithm
from signer.certificates import common_name, public_key
from signer.errors import IdentityError, KeyCertificateMismatch

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


class SigningKey(Protocol):
    """A private key, wherever it lives. It signs digests, so that content never has to travel to a token or a cloud."""

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        ...

    def sign(self, digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        """The signature over `digest`: RSASSA-PKCS1-v1_5, or ECDSA as DER. Raises IdentityError."""
        ...


@dataclass(frozen=True, slots=True)
class SigningIdentity:
    """A signing key, its certificate, and the certificates above it (issuer first, a root may be among them)."""

    key: SigningKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.certificate.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS:
            raise IdentityError(
                f"the certificate {common_name(self.certificate)!r} allows its key RSASSA-PSS only, and Authenticode "
                "signs with RSASSA-PKCS1-v1_5",
                hint="Use a certificate whose key is plain RSA, or ECDSA P-256 or P-384.",
            )
        if _spki(self.key.public_key) != _spki(public_key(self.certificate)):
            raise KeyCertificateMismatch(
                f"the private key does not belong to the certificate {common_name(self.certificate)!r}",
                hint="Give the key that the certificate was issued for, or the certificate of this key.",
            )

    @property
    def name(self) -> str:
        """What a person calls the signer."""
        return common_name(self.certificate)


def require_supported(key: object) -> PublicKey:
    """`key` if Authenticode can use it: RSA, or ECDSA on P-256 or P-384. Raises IdentityError."""
    if isinstance(key, rsa.RSAPublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, (ec.SECP256R1, ec.SECP384R1)):
        return key
    raise IdentityError(
        "the key is of a kind that Authenticode does not know", hint="Use RSA, or ECDSA P-256 or P-384."
    )


def _spki(key: object) -> bytes:
    """The SubjectPublicKeyInfo of a public key as DER."""
    return require_supported(key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

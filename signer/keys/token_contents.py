"""The objects on a token that `drvsign keys list` shows."""

from __future__ import annotations

from cryptography import x509

from signer.keys.identity import PublicKey
from signer.records import dataclass


@dataclass(frozen=True, slots=True)
class TokenContents:
    """A token, with its private keys and certificates if it was opened."""

    label: str
    serial: str
    keys: tuple[tuple[str, bytes, PublicKey | None], ...] = ()
    """The label, the CKA_ID and the public key of each private key."""
    certificates: tuple[tuple[bytes, x509.Certificate], ...] = ()
    """The CKA_ID and each certificate."""

"""Keys that are elsewhere: in a token, in a cloud, behind a command.

What they have in common is that they may not answer, and that asking again costs something: a token locks itself after
a few wrong PINs, a cloud bills and throttles. So each answer is checked, and the first failure is the last.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import threading
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der
from signer.errors import IdentityError
from signer.keys.check import Check, check_digest
from signer.keys.identity import PublicKey, require_supported

Signer = Callable[[bytes, DigestAlgorithm], bytes]
"""Has a digest signed: RSASSA-PKCS1-v1_5, or ECDSA as DER. Raises IdentityError."""

_LONGEST = 300
UNREADABLE = (AttributeError, LookupError, TypeError, ValueError)
"""What client libraries raise over an answer of another shape than they expect: a proxy's page, another's JSON."""


class RemoteKey:
    """A private key that something else holds; a `SigningKey` for several threads at once.

    After the first failure the key is not asked again: a batch of files must not become a batch of wrong PINs.
    """

    def __init__(self, holder: str, public_key: PublicKey, signer: Signer, *, one_at_a_time: bool = False) -> None:
        self._holder = holder
        self._public_key = public_key
        self._signer = signer
        self._failed: IdentityError | None = None
        self._turn = threading.Lock() if one_at_a_time else contextlib.nullcontext()

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self._public_key

    @property
    def holder(self) -> str:
        """What holds the key, for messages."""
        return self._holder

    def sign(self, digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        """The signature over `digest`, checked with the public key. Raises IdentityError."""
        with self._turn:
            if self._failed is not None:
                raise _again(self._failed)
            try:
                signature = self._signer(digest, algorithm)
                self._require_good(signature, digest, algorithm)
            except IdentityError as error:
                self._failed = copy.copy(error)
                raise
        return signature

    def _require_good(self, signature: bytes, digest: bytes, algorithm: DigestAlgorithm) -> None:
        if check_digest(self._public_key, signature, digest, algorithm) is Check.BAD:
            raise IdentityError(
                f"what came back from {self._holder} is not a signature by the key of the certificate",
                hint="Check that it signs with this key, and the digest as it is: PKCS #1 v1.5, or ECDSA as DER.",
            )


def load_client(module: str, extra: str, what: str) -> Any:
    """A client library, imported on use. Raises IdentityError that says which extra to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise IdentityError(
            f"{what} need the Python package {module.partition('.')[0]}, which can't be imported ({error})",
            hint=f"Install it: pip install 'drvsign[{extra}]'",
        ) from error


def load_public_key(data: bytes, holder: str) -> PublicKey:
    """A SubjectPublicKeyInfo as DER or PEM. Raises IdentityError."""
    load = load_pem_public_key if b"-----BEGIN" in data else load_der_public_key
    try:
        return require_supported(load(data))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise IdentityError(f"the public key from {holder} can't be read ({error})") from error


def ecdsa_der(raw: bytes, holder: str) -> bytes:
    """An ECDSA signature as DER, from r and s one after the other (IEEE P1363). Raises IdentityError."""
    half = len(raw) // 2
    if not raw or len(raw) % 2:
        raise IdentityError(f"what came back from {holder} is not an ECDSA signature: it is of {len(raw)} bytes")
    return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))


def digest_info(digest: bytes, algorithm: DigestAlgorithm) -> bytes:
    """The DER of DigestInfo, for signers that only pad and exponentiate (RFC 8017, 9.2)."""
    return der.sequence(der.sequence(der.oid(algorithm.oid), der.null()), der.octets(digest))


def one_line(text: object) -> str:
    """What somebody else says about an error, on one line and not too long."""
    said = f"it lacks {text}" if isinstance(text, LookupError) else str(text)
    return " ".join(said.split())[:_LONGEST]


def key_kind(key: PublicKey) -> str:
    """What a person calls the key: RSA-2048, P-256."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return {"secp256r1": "P-256", "secp384r1": "P-384"}.get(key.curve.name, key.curve.name)
    return f"RSA-{key.key_size}"


def _again(failed: IdentityError) -> IdentityError:
    """The failure of another file, said of this one: errors are given the path of a file later, so each has its own."""
    error = copy.copy(failed)
    error.message = f"the key is not asked again after its first failure: {failed.message}"
    return error

"""Sign with keys that this process does not hold: keys in a token, in a cloud service, or behind a command.

Such keys can fail, and retries have a cost: a token locks itself after a few wrong PINs, a cloud service bills and
throttles. So every signature is checked with the public key, and after the first failure the key is not used again.
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
from signer.numbers import counted

Signer = Callable[[bytes, DigestAlgorithm], bytes]
"""Signs a digest with RSASSA-PKCS1-v1_5, or with ECDSA in DER. Raises IdentityError."""

_MAX_REASON = 300
MALFORMED_ANSWER = (AttributeError, LookupError, TypeError, ValueError)
"""Exceptions that client libraries raise for an answer they don't expect, such as a proxy's page or other JSON."""


class RemoteKey:
    """A private key that another program or service holds; a `SigningKey` that several threads can use.

    After the first failure, `sign` raises the same error without using the key: a batch of files must not try a wrong
    PIN once per file. `holder` names the key in messages. With `one_at_a_time`, calls of `signer` are serialized.
    """

    def __init__(self, holder: str, public_key: PublicKey, signer: Signer, *, one_at_a_time: bool = False) -> None:
        self._holder = holder
        self._public_key = public_key
        self._signer = signer
        self._failed: IdentityError | None = None
        self._lock = threading.Lock() if one_at_a_time else contextlib.nullcontext()

    @property
    def public_key(self) -> PublicKey:
        """The public key."""
        return self._public_key

    @property
    def holder(self) -> str:
        """Name of the key or its holder, for messages."""
        return self._holder

    def sign(self, digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        """Sign `digest` and check the signature with the public key. Raises IdentityError."""
        with self._lock:
            if self._failed is not None:
                raise _repeated(self._failed)
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
                f"{self._holder} returned data that is not a signature with the key of the certificate",
                hint="Check that it uses this key, and signs the digest itself: PKCS #1 v1.5, or ECDSA in DER.",
            )


def load_client(module: str, extra: str, feature: str) -> Any:
    """Import a client library on first use. Raises IdentityError with the extra to install in its hint."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise IdentityError(
            f"{feature} need the Python package {module.partition('.')[0]}, which can't be imported ({error})",
            hint=f"Run: pip install 'drvsign[{extra}]'",
        ) from error


def load_public_key(data: bytes, holder: str) -> PublicKey:
    """Load a SubjectPublicKeyInfo in DER or PEM. Raises IdentityError."""
    load = load_pem_public_key if b"-----BEGIN" in data else load_der_public_key
    try:
        return require_supported(load(data))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise IdentityError(f"the public key of {holder} can't be parsed ({error})") from error


def ecdsa_der(raw: bytes, holder: str) -> bytes:
    """Convert an ECDSA signature from IEEE P1363 form (r followed by s) to DER. Raises IdentityError."""
    half = len(raw) // 2
    if not raw or len(raw) % 2:
        raise IdentityError(
            f"{holder} returned {counted(len(raw), 'byte')}, which is not the size of an ECDSA signature"
        )
    return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))


def digest_info(digest: bytes, algorithm: DigestAlgorithm) -> bytes:
    """Encode a DigestInfo, for signers that only pad and exponentiate (RFC 8017, 9.2)."""
    return der.sequence(der.sequence(der.oid(algorithm.oid), der.null()), der.octets(digest))


def one_line(text: object) -> str:
    """Return the text of an error from a library or a service on one line, truncated."""
    reason = f"the answer lacks {text}" if isinstance(text, LookupError) else str(text)
    return " ".join(reason.split())[:_MAX_REASON]


def key_kind(key: PublicKey) -> str:
    """Return the display name of the key's type and size: RSA-2048, P-256."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return {"secp256r1": "P-256", "secp384r1": "P-384"}.get(key.curve.name, key.curve.name)
    return f"RSA-{key.key_size}"


def _repeated(failed: IdentityError) -> IdentityError:
    """Copy the first failure for another file: callers set the path of an error, so each file needs its own."""
    error = copy.copy(failed)
    error.message = f"not signed, because the key failed before: {failed.message}"
    return error

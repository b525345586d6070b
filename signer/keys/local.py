"""Load keys from files: PFX, or a certificate and a key in PEM, DER or PVK.

`cryptography` parses the key formats; this module converts its exceptions.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der
from signer.certificates import load_all
from signer.errors import IdentityError, KeyNotFound, SignatureFormatError
from signer.keys.chain import chain_above, identity_for
from signer.keys.check import Check, check_digest
from signer.keys.identity import PublicKey, SigningIdentity, require_supported
from signer.keys.passwords import encoded_password, require_few_iterations, wrong_secret
from signer.keys.pfx import malformed_pfx, open_pfx, require_key
from signer.keys.pvk import is_pvk, load_pvk
from signer.records import dataclass

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
MAX_RSA_BITS = 8192
"""Bits of the longest RSA key: signing with one of 16,384 bits and hostile numbers takes 12 seconds."""
_KEY_BLOCK = re.compile(rb"-----BEGIN ((?:[A-Z]+ )?)PRIVATE KEY-----([^-]*)-----END [A-Z ]+-----")


@dataclass(frozen=True, slots=True)
class LocalKey:
    """A private key in the memory of this process; a `SigningKey`."""

    private: PrivateKey

    @property
    def public_key(self) -> PublicKey:
        """The public key. Raises IdentityError if Authenticode does not support its type."""
        return require_supported(self.private.public_key())

    def sign(self, digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        """Sign a digest with RSASSA-PKCS1-v1_5, or with ECDSA in DER, and check the signature. Raises IdentityError."""
        prehashed = utils.Prehashed(algorithm.for_cryptography())
        try:
            if isinstance(self.private, rsa.RSAPrivateKey):
                signature = self.private.sign(digest, padding.PKCS1v15(), prehashed)
            else:
                signature = self.private.sign(digest, ec.ECDSA(prehashed))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise IdentityError(f"the key can't sign a {algorithm} digest ({error})") from error
        if check_digest(self.public_key, signature, digest, algorithm) is Check.BAD:
            raise IdentityError(
                "the private key is damaged: its signatures do not verify",
                hint="Restore the key from a backup, or export it again.",
            )
        return signature


def load_pfx(
    data: bytes, password: str | None, max_iterations: int | None = None, *, otherwise: str = ""
) -> SigningIdentity:
    """Load the identity in a PFX (PKCS #12): key, certificate, and the issuers that the file contains.

    Raises WrongSecret, KeyNotFound and other IdentityErrors, also for more than `max_iterations` iterations, by
    default the limit `key-iterations`. `otherwise` ends the hint for a file that is no PFX.
    """
    try:
        contents = open_pfx(data, password, max_iterations)
    except ValueError as error:
        raise malformed_pfx(otherwise) from error
    key, certificate = require_key(contents)
    return _identity(key, certificate, contents.others)


def load_pair(certificates: bytes, key: bytes, password: str | None) -> SigningIdentity:
    """Load the identity of a certificate file (DER, PEM or PKCS #7) and a key file (PEM, DER or PVK).

    If the certificate file contains several certificates, the one of the key is used, and the others form its chain.
    Raises WrongSecret, CertificateError, KeyCertificateMismatch and other IdentityErrors.
    """
    private = _private_key(key, password)
    return identity_for(LocalKey(private), load_all(certificates))


def _identity(key: object, certificate: x509.Certificate, pool: Iterable[x509.Certificate]) -> SigningIdentity:
    return SigningIdentity(LocalKey(_supported(key)), certificate, chain_above(certificate, pool))


def _supported(key: object) -> PrivateKey:
    """Return a key of a type and a size that can sign. Raises IdentityError."""
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise IdentityError(
            "Authenticode does not support this type of key", hint="Use an RSA, ECDSA P-256 or ECDSA P-384 key."
        )
    if key.key_size > MAX_RSA_BITS:
        raise IdentityError(
            f"the private key has {key.key_size:,} bits; the limit is {MAX_RSA_BITS:,}",
            hint="Use an RSA key of 2048 to 4096 bits.",
        )
    return key


def _private_key(data: bytes, password: str | None) -> PrivateKey:
    secret = None if password is None else encoded_password(password)
    if is_pvk(data):
        return _supported(load_pvk(data, secret))
    data = key_block(data)
    load = load_pem_private_key if b"-----BEGIN" in data else load_der_private_key
    if load is load_der_private_key:
        require_few_iterations(data, "private key")
    try:
        # Validation takes 40 ms. LocalKey.sign checks each signature instead.
        key = load(data, secret, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        if not password:
            raise wrong_secret("private key", given=password is not None) from None
        # The key is not encrypted: ignore the password.
        key = load(data, None, unsafe_skip_rsa_key_validation=True)
    except UnsupportedAlgorithm as error:
        raise IdentityError(f"the type or the encryption of the private key is not supported ({error})") from error
    except ValueError as error:
        if (password is not None and _is_encrypted(data)) or "password" in str(error).lower():
            raise wrong_secret("private key", given=password is not None) from error
        raise KeyNotFound(
            "the file does not contain a valid private key",
            hint="Use a PEM or DER private key (PKCS #8, PKCS #1 or SEC 1), or a .pvk file.",
        ) from error
    return _supported(key)


def key_block(data: bytes) -> bytes:
    """Return the first key of a PEM file: in DER if it is an encrypted one in PKCS #8, else as PEM.

    Any other file is returned as it is.
    """
    block = _KEY_BLOCK.search(data)
    if block is None:
        return data
    return b64decode(block[2]) if block[1] == b"ENCRYPTED " else block[0]


def _is_encrypted(data: bytes) -> bool:
    """Tell whether a PEM or DER file contains an encrypted key, which begins with an algorithm in DER (RFC 5958, 3)."""
    try:
        return b"ENCRYPTED" in data or der.read(data, der.read(data).body).tag == der.SEQUENCE
    except SignatureFormatError:
        return False

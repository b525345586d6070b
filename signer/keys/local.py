"""Keys in files: PFX, and certificate and key as PEM or DER.

The key formats are read by `cryptography`, whose exceptions end here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key, pkcs12

from signer.algorithms import DigestAlgorithm
from signer.certificates import load_all
from signer.errors import IdentityError, KeyNotFound, WrongSecret
from signer.keys.chain import chain_above, identity_for
from signer.keys.check import Check, check_digest
from signer.keys.identity import PublicKey, SigningIdentity, require_supported

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class LocalKey:
    """A private key in this process's memory; a `SigningKey`."""

    private: PrivateKey

    @property
    def public_key(self) -> PublicKey:
        """The public half. Raises IdentityError when Authenticode does not know its kind."""
        return require_supported(self.private.public_key())

    def sign(self, digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        """RSASSA-PKCS1-v1_5, or ECDSA as DER, over a digest. Raises IdentityError."""
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
                "the private key is damaged: what it signs does not verify",
                hint="Take it from a backup, or export it again.",
            )
        return signature


def load_pfx(data: bytes, password: str | None) -> SigningIdentity:
    """The identity in a PFX (PKCS #12): its key, that key's certificate, and the chain as far as the file has it.

    Raises WrongSecret, KeyNotFound and other IdentityErrors.
    """
    secret = None if password is None else password.encode()
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(data, secret)
    except UnsupportedAlgorithm as error:
        raise IdentityError(f"the PFX is protected in a way that can't be opened ({error})") from error
    except ValueError as error:
        if "password" in str(error).lower():
            raise _wrong_secret("PFX", password) from error
        raise IdentityError(
            "not a PFX (PKCS #12) file that can be read",
            hint="Give the .pfx or .p12 that the key was exported to; PEM and DER go with --cert and --key.",
        ) from error
    if key is None or certificate is None:
        raise KeyNotFound("there is no private key with its certificate in the PFX", hint="Export it with its key.")
    return _identity(key, certificate, others)


def load_pair(certificates: bytes, key: bytes, password: str | None) -> SigningIdentity:
    """The identity of a certificate file (DER, PEM or PKCS #7) and a key file (PEM or DER, PKCS #8 or not).

    The key's certificate is picked out of several, and its chain from the others. Raises WrongSecret, CertificateError,
    KeyCertificateMismatch and other IdentityErrors.
    """
    private = _private_key(key, password)
    return identity_for(LocalKey(private), load_all(certificates))


def _identity(key: object, certificate: x509.Certificate, pool: Iterable[x509.Certificate]) -> SigningIdentity:
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise IdentityError(
            "the key is of a kind that Authenticode does not know", hint="Use RSA, or ECDSA P-256 or P-384."
        )
    return SigningIdentity(LocalKey(key), certificate, chain_above(certificate, pool))


def _private_key(data: bytes, password: str | None) -> PrivateKey:
    secret = None if password is None else password.encode()
    load = load_pem_private_key if b"-----BEGIN" in data else load_der_private_key
    try:
        key = load(data, secret, unsafe_skip_rsa_key_validation=True)  # takes 40 ms; each signature is checked instead
    except TypeError:
        if not password:
            raise _wrong_secret("private key", password) from None
        # It is not protected, and a password that nobody needs does no harm.
        key = load(data, None, unsafe_skip_rsa_key_validation=True)
    except UnsupportedAlgorithm as error:
        raise IdentityError(f"the private key is of a kind that can't be read ({error})") from error
    except ValueError as error:
        if (password is not None and b"ENCRYPTED" in data) or "password" in str(error).lower():
            raise _wrong_secret("private key", password) from error
        raise KeyNotFound(
            "there is no private key that can be read",
            hint="Give a PEM or DER private key (PKCS #8, PKCS #1 or SEC 1).",
        ) from error
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise IdentityError("the key is of a kind that Authenticode does not know", hint="Use RSA or ECDSA.")
    return key


def _wrong_secret(what: str, password: str | None) -> WrongSecret:
    hint = "Give it with --password-env, --password-file or --password-fd."
    if password is None:
        return WrongSecret(f"the {what} is protected by a password, and none was given", hint=hint)
    return WrongSecret(f"the password does not open the {what}", hint="Check the password, and spaces around it.")

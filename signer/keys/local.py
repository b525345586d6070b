"""Load keys from files: PFX, or a certificate and a key in PEM, DER or PVK.

`cryptography` parses the key formats; this module converts its exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key, pkcs12

from signer.algorithms import DigestAlgorithm
from signer.asn1 import der
from signer.asn1.pfx import iterations
from signer.certificates import load_all
from signer.errors import IdentityError, KeyNotFound, SignatureFormatError, WrongSecret
from signer.keys.chain import chain_above, identity_for
from signer.keys.check import Check, check_digest
from signer.keys.identity import PublicKey, SigningIdentity, require_supported
from signer.keys.pvk import is_pvk, load_pvk
from signer.limits import LIMITS, VARIABLE
from signer.records import dataclass

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


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


def load_pfx(data: bytes, password: str | None, max_iterations: int | None = None) -> SigningIdentity:
    """Load the identity in a PFX (PKCS #12): key, certificate, and the issuers that the file contains.

    Raises WrongSecret, KeyNotFound and other IdentityErrors, also for more than `max_iterations` iterations, by
    default the limit `pfx-iterations`.
    """
    require_few_iterations(data, max_iterations)
    secret = None if password is None else encoded_password(password)
    try:
        key, certificate, others = pkcs12.load_key_and_certificates(data, secret)
    except UnsupportedAlgorithm as error:
        raise IdentityError(f"the encryption of the PFX is not supported ({error})") from error
    except ValueError as error:
        if "password" in str(error).lower():
            raise _wrong_secret("PFX", password) from error
        raise IdentityError(
            "the file is not a valid PFX (PKCS #12) file",
            hint="Use the .pfx or .p12 file that the key was exported to. "
            "For PEM, DER and PVK files, use --cert and --key.",
        ) from error
    if key is None or certificate is None:
        raise KeyNotFound(
            "the PFX does not contain a private key with its certificate",
            hint="Export the certificate again, with its private key.",
        )
    return _identity(key, certificate, others)


def require_few_iterations(data: bytes, limit: int | None = None) -> None:
    """Refuse a PFX that takes more iterations to open than the limit `pfx-iterations`. Raises IdentityError.

    A PFX has a MAC and two encrypted parts; Windows writes 2,000 iterations for each, OpenSSL 2,048, key stores up to
    600,000.
    """
    count, limit = iterations(data), LIMITS["pfx-iterations"] if limit is None else limit
    if count > limit:
        raise IdentityError(
            f"the PFX requires {count:,} iterations to be opened; the limit is {limit:,}",
            hint=f"To sign with it, if you trust the file: --identity 'pfx:FILE.pfx?iterations={count}'. For other "
            f"commands: {VARIABLE}=pfx-iterations={count}",
        )


def load_pair(certificates: bytes, key: bytes, password: str | None) -> SigningIdentity:
    """Load the identity of a certificate file (DER, PEM or PKCS #7) and a key file (PEM, DER or PVK).

    If the certificate file contains several certificates, the one of the key is used, and the others form its chain.
    Raises WrongSecret, CertificateError, KeyCertificateMismatch and other IdentityErrors.
    """
    private = _private_key(key, password)
    return identity_for(LocalKey(private), load_all(certificates))


def _identity(key: object, certificate: x509.Certificate, pool: Iterable[x509.Certificate]) -> SigningIdentity:
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise IdentityError(
            "Authenticode does not support this type of key", hint="Use an RSA, ECDSA P-256 or ECDSA P-384 key."
        )
    return SigningIdentity(LocalKey(key), certificate, chain_above(certificate, pool))


def _private_key(data: bytes, password: str | None) -> PrivateKey:
    secret = None if password is None else encoded_password(password)
    if is_pvk(data):
        return load_pvk(data, secret)
    load = load_pem_private_key if b"-----BEGIN" in data else load_der_private_key
    try:
        # Validation takes 40 ms. LocalKey.sign checks each signature instead.
        key = load(data, secret, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        if not password:
            raise _wrong_secret("private key", password) from None
        # The key is not encrypted: ignore the password.
        key = load(data, None, unsafe_skip_rsa_key_validation=True)
    except UnsupportedAlgorithm as error:
        raise IdentityError(f"the type or the encryption of the private key is not supported ({error})") from error
    except ValueError as error:
        if (password is not None and _is_encrypted(data)) or "password" in str(error).lower():
            raise _wrong_secret("private key", password) from error
        raise KeyNotFound(
            "the file does not contain a valid private key",
            hint="Use a PEM or DER private key (PKCS #8, PKCS #1 or SEC 1), or a .pvk file.",
        ) from error
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise IdentityError(
            "Authenticode does not support this type of key", hint="Use an RSA, ECDSA P-256 or ECDSA P-384 key."
        )
    return key


def _is_encrypted(data: bytes) -> bool:
    """Tell whether a PEM or DER file contains an encrypted key, which begins with an algorithm in DER (RFC 5958, 3)."""
    try:
        return b"ENCRYPTED" in data or der.read(data, der.read(data).body).tag == der.SEQUENCE
    except SignatureFormatError:
        return False


def encoded_password(password: str) -> bytes:
    """Return a password in UTF-8. Raises WrongSecret for a NUL, at which the binding of OpenSSL panics."""
    if "\0" in password:
        raise WrongSecret("the password contains a NUL character", hint="Check where the password comes from.")
    try:
        return password.encode()
    except UnicodeEncodeError as error:
        raise WrongSecret("the password is not UTF-8", hint="Check where the password comes from.") from error


def _wrong_secret(container: str, password: str | None) -> WrongSecret:
    if password is None:
        return WrongSecret(
            f"the {container} is protected by a password, and none was given",
            hint="Use --password-env, --password-file or --password-fd.",
        )
    return WrongSecret(
        f"the password of the {container} is wrong",
        hint="Check the password, also for spaces before and after it.",
    )

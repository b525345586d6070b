"""Find the certificate of a key among several certificates, and build its chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer.algorithms import DigestAlgorithm
from signer.certificates import common_name, is_self_signed, spki_sha256
from signer.errors import CertificateError, KeyCertificateMismatch, KeyNotFound
from signer.keys.identity import PublicKey, SigningIdentity, SigningKey


def identity_for(
    key: SigningKey, certificates: Sequence[x509.Certificate], issuers: Sequence[x509.Certificate] = ()
) -> SigningIdentity:
    """Return the identity of `key`: its certificate among `certificates`, and its chain from the others and `issuers`.

    Raises KeyNotFound without any certificate, and KeyCertificateMismatch if no certificate has the public key.
    """
    if not certificates:
        raise KeyNotFound(
            "the key has no certificate", hint="Name the certificate file with --cert, or with cert= in the URI."
        )
    public = key.public_key
    own = next((certificate for certificate in certificates if _same_key(certificate, public)), None)
    if own is None:
        raise KeyCertificateMismatch(
            f"the private key does not match the certificate {common_name(certificates[0])!r}",
            hint="Use the key that the certificate was issued for, or the certificate of this key.",
        )
    return SigningIdentity(key, own, chain_above(own, [c for c in (*certificates, *issuers) if c is not own]))


def leaf_of(certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """Return the first certificate that did not issue another one, or the first certificate if all did."""
    issuers = [c for c in certificates if any(_issued(c, other) for other in certificates if other is not c)]
    return next((certificate for certificate in certificates if certificate not in issuers), certificates[0])


def chain_above(leaf: x509.Certificate, pool: Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Return the issuers of `leaf` that `pool` contains, nearest first, up to and including a root."""
    chain: list[x509.Certificate] = []
    candidates = list(pool)
    current = leaf
    while not is_self_signed(current):
        issuer = next((c for c in candidates if c not in chain and _issued(c, current)), None)
        if issuer is None:
            break
        chain.append(issuer)
        current = issuer
    return tuple(chain)


def _issued(issuer: x509.Certificate, subject: x509.Certificate) -> bool:
    """Return whether `issuer` signed `subject`; compares only the names if the signature algorithm is unsupported."""
    if issuer.subject != subject.issuer:
        return False
    try:
        subject.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    except UnsupportedAlgorithm:
        return True
    return True


def _same_key(certificate: x509.Certificate, key: PublicKey) -> bool:
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        return spki_sha256(certificate) == DigestAlgorithm.SHA256.hash(spki).hex().upper()
    except CertificateError:
        return False  # a type of key that SigningKey does not support

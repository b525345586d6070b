"""Which of several certificates speaks for a key, and which stand above it."""

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
    """The identity of `key`: its certificate picked out of several, and its chain from the others and `issuers`.

    Raises KeyNotFound when there is no certificate at all, and KeyCertificateMismatch when none is the key's.
    """
    if not certificates:
        raise KeyNotFound("there is no certificate for the key", hint="Name its file with --cert, or cert= in the URI.")
    wanted = key.public_key
    mine = next((certificate for certificate in certificates if _same_key(certificate, wanted)), None)
    if mine is None:
        raise KeyCertificateMismatch(
            f"the private key does not belong to the certificate {common_name(certificates[0])!r}",
            hint="Give the key that the certificate was issued for, or the certificate of this key.",
        )
    return SigningIdentity(key, mine, chain_above(mine, [c for c in (*certificates, *issuers) if c is not mine]))


def leaf_of(certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """The certificate among several that issued none of the others; the first where there is no such one."""
    issuers = [c for c in certificates if any(_issued(c, other) for other in certificates if other is not c)]
    return next((certificate for certificate in certificates if certificate not in issuers), certificates[0])


def chain_above(leaf: x509.Certificate, pool: Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """The issuers of `leaf`, nearest first, as far as `pool` has them; a root ends it and is included."""
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
    """Whether `issuer` signed `subject`; a signature too old to be checked here counts by its names."""
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
        return False  # of a kind that no key here is

"""Keys and certificates for fuzzing, the same in every run: inputs that a run kept still verify in the next one.

The private keys derive from public names, so they are for nothing but tests.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signer.algorithms import DigestAlgorithm
from signer.keys.identity import PublicKey, SigningIdentity
from signer.pkcs7.timestamp_authority import TimestampAuthority

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2034, 1, 1, tzinfo=UTC)


PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_PRIME_BITS, _EXPONENT = 512, 65537
_SMALL_PRIMES = math.prod(number for number in range(3, 2000) if all(number % d for d in range(2, 45) if d < number))


@dataclass(frozen=True, slots=True)
class RepeatableKey:
    """A key whose signatures depend only on the message; a `SigningKey`. RSA with 1024 bits is the fastest to check."""

    label: str
    kind: Literal["rsa1024", "p256"] = "rsa1024"

    @property
    def private(self) -> PrivateKey:
        """The private key, derived from the label."""
        return _private(self.label, self.kind)

    @property
    def public_key(self) -> PublicKey:
        """The public key."""
        return self.private.public_key()

    def sign(self, digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        """Sign a digest with RSASSA-PKCS1-v1_5, or with ECDSA (RFC 6979)."""
        return _signature(self, digest, algorithm)


@lru_cache(maxsize=16384)
def _signature(key: RepeatableKey, digest: bytes, algorithm: DigestAlgorithm) -> bytes:
    """Sign a digest, once: mutants that are signed again differ from others in one element, and signing is slow."""
    prehashed = Prehashed(algorithm.for_cryptography())
    if isinstance(key.private, rsa.RSAPrivateKey):
        return key.private.sign(digest, padding.PKCS1v15(), prehashed)
    return key.private.sign(digest, ec.ECDSA(prehashed, deterministic_signing=True))


@cache
def _private(label: str, kind: str) -> PrivateKey:
    chooser = random.Random(label)
    if kind == "p256":
        return ec.derive_private_key(chooser.getrandbits(255), ec.SECP256R1())
    p, q = _prime(chooser), _prime(chooser)
    d = pow(_EXPONENT, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(_EXPONENT, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def _prime(chooser: random.Random) -> int:
    """Return a number that is prime in all likelihood (Fermat), with its two highest bits set."""
    while True:
        found = chooser.getrandbits(_PRIME_BITS) | 0b11 << (_PRIME_BITS - 2) | 1
        if math.gcd(found, _SMALL_PRIMES) == 1 and all(pow(base, found - 1, found) == 1 for base in (2, 3, 5)):
            return found


ROOT, SIGNER, AUTHORITY = RepeatableKey("root"), RepeatableKey("signer"), RepeatableKey("authority", "p256")
STRANGER = RepeatableKey("stranger")
"""The key of an attacker."""


@cache
def certificate(
    name: str,
    key: RepeatableKey,
    issuer: RepeatableKey = ROOT,
    usages: tuple[x509.ObjectIdentifier, ...] = (),
    *,
    ca: bool = False,
    by: str = "Drvsign Fuzz Root",
    names: tuple[x509.GeneralName, ...] = (),
) -> x509.Certificate:
    """Return a certificate of this key; the usages of an authority are critical, as RFC 3161 requires."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(by))
        .public_key(key.private.public_key())
        .serial_number(int.from_bytes(name.encode()[-8:]))
        .not_valid_before(START)
        .not_valid_after(END)
        .add_extension(x509.BasicConstraints(ca, path_length=None), critical=True)
    )
    if usages:
        critical = ExtendedKeyUsageOID.TIME_STAMPING in usages
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer.private, hashes.SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


@cache
def root() -> x509.Certificate:
    """Return the root that tests trust."""
    return certificate("Drvsign Fuzz Root", ROOT, ca=True)


@cache
def signer() -> SigningIdentity:
    """Return a code-signing identity below the trusted root."""
    leaf = certificate("Drvsign Fuzz Signer", SIGNER, usages=(ExtendedKeyUsageOID.CODE_SIGNING,))
    return SigningIdentity(SIGNER, leaf, (root(),))


@cache
def authority() -> TimestampAuthority:
    """Return a timestamp authority below the trusted root, whose clock stands still."""
    leaf = certificate("Drvsign Fuzz Authority", AUTHORITY, usages=(ExtendedKeyUsageOID.TIME_STAMPING,))
    return TimestampAuthority(SigningIdentity(AUTHORITY, leaf, (root(),)), lambda: NOON, lambda: 1)


@cache
def attackers() -> tuple[SigningIdentity, ...]:
    """Return identities whose signatures Windows does not accept: what an attacker can have or forge."""
    code, tls = (ExtendedKeyUsageOID.CODE_SIGNING,), (ExtendedKeyUsageOID.SERVER_AUTH,)
    forged_root = certificate("Drvsign Fuzz Root", STRANGER, STRANGER, ca=True)
    tls_leaf = certificate("Some Web Server", STRANGER, usages=tls)
    issued_by_leaf = certificate("Drvsign Fuzz Signer", STRANGER, STRANGER, code, by="Some Web Server")
    return (
        SigningIdentity(STRANGER, certificate("Drvsign Fuzz Signer", STRANGER, STRANGER, code), (forged_root,)),
        SigningIdentity(STRANGER, tls_leaf, (root(),)),
        SigningIdentity(STRANGER, issued_by_leaf, (tls_leaf, root())),
        SigningIdentity(AUTHORITY, authority().identity.certificate, (root(),)),
    )

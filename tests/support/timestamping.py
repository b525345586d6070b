"""Timestamp authorities for tests, valid and invalid ones."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signer.keys.identity import SigningIdentity
from signer.keys.local import LocalKey
from signer.pkcs7.timestamp_authority import TimestampAuthority
from tests.support.identities import certificate, private_key

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
TIME_STAMPING, CODE_SIGNING = ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.CODE_SIGNING
ROOT = ("Drvsign Stamp Root", "p256")


@cache
def tsa_identity(
    kind: str = "rsa2048",
    usages: tuple[x509.ObjectIdentifier, ...] = (TIME_STAMPING,),
    critical: bool = True,
    ends: datetime = NOON + timedelta(days=365),
) -> SigningIdentity:
    """Return an authority issued by a root; without usages, it has no extended key usage extension."""
    name = f"Stamp {len(usages)} {kind}"
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(certificate(*ROOT).subject)
        .public_key(private_key(kind, name).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOON - timedelta(days=300))
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private_key(kind, name).public_key()), critical=False)
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=critical)
    leaf = builder.sign(private_key(ROOT[1], ROOT[0]), hashes.SHA256())
    return SigningIdentity(LocalKey(private_key(kind, name)), leaf, (certificate(*ROOT),))


def tsa(identity: SigningIdentity | None = None, time: datetime = NOON) -> TimestampAuthority:
    """Return an authority with a fixed clock, without checks of its certificate."""
    return TimestampAuthority(identity or tsa_identity(), lambda: time, itertools.count(1).__next__)

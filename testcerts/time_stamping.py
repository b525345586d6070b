"""The identity that signs test timestamps, valid at any simulated time."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509

from signer.certificates import valid_at
from signer.errors import KeyNotFound
from signer.keys.identity import SigningIdentity
from signer.keys.local import LocalKey
from testcerts.hierarchy import TestHierarchy
from testcerts.issue import signing_digest
from testcerts.profiles import ISSUING_CA, TIME_STAMP

_BEFORE, _AFTER = timedelta(days=30), timedelta(days=3650)


def time_stamping_identity(hierarchy: TestHierarchy, time: datetime) -> tuple[SigningIdentity, bool]:
    """Return the hierarchy's time-stamping identity, and whether its certificate was reissued to be valid at `time`.

    A reissued certificate has the same key and is not stored. Raises IdentityError and FileError.
    """
    if TIME_STAMP.name not in hierarchy.certificates:
        raise KeyNotFound(
            "the imported test authority has no key for timestamps",
            path=hierarchy.folder,
            hint="Run drvsign tsa serve where the authority was created, or copy its whole folder to this machine.",
        )
    stored = hierarchy.identity(TIME_STAMP.name)
    if valid_at(stored.certificate, time):
        return stored, False
    authority = hierarchy.identity(ISSUING_CA.name).key
    assert isinstance(authority, LocalKey)
    old = stored.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(old.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(time - _BEFORE)
        .not_valid_after(time + _AFTER)
    )
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    certificate = builder.sign(authority.private, signing_digest(authority.private))
    return SigningIdentity(stored.key, certificate, stored.chain), True

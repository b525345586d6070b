"""Profiles of the test certificates: issuer, extended key usages, validity, and deliberate flaws.

The module needs neither a key nor a clock, and imports no large library, so that the command line's help stays fast.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from signer.asn1.oids import (
    EKU_CODE_SIGNING,
    EKU_DRM,
    EKU_ELAM,
    EKU_HAL_EXTENSION,
    EKU_LIFETIME_SIGNING,
    EKU_PROTECTED_PROCESS,
    EKU_PROTECTED_PROCESS_LIGHT,
    EKU_SERVER_AUTH,
    EKU_TIME_STAMPING,
    EKU_WHQL,
    EKU_WHQL_ATTESTED,
    EKU_WHQL_EXTENDED,
    EKU_WINDOWS_TCB,
)
from signer.errors import UsageError
from signer.records import dataclass


class KeyKind(StrEnum):
    """Kinds of keys that can be generated."""

    RSA1024 = "rsa1024"
    """Too weak to be accepted; only for the profile `weak-key`."""
    RSA2048 = "rsa2048"
    RSA3072 = "rsa3072"
    RSA4096 = "rsa4096"
    P256 = "p256"
    P384 = "p384"

    @classmethod
    def named(cls, name: str) -> KeyKind:
        """Return the kind with this name, such as "rsa2048". Raises UsageError for an unknown name and for rsa1024."""
        for kind in SELECTABLE_KEYS:
            if kind.value == name.lower().replace("-", ""):
                return kind
        raise UsageError(f"unknown kind of key {name!r}", hint=f"Use one of: {', '.join(SELECTABLE_KEYS)}.")


SELECTABLE_KEYS = tuple(kind for kind in KeyKind if kind is not KeyKind.RSA1024)
"""Kinds of keys that users can select."""

_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Profile:
    """Description of one test certificate."""

    name: str
    """Name of the profile and of its files, without suffix."""
    summary: str
    """Purpose, in one line."""
    suffix: str = ""
    """Suffix of the common name."""
    issuer: str | None = "issuing-ca"
    """Name of the issuer's profile; None for a self-signed certificate."""
    usages: tuple[str, ...] = (EKU_CODE_SIGNING,)
    """Extended key usages; if empty, the extension is omitted."""
    critical: bool = False
    """True if the extended key usage extension is critical."""
    authority: bool = False
    """True for a certificate authority."""
    path_length: int | None = None
    """Path length constraint; None for no limit."""
    starts: timedelta = -timedelta(days=1)
    """Start of validity relative to the time of issue; a day earlier, because clocks of test machines are slow."""
    ends: timedelta | None = None
    """End of validity relative to the time of issue; None for the period in `Order`."""
    key: KeyKind | None = None
    """Kind of key; None for the kind in `Order`."""
    certifies: str | None = None
    """For a cross-certificate: the profile whose subject and key it certifies."""
    revoked: bool = False
    """True if its issuer's revocation list contains it."""
    flaw: str = ""
    """Reason why verifiers must reject it; empty for a valid certificate."""


# Authorities are older than the certificates that they issue, so that the expired certificate was once valid.
ROOT = Profile(
    "root", "the root certificate that test machines trust", " Root CA", None, (), authority=True, starts=-3 * _YEAR
)
ISSUING_CA = Profile(
    "issuing-ca",
    "issues all other certificates",
    " Issuing CA",
    "root",
    (),
    authority=True,
    path_length=0,
    starts=-3 * _YEAR,
)
LEAF = Profile("code-signing", "signs drivers and catalogs")
TIME_STAMP = Profile(
    "time-stamping", "signs RFC 3161 timestamps", " Time Stamping", usages=(EKU_TIME_STAMPING,), critical=True
)
HIERARCHY = (ROOT, ISSUING_CA, LEAF, TIME_STAMP)
"""Profiles that `drvsign certs create` always issues."""

VERIFICATION_ROOT = Profile(
    "code-verification-root",
    "a test replacement for Microsoft's Code Verification Root",
    " Code Verification Root",
    None,
    (),
    authority=True,
    starts=-3 * _YEAR,
)
_CROSS = Profile(
    "cross",
    "a cross-certificate: the test Code Verification Root certifies the key of the test root",
    " Root CA",
    "code-verification-root",
    authority=True,
    starts=-3 * _YEAR,
    certifies="root",
)


def _variant(name: str, usage: str, summary: str) -> Profile:
    """Return a code-signing profile with one more usage."""
    return Profile(name, summary, f" ({name})", usages=(EKU_CODE_SIGNING, usage))


_VARIANTS = (
    _variant("whql", EKU_WHQL, "WHQL: a driver that passed the hardware tests"),
    _variant("ev-whql", EKU_WHQL_EXTENDED, "WHQL: a driver submitted with an EV certificate"),
    _variant("attested", EKU_WHQL_ATTESTED, "WHQL: an attestation-signed driver"),
    _variant("elam", EKU_ELAM, "an early launch antimalware driver"),
    _variant("hal", EKU_HAL_EXTENSION, "a HAL extension"),
    _variant("lifetime", EKU_LIFETIME_SIGNING, "signatures expire with the certificate, even if timestamped"),
    _variant("protected-process-light", EKU_PROTECTED_PROCESS_LIGHT, "a protected process light"),
    _variant("windows-tcb", EKU_WINDOWS_TCB, "a Windows TCB component"),
    _variant("protected-process", EKU_PROTECTED_PROCESS, "a protected process"),
    _variant("drm", EKU_DRM, "a protected media component"),
)

_SELF_SIGNED = Profile("self-signed", "self-signed, as by MakeCert -r", " (self-signed)", None)
_BAD = (
    Profile(
        "expired",
        "expired a year ago",
        " (expired)",
        starts=-2 * _YEAR,
        ends=-_YEAR,
        flaw="it has expired",
    ),
    Profile("not-yet-valid", "valid from next year on", " (not yet valid)", starts=_YEAR, flaw="it is not valid yet"),
    Profile("no-eku", "without extended key usages", " (no EKU)", usages=(), flaw="it has no code-signing EKU"),
    Profile(
        "wrong-eku", "for TLS servers", " (wrong EKU)", usages=(EKU_SERVER_AUTH,), flaw="its EKU is not code signing"
    ),
    Profile("weak-key", "RSA with 1024 bits", " (weak key)", key=KeyKind.RSA1024, flaw="its key is too short"),
    Profile("revoked", "listed in the revocation list", " (revoked)", revoked=True, flaw="its issuer revoked it"),
)

PROFILES = {profile.name: profile for profile in (*_VARIANTS, _CROSS, _SELF_SIGNED, *_BAD)}
"""Optional profiles, by their name for `--profile`."""
ALL_PROFILES = {profile.name: profile for profile in (*HIERARCHY, VERIFICATION_ROOT, *PROFILES.values())}
"""All profiles by name, each after its issuer."""


def select_profiles(names: Iterable[str]) -> tuple[Profile, ...]:
    """Return the hierarchy and the named profiles ("all" for every one), each after its issuer. Raises UsageError."""
    selected = {profile.name for profile in HIERARCHY}
    for name in names:
        if name == "all":
            selected |= set(PROFILES)
        elif name in PROFILES:
            selected.add(name)
        elif name not in selected:
            raise UsageError(
                f"unknown certificate profile {name!r}", hint=f"Use one of: {', '.join(PROFILES)}, or all."
            )
    selected |= {issuer for name in selected if (issuer := ALL_PROFILES[name].issuer)}
    return tuple(profile for profile in ALL_PROFILES.values() if profile.name in selected)

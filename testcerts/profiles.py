"""The test public-key infrastructure, declared: what is issued by whom, for what use, and what is wrong with it.

Nothing here needs a key or a clock, and nothing is imported that the command line's help would have to pay for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from signer.errors import UsageError

CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
"""id-kp-codeSigning (RFC 5280, 4.2.1.12)."""
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
"""id-kp-timeStamping: critical, and the only usage of the certificate (RFC 3161, 2.3)."""
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
"""id-kp-serverAuth (RFC 5280, 4.2.1.12)."""

_MICROSOFT = "1.3.6.1.4.1.311"
WHQL = f"{_MICROSOFT}.10.3.5"
"""szOID_WHQL_CRYPTO (wincrypt.h): Windows Hardware Driver Verification."""
ATTESTED = f"{_MICROSOFT}.10.3.5.1"
"""szOID_ATTEST_WHQL_CRYPTO (wincrypt.h): Windows Hardware Driver Attested Verification."""
EV_WHQL = f"{_MICROSOFT}.10.3.39"
"""szOID_EV_WHQL_CRYPTO (wincrypt.h): Windows Hardware Driver Extended Verification."""
ELAM = f"{_MICROSOFT}.61.4.1"
"""Early Launch Antimalware Driver."""
HAL = f"{_MICROSOFT}.61.5.1"
"""HAL Extension."""
LIFETIME_SIGNING = f"{_MICROSOFT}.10.3.13"
"""szOID_KP_LIFETIME_SIGNING (wincrypt.h): a timestamp does not prolong the signature's life."""
PROTECTED_PROCESS_LIGHT = f"{_MICROSOFT}.10.3.22"
"""szOID_PROTECTED_PROCESS_LIGHT_SIGNER (wincrypt.h)."""
WINDOWS_TCB = f"{_MICROSOFT}.10.3.23"
"""szOID_WINDOWS_TCB_SIGNER (wincrypt.h)."""
PROTECTED_PROCESS = f"{_MICROSOFT}.10.3.24"
"""szOID_PROTECTED_PROCESS_SIGNER (wincrypt.h)."""
DRM = f"{_MICROSOFT}.10.5.1"
"""szOID_DRM (wincrypt.h): Digital Rights."""

USAGE_NAMES = {
    CODE_SIGNING: "code signing",
    TIME_STAMPING: "time stamping",
    SERVER_AUTH: "server authentication",
    WHQL: "WHQL",
    ATTESTED: "WHQL attested",
    EV_WHQL: "WHQL extended",
    ELAM: "early launch antimalware",
    HAL: "HAL extension",
    LIFETIME_SIGNING: "lifetime signing",
    PROTECTED_PROCESS_LIGHT: "protected process light",
    WINDOWS_TCB: "Windows TCB",
    PROTECTED_PROCESS: "protected process",
    DRM: "digital rights",
}
"""What a person calls the usages of this module."""


class KeyKind(StrEnum):
    """The kinds of key that are made."""

    RSA1024 = "rsa1024"
    """Too weak to be accepted; only the profile `weak-key` has it."""
    RSA2048 = "rsa2048"
    RSA3072 = "rsa3072"
    RSA4096 = "rsa4096"
    P256 = "p256"
    P384 = "p384"

    @classmethod
    def named(cls, name: str) -> KeyKind:
        """The kind called `name`, such as "rsa2048". Raises UsageError for any other name, and for rsa1024."""
        for kind in OFFERED_KEYS:
            if kind.value == name.lower().replace("-", ""):
                return kind
        raise UsageError(f"there is no kind of key called {name!r}", hint=f"Choose one of {', '.join(OFFERED_KEYS)}.")


OFFERED_KEYS = tuple(kind for kind in KeyKind if kind is not KeyKind.RSA1024)
"""The kinds of key that a user can ask for."""

_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Profile:
    """One certificate of the test infrastructure, as it is to be issued."""

    name: str
    """What the user calls it, and the name of its files without the suffix."""
    summary: str
    """What it is for, in one line."""
    suffix: str = ""
    """What follows the common name that the user chose."""
    issuer: str | None = "issuing-ca"
    """The profile whose key signs it; None for one that signs itself."""
    usages: tuple[str, ...] = (CODE_SIGNING,)
    """The extended key usages; none means that the extension is left out."""
    critical: bool = False
    """Whether the extended key usages are marked as critical."""
    authority: bool = False
    """Whether it may issue certificates."""
    path_length: int | None = None
    """How many authorities may stand below it; None for any number."""
    starts: timedelta = -timedelta(days=1)
    """When its validity begins, seen from the time of issue; a day early, because clocks of test machines lag."""
    ends: timedelta | None = None
    """When its validity ends, seen from the time of issue; None for as long as the user asked."""
    key: KeyKind | None = None
    """Its kind of key; None for the one that the user asked for."""
    stands_for: str | None = None
    """The profile whose subject and key it certifies, in a cross-certificate; None for a key of its own."""
    revoked: bool = False
    """Whether its issuer's revocation list names it."""
    flaw: str = ""
    """Why it has to be refused; empty for a good one."""


# Authorities are older than what they issue, so that the certificate which has expired was once good.
ROOT = Profile("root", "the root that the test machine trusts", " Root CA", None, (), authority=True, starts=-3 * _YEAR)
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
    "time-stamping", "signs RFC 3161 timestamps", " Time Stamping", usages=(TIME_STAMPING,), critical=True
)
HIERARCHY = (ROOT, ISSUING_CA, LEAF, TIME_STAMP)
"""What `drvsign certs create` makes before anything else is asked for."""

VERIFICATION_ROOT = Profile(
    "code-verification-root",
    "stands in for Microsoft's Code Verification Root",
    " Code Verification Root",
    None,
    (),
    authority=True,
    starts=-3 * _YEAR,
)
_CROSS = Profile(
    "cross",
    "a cross-certificate: the stand-in for the Code Verification Root certifies the key of the test root",
    " Root CA",
    "code-verification-root",
    authority=True,
    starts=-3 * _YEAR,
    stands_for="root",
)


def _variant(name: str, usage: str, summary: str) -> Profile:
    """A code-signing certificate with one more usage."""
    return Profile(name, summary, f" ({name})", usages=(CODE_SIGNING, usage))


_VARIANTS = (
    _variant("whql", WHQL, "as of a driver that passed the hardware tests"),
    _variant("ev-whql", EV_WHQL, "as of a driver submitted with an EV certificate"),
    _variant("attested", ATTESTED, "as of a driver that Microsoft signed on attestation"),
    _variant("elam", ELAM, "as of an early launch antimalware driver"),
    _variant("hal", HAL, "as of a HAL extension"),
    _variant("lifetime", LIFETIME_SIGNING, "signatures end with the certificate, timestamp or not"),
    _variant("protected-process-light", PROTECTED_PROCESS_LIGHT, "as of a protected process light"),
    _variant("windows-tcb", WINDOWS_TCB, "as of a Windows TCB component"),
    _variant("protected-process", PROTECTED_PROCESS, "as of a protected process"),
    _variant("drm", DRM, "as of a component for protected media"),
)

_SELF_SIGNED = Profile("self-signed", "its own root, as MakeCert -r makes them", " (self-signed)", None)
_BAD = (
    Profile(
        "expired",
        "ran out a year ago",
        " (expired)",
        starts=-2 * _YEAR,
        ends=-_YEAR,
        flaw="its validity has ended",
    ),
    Profile(
        "not-yet-valid", "begins in a year", " (not yet valid)", starts=_YEAR, flaw="its validity has not begun yet"
    ),
    Profile("no-eku", "without extended key usages", " (no EKU)", usages=(), flaw="it does not say code signing"),
    Profile(
        "wrong-eku", "for TLS servers", " (wrong EKU)", usages=(SERVER_AUTH,), flaw="it is not meant for code signing"
    ),
    Profile("weak-key", "RSA with 1024 bits", " (weak key)", key=KeyKind.RSA1024, flaw="its key is too short"),
    Profile("revoked", "named by the revocation list", " (revoked)", revoked=True, flaw="its issuer has revoked it"),
)

PROFILES = {profile.name: profile for profile in (*_VARIANTS, _CROSS, _SELF_SIGNED, *_BAD)}
"""What can be had besides the hierarchy, by the name that `--profile` takes."""
EVERY = {profile.name: profile for profile in (*HIERARCHY, VERIFICATION_ROOT, *PROFILES.values())}
"""All profiles by name, each after the one that issues it."""


def chosen(names: Iterable[str]) -> tuple[Profile, ...]:
    """The hierarchy and the profiles called `names` ("all" for every one), each after its issuer. Raises UsageError."""
    wanted = {profile.name for profile in HIERARCHY}
    for name in names:
        if name == "all":
            wanted |= set(PROFILES)
        elif name in PROFILES:
            wanted.add(name)
        elif name not in wanted:
            raise UsageError(
                f"there is no profile called {name!r}", hint=f"Choose one of {', '.join(PROFILES)}, or all."
            )
    wanted |= {issuer for name in wanted if (issuer := EVERY[name].issuer)}
    return tuple(profile for profile in EVERY.values() if profile.name in wanted)

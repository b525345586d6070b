"""Read certificate files, and report the validity of their certificates and revocation lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from signer.certificates import (
    common_name,
    extended_key_usages,
    extensions,
    issuer_name,
    load_all,
    serial_hex,
    subject_name,
    thumbprint,
)
from signer.errors import CertificateError, WrongSecret
from signer.keys.passwords import encoded_password, guesses, require_few_iterations, wrong_secret
from signer.keys.pfx import malformed_pfx, open_pfx, require_key
from signer.records import dataclass
from testcerts.encodings import PFX_PASSWORD
from testcerts.issue import key_kind

State = Literal["valid", "expiring", "expired", "not yet valid", "revoked"]
Kind = Literal["certificate", "bundle", "pfx", "crl"]

EXPIRING = timedelta(days=30)
"""A certificate is `expiring` during this period before its end date."""

SUFFIXES: dict[str, Kind] = {
    ".cer": "certificate",
    ".crt": "certificate",
    ".der": "certificate",
    ".pem": "certificate",
    ".p7b": "bundle",
    ".p7c": "bundle",
    ".spc": "bundle",
    ".pfx": "pfx",
    ".p12": "pfx",
    ".crl": "crl",
}
"""Kinds of certificate files by suffix."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of a certificate file."""

    kind: Kind
    certificates: tuple[x509.Certificate, ...] = ()
    """End-entity certificates first; in a PFX, the certificate of the key first."""
    has_key: bool = False
    revocations: x509.CertificateRevocationList | None = None


def handles(path: Path) -> bool:
    """Tell whether the file name is that of a certificate file, not of a private key."""
    return path.suffix.lower() in SUFFIXES and not path.name.lower().endswith(".key.pem")


def open_contents(data: bytes, suffix: str, password: str | None = None) -> Contents:
    """Parse the bytes of a certificate file with this suffix. Raises CertificateError, IdentityError for a PFX.

    A PFX is also tried without a password, with an empty password, and with that of the test certificates.
    """
    kind = SUFFIXES.get(suffix.lower(), "certificate")
    if kind == "pfx":
        return _open_pfx(data, password)
    if kind == "crl" or b"-----BEGIN X509 CRL-----" in data:
        return Contents("crl", revocations=_load_crl(data))
    return Contents(kind, tuple(_leaves_first(load_all(data))), has_key=b"PRIVATE KEY-----" in data)


def state(certificate: x509.Certificate, now: datetime, lists: Sequence[x509.CertificateRevocationList] = ()) -> State:
    """Return the state of a certificate at the time `now`, from its validity period and the given CRLs."""
    if any(_revokes(revocations, certificate) for revocations in lists):
        return "revoked"
    if now < certificate.not_valid_before_utc:
        return "not yet valid"
    if now > certificate.not_valid_after_utc:
        return "expired"
    return "expiring" if certificate.not_valid_after_utc - now < EXPIRING else "valid"


def days_left(end: datetime, now: datetime) -> int:
    """Return the whole days until `end`; negative if it has passed."""
    return (end - now) // timedelta(days=1)


def facts(
    certificate: x509.Certificate, now: datetime, lists: Sequence[x509.CertificateRevocationList] = ()
) -> dict[str, Any]:
    """Return the JSON object of a certificate. Unreadable values are None; `error` gives the reason."""
    authority, usages, error = None, None, None
    try:
        authority, usages = _is_authority(certificate), extended_key_usages(certificate)
    except CertificateError as caught:
        error = caught.as_json()
    return {
        "subject": subject_name(certificate),
        "common_name": common_name(certificate),
        "issuer": issuer_name(certificate),
        "serial": serial_hex(certificate),
        "sha1": thumbprint(certificate),
        "sha256": thumbprint(certificate, "sha256"),
        "key": _key_kind(certificate),
        "authority": authority,
        "usages": None if usages is None else sorted(usages),
        "not_before": _iso(certificate.not_valid_before_utc),
        "not_after": _iso(certificate.not_valid_after_utc),
        "days_left": days_left(certificate.not_valid_after_utc, now),
        "state": state(certificate, now, lists),
        "error": error,
    }


def _iso(time: datetime) -> str:
    """Format a UTC time in ISO 8601 with Z, as in the JSON output."""
    return time.isoformat().replace("+00:00", "Z")


def _is_authority(certificate: x509.Certificate) -> bool:
    """Tell whether the certificate may issue certificates (basicConstraints; RFC 5280, 4.2.1.9)."""
    try:
        return extensions(certificate).get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _key_kind(certificate: x509.Certificate) -> str | None:
    """Return the name of the key's algorithm and size; None if the library does not support it."""
    try:
        return key_kind(certificate.public_key())
    except (ValueError, UnsupportedAlgorithm):
        return None


def revocation_facts(revocations: x509.CertificateRevocationList, now: datetime) -> dict[str, Any]:
    """Return the JSON object of a revocation list."""
    end = revocations.next_update_utc
    return {
        "issuer": revocations.issuer.rfc4514_string(),
        "this_update": _iso(revocations.last_update_utc),
        "next_update": _iso(end) if end else None,
        "days_left": days_left(end, now) if end else None,
        "state": _list_state(revocations.last_update_utc, end, now),
        "revoked": [f"{entry.serial_number:x}" for entry in revocations],
    }


def _list_state(begin: datetime, end: datetime | None, now: datetime) -> State:
    if now < begin:
        return "not yet valid"
    if end is None or end - now >= EXPIRING:
        return "valid"
    return "expired" if now > end else "expiring"


def _leaves_first(certificates: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Sort certificates that issued none of the others first; the order in PKCS #7 is arbitrary."""
    issuers = {issuer_name(one) for one in certificates if issuer_name(one) != subject_name(one)}
    return sorted(certificates, key=lambda one: subject_name(one) in issuers)


def _revokes(revocations: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    if revocations.issuer.rfc4514_string() != issuer_name(certificate):
        return False
    return revocations.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None


def _open_pfx(data: bytes, password: str | None) -> Contents:
    """Open a PFX with the given password, else with those that need no prompt. Raises WrongSecret, CertificateError."""
    if password is not None:
        encoded_password(password)  # a password that can't be right for any file
    require_few_iterations(data, "PFX")
    guessed = guesses(data)
    for one in (*(() if password is None else (password,)), *guessed, *((PFX_PASSWORD,) if guessed else ())):
        try:
            opened = open_pfx(data, one)
        except WrongSecret:
            continue
        except ValueError as error:
            raise malformed_pfx() from error
        own = () if opened.certificate is None else (opened.certificate,)
        if opened.may_hide_key and not opened.others:
            require_key(opened)  # nothing to show but perhaps a key: say why
        return Contents("pfx", (*own, *opened.others), has_key=opened.key is not None)
    raise wrong_secret("PFX", given=password is not None)


def _load_crl(data: bytes) -> x509.CertificateRevocationList:
    load = x509.load_pem_x509_crl if data.lstrip().startswith(b"-----BEGIN") else x509.load_der_x509_crl
    try:
        found = load(data)
        _ = (
            found.issuer,
            [entry.serial_number for entry in found],
        )  # parsed lazily: access them here, so that errors are raised here
        return found
    except (ValueError, x509.InvalidVersion) as error:
        message = "the revocation list is damaged or has an unsupported format"
        raise CertificateError(message, hint="Download the revocation list again, as DER (.crl) or PEM.") from error

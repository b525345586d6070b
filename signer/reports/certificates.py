"""Convert certificates and times to JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography import x509


def certificate(one: x509.Certificate) -> dict[str, Any]:
    """Return a signer's certificate."""
    from signer.certificates import common_name, issuer_name, serial_hex, subject_name, thumbprint

    return {
        "subject": subject_name(one),
        "common_name": common_name(one),
        "issuer": issuer_name(one),
        "serial": serial_hex(one),
        "sha1": thumbprint(one, "sha1").lower(),
        "sha256": thumbprint(one, "sha256").lower(),
    }


def link(one: x509.Certificate) -> dict[str, Any]:
    """Return a certificate of a chain."""
    from signer.certificates import subject_name, thumbprint

    return {
        "subject": subject_name(one),
        "sha1": thumbprint(one, "sha1").lower(),
        "not_before": iso(one.not_valid_before_utc),
        "not_after": iso(one.not_valid_after_utc),
    }


def iso(time: datetime) -> str:
    """Format a time in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")

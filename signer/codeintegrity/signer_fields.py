"""Collect what event 3089 says about the signer of a signature."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography import x509

from signer.certificates import common_name, issuer_common_name, issuer_name
from signer.trust.signatures import digest_of
from signer.verify.evidence import Signature

if TYPE_CHECKING:
    from signer.codeintegrity.field_values import FieldValue


def signer_fields(signature: Signature) -> dict[str, FieldValue]:
    """Return the fields about the signer of a signature; none if it is unknown."""
    signer = signature.signer
    if signer is None:
        return {}
    issuer = next((cert for cert in signature.certificates if cert.subject == signer.issuer), None)
    return {
        "NotValidBefore": _file_time(signer.not_valid_before_utc),
        "NotValidAfter": _file_time(signer.not_valid_after_utc),
        "PublisherName": common_name(signer),
        "IssuerName": issuer_common_name(signer) or issuer_name(signer),
        "PublisherTBSHash": _tbs_hash(signer),
        "IssuerTBSHash": _tbs_hash(issuer) if issuer is not None else None,
        "OPUSInfo": signature.program_name or "",
    }


def _file_time(time: datetime) -> str:
    """Return a time as event XML has it, with seven decimal places."""
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}0Z"


@lru_cache(maxsize=1024)  # the same for every target, and for every file of a publisher
def _tbs_hash(certificate: x509.Certificate) -> str | None:
    """Return the hash of the TBSCertificate by the certificate's own algorithm; App Control names certificates so."""
    algorithm = digest_of(certificate.signature_algorithm_oid.dotted_string)
    return algorithm.hash(certificate.tbs_certificate_bytes).hex().upper() if algorithm is not None else None

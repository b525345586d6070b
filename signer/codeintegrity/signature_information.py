"""Collect the fields of event 3089: one record for each signature of a file, and one for an unsigned file.

Source: windows-itpro-docs app-control-for-business/operations/event-id-explanations.md and event-tag-explanations.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography import x509

from signer.certificates import common_name, issuer_common_name, issuer_name
from signer.policy.findings import SignatureVerdict, Verdict
from signer.trust.signatures import digest_of
from signer.verify.evidence import Evidence, Signature

SUCCESS, NOT_SIGNED, GENERIC, DENIED = 0, 3, 8, 26
_ERRORS = {
    "digest": 1,
    "page-hashes": 11,
    "digest-algorithm": 6,
    "key-algorithm": 23,
    "chain": 27,
    "test-signing": 7,
    "root": 7,
    "cross-signed": 15,
    "cross-signed-1809": 15,
    "cross-certificate-expired": 5,
    "attested": 15,
    "server-hlk": 15,
    "arm64-microsoft": 15,
    "s-mode": 21,
    "driver-policy": 21,
    "expiry": 5,
    "lifetime": 5,
}
"""VerificationError by the rule that decided about the signature."""

_UNSIGNED_LEVEL, _AUTHENTICODE_LEVEL, _WINDOWS_LEVEL = 1, 4, 12
_EMBEDDED, _CATALOG = 1, 4


def signature_information(verdict: Verdict, evidence: Evidence) -> Iterator[dict[str, Any]]:
    """Yield the fields of each 3089 for a verdict by plain name, in the order of the signatures."""
    total = len(evidence.signatures)
    if not total:
        yield {
            "TotalSignatureCount": 0,
            "Signature": 0,
            "SignatureType": 0,
            "ValidatedSigningLevel": _UNSIGNED_LEVEL,
            "VerificationError": NOT_SIGNED,
        }
    for one in verdict.signatures:
        yield {"TotalSignatureCount": total, "Signature": one.index, **_of(one, verdict, evidence)}


def _of(one: SignatureVerdict, verdict: Verdict, evidence: Evidence) -> dict[str, Any]:
    signature = evidence.signatures[one.index]
    algorithm = signature.digest_algorithm
    file_hash = evidence.digests.get(algorithm) if algorithm is not None else None
    return {
        "Hash": file_hash.hex().upper() if file_hash is not None else None,
        "PageHash": signature.page_hashes != "none",
        "SignatureType": _CATALOG if signature.source == "catalog" else _EMBEDDED,
        "ValidatedSigningLevel": _level(one),
        "VerificationError": DENIED if verdict.rule == "block-list" else _error(one),
        **_about_signer(signature),
    }


def _level(one: SignatureVerdict) -> int:
    if one.outcome != "accepted":
        return _UNSIGNED_LEVEL
    return _WINDOWS_LEVEL if one.classification == "windows" else _AUTHENTICODE_LEVEL


def _error(one: SignatureVerdict) -> int:
    if "driver-policy-evaluation" in one.codes:
        return _ERRORS["driver-policy"]
    return SUCCESS if one.outcome == "accepted" else _ERRORS.get(one.rule, GENERIC)


def _about_signer(signature: Signature) -> dict[str, Any]:
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

"""Collect the fields of event 3089: one record for each signature of a file, and one for an unsigned file.

Source: windows-itpro-docs app-control-for-business/operations/event-id-explanations.md and event-tag-explanations.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from signer.codeintegrity.file_fields import EventSubject
from signer.policy.findings import SignatureVerdict, Verdict

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


def signature_information(verdict: Verdict, subject: EventSubject) -> Iterator[dict[str, Any]]:
    """Yield the fields of each 3089 for a verdict by plain name, in the order of the signatures."""
    total = len(subject.evidence.signatures)
    if not total:
        yield {
            "TotalSignatureCount": 0,
            "Signature": 0,
            "SignatureType": 0,
            "ValidatedSigningLevel": _UNSIGNED_LEVEL,
            "VerificationError": NOT_SIGNED,
        }
    for one in verdict.signatures:
        yield {"TotalSignatureCount": total, "Signature": one.index, **_of(one, verdict, subject)}


def _of(one: SignatureVerdict, verdict: Verdict, subject: EventSubject) -> dict[str, Any]:
    evidence = subject.evidence
    signature = evidence.signatures[one.index]
    algorithm = signature.digest_algorithm
    file_hash = evidence.digests.get(algorithm) if algorithm is not None else None
    return {
        "Hash": file_hash.hex().upper() if file_hash is not None else None,
        "PageHash": signature.page_hashes != "none",
        "SignatureType": _CATALOG if signature.source == "catalog" else _EMBEDDED,
        "ValidatedSigningLevel": _level(one),
        "VerificationError": DENIED if verdict.rule == "block-list" else _error(one),
        **subject.signers[one.index],
    }


def _level(one: SignatureVerdict) -> int:
    if one.outcome != "accepted":
        return _UNSIGNED_LEVEL
    return _WINDOWS_LEVEL if one.classification == "windows" else _AUTHENTICODE_LEVEL


def _error(one: SignatureVerdict) -> int:
    if "driver-policy-evaluation" in one.codes:
        return _ERRORS["driver-policy"]
    return SUCCESS if one.outcome == "accepted" else _ERRORS.get(one.rule, GENERIC)

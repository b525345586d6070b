"""Classify a signature by the root of its chain, the signer's EKUs, and names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from cryptography import x509

from signer.asn1.oids import (
    EKU_ELAM,
    EKU_FLIGHT_SIGNING,
    EKU_HAL_EXTENSION,
    EKU_PROTECTED_PROCESS,
    EKU_WHQL,
    EKU_WHQL_ATTESTED,
    EKU_WHQL_EXTENDED,
    EKU_WHQL_OEM,
    EKU_WINDOWS_SYSTEM,
    EKU_WINDOWS_TCB,
)
from signer.certificates import common_name, extended_key_usages, is_self_signed, issuer_common_name
from signer.errors import CertificateError
from signer.policy.findings import Classification
from signer.trust.fields import fields_of, key_identity
from signer.trust.path import CertificatePath
from signer.trust.roots import kernel_root, kernel_roots
from signer.verify.evidence import Signature

MICROSOFT_CLASSES: tuple[Classification, ...] = ("windows", "whql", "attested")
"""The classes that Microsoft signs, under a production root."""
PORTAL_CLASSES: tuple[Classification, ...] = ("whql", "attested", "preproduction")
"""The classes of Microsoft's portal, which signs what companies submit."""

_PORTAL = (EKU_WHQL, EKU_WHQL_ATTESTED, EKU_WHQL_EXTENDED, EKU_WHQL_OEM)
_TEST_NAME = re.compile(r"(?i)\b(test|testing|testcert|wdktestcert|preproduction)\b|\(test\)")


def classify(signature: Signature, paths: Iterable[CertificatePath]) -> Classification:
    """Return the class of a signature. It describes the signer, not whether a release accepts the signature.

    Sources: dashboard/code-signing-validate.md (the EKU of an attestation signer ends in 5.1, that of an HLK signer in
    5); `ekus.tsv`. A signer with both EKUs counts as attested.
    """
    return classify_signer(signature.signer, paths)


def classify_signer(signer: x509.Certificate | None, paths: Iterable[CertificatePath]) -> Classification:
    """Return the class of a signer's certificate, as `classify` does."""
    if signer is None:
        return "unknown"
    paths = tuple(paths)
    kinds = {path.anchor.kind for path in paths if path.anchor is not None}
    usages = usages_of(signer) or frozenset()
    if "microsoft" in kinds:
        return _by_usage(usages)
    if "code-verification" in kinds:
        return "cross-signed"
    if "commercial" in kinds:
        return "commercial"
    if "microsoft-test" in kinds or any(_ends_in_a_microsoft_test_root(path) for path in paths):
        return "preproduction" if EKU_FLIGHT_SIGNING in usages or any(usage in usages for usage in _PORTAL) else "test"
    if is_self_signed(signer):
        return "self-signed"
    return "test" if "test" in kinds or _looks_like_a_test(signer, paths) else "unknown"


def publisher(signature: Signature, classification: Classification) -> str | None:
    """Return the publisher of a file: the signer, or for a portal signature the company that submitted the file.

    The portal writes the submitter's name into SpcSpOpusInfo as the program name, which App Control compares with
    CertOemID. Returns None if a portal signature has no program name, or without a signer.
    """
    if classification in PORTAL_CLASSES:
        return signature.program_name
    return common_name(signature.signer) if signature.signer is not None else None


def submitter(signature: Signature, classification: Classification) -> str | None:
    """Return the company that submitted a file to Microsoft's portal; None for other signatures."""
    return signature.program_name if classification in PORTAL_CLASSES else None


def _by_usage(usages: frozenset[str]) -> Classification:
    """Return the class of a signer under a production root of Code Integrity."""
    if EKU_WHQL_ATTESTED in usages:
        return "attested"
    if any(usage in usages for usage in _PORTAL):
        return "whql"
    if EKU_WINDOWS_SYSTEM in usages or EKU_WINDOWS_TCB in usages or EKU_PROTECTED_PROCESS in usages:
        return "windows"
    # The portal signs ELAM drivers and HAL extensions; it never signs ELAM drivers by attestation.
    return "whql" if EKU_ELAM in usages or EKU_HAL_EXTENSION in usages else "commercial"


def _ends_in_a_microsoft_test_root(path: CertificatePath) -> bool:
    """Return whether a path without an anchor ends at a Microsoft test root, which release stores do not contain."""
    top = path.certificates[-1]
    if path.anchor is not None:
        return False
    if is_self_signed(top):
        known = kernel_root(key_identity(fields_of(top).spki))  # compares bytes: the key may be unreadable
        return known is not None and known.kind == "microsoft-test"
    return issuer_common_name(top) in _microsoft_test_roots()


@cache
def _microsoft_test_roots() -> frozenset[str]:
    return frozenset(root.common_name for root in kernel_roots() if root.kind == "microsoft-test")


def _looks_like_a_test(signer: x509.Certificate, paths: tuple[CertificatePath, ...]) -> bool:
    """Return whether a path without an anchor ends at a private root, or contains a name that indicates a test."""
    certificates = {signer, *(certificate for path in paths for certificate in path.certificates)}
    if any(is_self_signed(path.certificates[-1]) for path in paths):
        return True
    names = {common_name(cert) for cert in certificates} | {issuer_common_name(cert) or "" for cert in certificates}
    return any(_TEST_NAME.search(name) for name in names)


def usages_of(certificate: x509.Certificate | None) -> frozenset[str] | None:
    """Return the extended key usages, or None without the extension. An unreadable extension permits nothing."""
    if certificate is None:
        return None
    try:
        return extended_key_usages(certificate)
    except CertificateError:
        return frozenset()

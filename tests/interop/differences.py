"""Names of known differences to other implementations, which docs/differences.md explains."""

from __future__ import annotations

BARE_DIGEST = "bare-digest"
TRUST_IN_THE_VERDICT = "trust-in-the-verdict"
NESTED_SIGNATURES = "nested-signatures"
NESTED_IN_CATALOG = "nested-in-catalog"
PAGE_ALIGNMENT = "page-alignment"
UNSIGNED_CATALOG = "unsigned-catalog"
SEVERAL_ENTRIES = "several-entries"
SILENT_AFTER_A_MISMATCH = "silent-after-a-mismatch"
UNREADABLE_SIGNATURE = "unreadable-signature"
UNREADABLE_CERTIFICATE = "unreadable-certificate"
MISNAMED_CONTENT = "misnamed-content"
APPLICATION_POLICIES = "application-policies"

DIFFERENCES = (
    BARE_DIGEST,
    TRUST_IN_THE_VERDICT,
    NESTED_SIGNATURES,
    NESTED_IN_CATALOG,
    PAGE_ALIGNMENT,
    UNSIGNED_CATALOG,
    SEVERAL_ENTRIES,
    SILENT_AFTER_A_MISMATCH,
    UNREADABLE_SIGNATURE,
    UNREADABLE_CERTIFICATE,
    MISNAMED_CONTENT,
    APPLICATION_POLICIES,
)

"""The ways in which other implementations see a file differently, by the names that docs/differences.md explains."""

from __future__ import annotations

BARE_DIGEST = "bare-digest"
TRUST_IN_THE_VERDICT = "trust-in-the-verdict"
NESTED_SIGNATURES = "nested-signatures"
NESTED_IN_CATALOG = "nested-in-catalog"
PAGE_ALIGNMENT = "page-alignment"
UNSIGNED_CATALOG = "unsigned-catalog"

DIFFERENCES = (
    BARE_DIGEST,
    TRUST_IN_THE_VERDICT,
    NESTED_SIGNATURES,
    NESTED_IN_CATALOG,
    PAGE_ALIGNMENT,
    UNSIGNED_CATALOG,
)

"""Files without a signature, or with one that is broken."""

from __future__ import annotations

from signer.policy.classify import WHQL
from tests.policy.builder import Sample, by_microsoft, driver
from tests.policy.cases.registry import expect


@expect("rejected", "unsigned", "vista-x64", "win7-x64", "win10-1507-x64", "win11-24h2-x64", "server2008-ia64")
def nothing() -> Sample:
    """A driver without any signature does not load on a 64-bit release."""
    return driver(architecture=None)


@expect("rejected", "digest", "vista-x64", "win10-22h2-x64", "win11-25h2-x64", code="digest-mismatch", sha2_update=True)
def changed_byte() -> Sample:
    """A driver that was changed after it was signed does not load, whoever signed it."""
    return driver(by_microsoft(WHQL).broken())

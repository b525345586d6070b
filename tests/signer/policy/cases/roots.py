"""Roots that the kernel accepts, and violations of RFC 5280."""

from __future__ import annotations

from signer.asn1.oids import EKU_CODE_SIGNING, EKU_TIME_STAMPING, EKU_WHQL, EKU_WINDOWS_SYSTEM
from signer.policy.sources import EVENTS, POLICY, TEST_MODE, WDD, WEAK_CHAINS
from signer.trust.path import PathProblem
from tests.signer.policy.cases.registry import expect, stated
from tests.signer.policy.documents import DECISION, RFC_5280, RFC_5280_USAGE, SOFTWARE_PUBLISHER, unsettled
from tests.support.policy_builder import (
    Sample,
    Sign,
    anchor,
    by_microsoft,
    certificate,
    chain,
    commercial,
    cross_signed,
    driver,
    unknown_issuer,
)


@expect("accepted", "root", "win7-x64", "win8.1-x64", "win10-1607-x64", "win11-24h2-x64", "server2019-x64")
@stated(POLICY)
def whql() -> Sample:
    """A WHQL signature under the root of 2010 loads on every release that supports SHA-2."""
    return driver(by_microsoft(EKU_WHQL))


@expect("accepted", "root", "win7-x64", "win10-1607-x64", "win11-25h2-x64", "server2025-x64")
@stated(POLICY)
def inbox() -> Sample:
    """Every release loads a Windows signature."""
    return driver(by_microsoft(EKU_WINDOWS_SYSTEM))


@expect("accepted", "root", "win7-x64", "win10-1607-x64", "win11-24h2-x64")
@stated(POLICY)
def root_of_2001() -> Sample:
    """Microsoft Root Certificate Authority of 2001 counts although it expired in 2021."""
    return driver(by_microsoft(EKU_WHQL, root_id=5))


@expect("accepted", "root", "win7-x64", "win10-1607-x64", "win11-24h2-x64")
@stated(POLICY)
def root_of_1997() -> Sample:
    """Microsoft Root Authority of 1997 counts although it expired in 2020."""
    return driver(by_microsoft(EKU_WHQL, root_id=4))


@expect("rejected", "root", "win10-1607-x64", "win11-24h2-x64", "server2016-x64")
@expect("unknown", "root", "win8.1-x64", "win10-1511-x64", code="root-not-settled")
@expect("unknown", "root", "win10-22h2-x64", secure_boot=False)
@stated(f"{POLICY}; {EVENTS}, table of known roots")
def root_of_2011() -> Sample:
    """The root of 2011 is not on the list for 1607; whether it is a standard root before is not documented."""
    return driver(by_microsoft(root_id=7))


@expect("rejected", "root", "win7-x64", "win10-22h2-x64")
@stated(POLICY)
def root_of_the_store() -> Sample:
    """A root that Code Integrity knows is not necessarily a root for kernel-mode code."""
    return driver(by_microsoft(EKU_WHQL, root_id=15))


@expect("rejected", "root", "win7-x64", "win10-22h2-x64", "win11-24h2-x64")
@expect("rejected", "root", "win10-22h2-x64", upgraded=True)
@expect("rejected", "root", "win10-22h2-x64", secure_boot=False)
@stated(POLICY)
def commercial_without_cross_certificate() -> Sample:
    """The kernel rejects a public code-signing certificate without a cross-certificate."""
    return driver(commercial())


@expect("rejected", "root", "win10-22h2-x64", "win7-x64")
@expect("accepted", "root", "win10-22h2-x64", roots="test-signing", testsigning=True, code="any-certificate")
@expect("rejected", "root", "win10-22h2-x64", roots="test-signing")
@stated(POLICY)
def missing_issuer() -> Sample:
    """A chain with a missing issuer ends at no root; only test-signing mode accepts it."""
    return driver(unknown_issuer())


@expect("unknown", "root", "win10-22h2-x64", roots="test-signing", testsigning=True, hvci=True)
@stated(unsettled(TEST_MODE))
def any_certificate_under_memory_integrity() -> Sample:
    """With memory integrity, test-signing mode requires a test certificate."""
    return driver(unknown_issuer())


@expect("rejected", "root", "win10-22h2-x64")
@stated(POLICY)
def no_signer() -> Sample:
    """A signature without its signer's certificate has no chain."""
    return driver(Sign(None, ()))


@expect("accepted", "root", "win8.1-x64")
@expect("accepted", "cross-signed", "win10-22h2-x64")
@stated(DECISION)
def two_paths() -> Sample:
    """The better of a chain to a public root and one through a cross-certificate counts."""
    sign = cross_signed()
    assert sign.leaf is not None
    other = chain(sign.leaf, anchor("commercial"), *sign.paths[0].certificates[1:2])
    return driver(cross_signed(also=(other,)))


@expect("rejected", "code-signing", "win7-x64", "win11-24h2-x64")
@stated(SOFTWARE_PUBLISHER)
def certificate_for_time_stamping() -> Sample:
    """A certificate without the code-signing EKU is rejected."""
    return driver(cross_signed(usages=(EKU_TIME_STAMPING,)))


@expect("accepted", "root", "win7-x64", "win11-24h2-x64")
@stated(f"{WDD} dashboard/code-signing-validate.md")
def microsofts_certificate_for_drivers_only() -> Sample:
    """Microsoft's driver EKU is sufficient under its root; other signers need the code-signing EKU."""
    leaf = certificate("Microsoft Windows Hardware Compatibility Publisher", "Some PCA", usages=(EKU_WHQL,))
    return driver(Sign(leaf, (chain(leaf, anchor("microsoft", 5), certificate("Some PCA", "Some Root")),)))


@expect("rejected", "code-signing", "win7-x64", "win11-24h2-x64")
@stated(SOFTWARE_PUBLISHER)
def vendors_certificate_for_drivers_only() -> Sample:
    """The same EKU in a vendor's certificate is not sufficient."""
    return driver(cross_signed(usages=(EKU_WHQL,)))


@expect("accepted", "root", "win7-x64")
@stated(RFC_5280_USAGE)
def certificate_without_usages() -> Sample:
    """A certificate without EKUs, as in the nineties, is valid for every usage."""
    return driver(cross_signed(usages=None))


@expect("accepted", "root", "win7-x64")
@stated(RFC_5280_USAGE)
def certificate_for_any_usage() -> Sample:
    """anyExtendedKeyUsage includes code signing."""
    return driver(cross_signed(usages=("2.5.29.37.0",)))


def _path_with(code: str, *, test: bool = False) -> Sample:
    leaf = certificate("Contoso Ltd.", "No CA", usages=(EKU_CODE_SIGNING,))
    problem = PathProblem(code, "'No CA' broke a rule", 1)
    end = anchor("test", name="Contoso Root") if test else anchor("microsoft", 6)
    return driver(Sign(leaf, (chain(leaf, end, certificate("No CA", "Some Root"), problems=(problem,)),)))


@expect("rejected", "chain", "win7-x64", "win11-24h2-x64", code="not-a-ca")
@stated(RFC_5280)
def issued_by_an_end_entity() -> Sample:
    """A certificate whose issuer is not a CA is rejected."""
    return _path_with("not-a-ca")


@expect("unknown", "chain", "win11-24h2-x64", code="not-a-ca", roots="test-signing", testsigning=True)
@stated(unsettled(TEST_MODE))
def issued_by_an_end_entity_in_test_mode() -> Sample:
    """Microsoft does not document how test-signing mode checks a chain."""
    return _path_with("not-a-ca", test=True)


@expect("unknown", "chain", "win7-x64", "win11-24h2-x64", code="invalid-policy")
@stated(unsettled(RFC_5280))
def without_a_required_certificate_policy() -> Sample:
    """Microsoft does not document whether Code Integrity evaluates certificate policies."""
    return _path_with("invalid-policy")


@expect("accepted", "root", "win10-22h2-x64", code="weak-key")
@stated(WEAK_CHAINS)
def weak_key_on_the_path() -> Sample:
    """A weak key yields a note; Code Integrity is not known to reject it."""
    return _path_with("weak-key")


@expect("accepted", "root", "win10-22h2-x64", code="revoked")
@stated(f"{EVENTS}, VerificationError 4: revocation comes with Windows' own lists")
def revoked_by_its_authority() -> Sample:
    """Code Integrity reads no revocation lists of certificate authorities, so the driver loads."""
    return _path_with("revoked")

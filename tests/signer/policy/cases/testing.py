"""Test signatures, test-signing mode, preproduction, and what Secure Boot rules out."""

from __future__ import annotations

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_FLIGHT_SIGNING, EKU_TIME_STAMPING, EKU_WHQL, EKU_WHQL_ATTESTED
from signer.policy.sources import PREPRODUCTION, S_MODE, TEST_CERTIFICATES, TEST_MODE
from tests.signer.policy.cases.registry import expect, stated
from tests.signer.policy.documents import KNOWN_ROOTS
from tests.support.policy_builder import (
    Sample,
    by_microsoft,
    by_microsoft_test,
    commercial,
    cross_signed,
    driver,
    of_test_root,
    self_signed,
)

TEST = {"roots": "test-signing", "testsigning": True}


@expect("rejected", "test-signing", "win7-x64", "win11-24h2-x64", code="test-signed")
@expect("rejected", "test-signing", "win11-24h2-x64", code="testsigning-ignored", testsigning=True)
@stated(TEST_MODE)
def under_release_roots() -> Sample:
    """A test-signed driver is rejected under release roots, even where test-signing mode is on."""
    return driver(of_test_root(named=False))


@expect("accepted", "test-signing", "win7-x64", "win8-x64", "win11-24h2-x64", "server2025-x64", **TEST)
@expect("rejected", "test-signing", "win7-x64", "win11-24h2-x64", code="test-signing-off", roots="test-signing")
@expect("rejected", "test-signing", "win11-24h2-x64", code="test-signing-secure-boot", secure_boot=True, **TEST)
@expect("accepted", "test-signing", "win7-x64", secure_boot=True, code="no-secure-boot", **TEST)
@expect("accepted", "test-signing", "win11-24h2-x64", hvci=True, **TEST)
@expect("accepted", "test-signing", "win8.1-x64", hvci=True, code="no-hvci", **TEST)
@stated(TEST_MODE)
def under_its_root() -> Sample:
    """A test-signed driver loads in test-signing mode, which requires Secure Boot to be off."""
    return driver(of_test_root(named=True))


@expect("accepted", "test-signing", "win10-22h2-arm64", "win11-24h2-arm64", **TEST)
@expect("rejected", "test-signing", "win11-24h2-arm64", roots="test-signing")
@expect("unknown", "s-mode", "win11-24h2-arm64-smode", code="s-mode-test", **TEST)
@stated(f"{TEST_MODE}; {S_MODE}")
def on_arm64() -> Sample:
    """ARM64 has test-signing mode too; Microsoft does not document it for S mode."""
    return driver(of_test_root(named=True), architecture="arm64")


@expect("rejected", "test-signing", "win10-22h2-x64", code="test-signed")
@expect("accepted", "test-signing", "win10-22h2-x64", **TEST)
@stated(TEST_CERTIFICATES)
def visual_studio_certificate() -> Sample:
    """A self-signed WDKTestCert counts as test-signed."""
    return driver(self_signed())


@expect("accepted", "test-signing", "win10-22h2-x64", **TEST)
@stated(TEST_CERTIFICATES)
def visual_studio_certificate_that_was_given() -> Sample:
    """A self-signed certificate that is given as a root still counts as test-signed."""
    return driver(self_signed(named=True))


@expect("accepted", "test-signing", "win10-22h2-x64", code="wrong-usage", **TEST)
@expect("rejected", "code-signing", "win10-22h2-x64", roots="test-signing")
@stated(TEST_MODE)
def test_certificate_with_another_usage() -> Sample:
    """Test-signing mode accepts any certificate, even one without the code-signing EKU."""
    return driver(of_test_root(named=True, usages=(EKU_TIME_STAMPING,)))


@expect("rejected", "test-signing", "win11-23h2-x64", code="test-signed")
@expect("rejected", "test-signing", "win11-23h2-x64", roots="test-signing", code="test-signing-off")
@expect("accepted", "test-signing", "win11-23h2-x64", "win10-22h2-x64", **TEST)
@expect("accepted", "test-signing", "win11-23h2-x64", roots="test-signing", uefi_sb_test=True, code="preproduction")
@expect("accepted", "test-signing", "win11-22h2-x64", roots="test-signing", uefi_sb_test=True, code="preproduction")
@expect("rejected", "test-signing", "win11-21h2-x64", "win10-22h2-x64", roots="test-signing", uefi_sb_test=True)
@stated(PREPRODUCTION)
def preproduction() -> Sample:
    """A preproduction signature loads in test-signing mode, or since 22H2 on a machine that is provisioned for it."""
    return driver(by_microsoft_test(EKU_WHQL))


@expect("accepted", "test-signing", "win11-23h2-x64", roots="test-signing", uefi_sb_test=True)
@stated(PREPRODUCTION)
def preproduction_attested() -> Sample:
    """The portal's preproduction signature may be an attestation."""
    return driver(by_microsoft_test(EKU_WHQL_ATTESTED))


@expect("accepted", "test-signing", "win11-23h2-x64", **TEST)
@stated(KNOWN_ROOTS)
def flight_signed() -> Sample:
    """A flight-signed driver counts as test-signed."""
    return driver(by_microsoft_test(EKU_FLIGHT_SIGNING, root_id=14))


@expect("rejected", "test-signing", "win11-23h2-x64", roots="test-signing", uefi_sb_test=True)
@stated(PREPRODUCTION)
def microsoft_test_certificate() -> Sample:
    """A signature under Microsoft's test root without a portal EKU is not a preproduction signature."""
    return driver(by_microsoft_test())


@expect("accepted", "root", "win10-22h2-x64", code="any-certificate", **TEST)
@stated(TEST_MODE)
def commercial_in_test_mode() -> Sample:
    """Test-signing mode accepts a public code-signing certificate."""
    return driver(commercial())


@expect("accepted", "root", "win11-24h2-x64", code="testsigning-ignored", testsigning=True)
@expect("accepted", "root", "win11-24h2-x64", code="root", testsigning=True, secure_boot=True)
@stated(TEST_MODE)
def released_driver_on_a_test_machine() -> Sample:
    """A released driver loads in test-signing mode as well."""
    return driver(by_microsoft(EKU_WHQL))


@expect("rejected", "root", "win7-x64", "win11-24h2-x64", roots="test-signing", code="root")
@expect("accepted", "root", "win7-x64", "win11-24h2-x64", code="any-certificate", **TEST)
@expect("accepted", "root", "win11-24h2-x64", code="any-certificate", hvci=True, **TEST)
@stated(TEST_MODE)
def whql_checked_with_test_roots() -> Sample:
    """Microsoft's signature is not a test signature with test roots either, and a test machine accepts it."""
    return driver(by_microsoft(EKU_WHQL).under_test_roots())


@expect("rejected", "root", "win11-24h2-x64", roots="test-signing", code="root")
@expect("accepted", "root", "win8.1-x64", "win11-24h2-x64", "server2022-x64", code="any-certificate", **TEST)
@stated(TEST_MODE)
def attested_checked_with_test_roots() -> Sample:
    """Test-signing mode accepts any certificate, so attestation counts on every release."""
    return driver(by_microsoft(EKU_WHQL_ATTESTED).under_test_roots())


@expect("rejected", "root", "win7-x64", "win11-24h2-x64", roots="test-signing", code="root")
@expect("accepted", "root", "win7-x64", "win11-24h2-x64", code="any-certificate", **TEST)
@expect("unknown", "root", "win11-24h2-x64", code="any-certificate-hvci", hvci=True, **TEST)
@stated(TEST_MODE)
def cross_signed_checked_with_test_roots() -> Sample:
    """A vendor's release signature is not a test signature either."""
    return driver(cross_signed("2016-05-02").having(algorithm=DigestAlgorithm.SHA1).under_test_roots())

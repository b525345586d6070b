"""Which roots the kernel takes, and which test signatures."""

from __future__ import annotations

from signer.policy.classify import WHQL
from tests.policy.builder import (
    Sample,
    by_microsoft,
    commercial,
    driver,
    of_test_root,
    self_signed,
    unknown_issuer,
)
from tests.policy.cases.registry import expect


@expect("accepted", "root", "win7-x64", "win8.1-x64", "win10-1607-x64", "win11-24h2-x64", "server2019-x64")
def whql() -> Sample:
    """A WHQL signature under the root of 2010 loads on every release that understands SHA-2."""
    return driver(by_microsoft(WHQL))


@expect("rejected", "root", "win7-x64", "win10-22h2-x64", "win11-24h2-x64")
def commercial_without_cross_certificate() -> Sample:
    """A public code-signing certificate without a cross-certificate is no kernel signature."""
    return driver(commercial())


@expect("rejected", "root", "win10-22h2-x64")
def missing_issuer() -> Sample:
    """A signer whose issuer can't be found reaches no root."""
    return driver(unknown_issuer())


@expect("rejected", "test-signing", "win7-x64", "win11-24h2-x64", code="test-signed")
@expect("rejected", "test-signing", "win11-24h2-x64", code="test-signed", testsigning=True)
def test_signed_under_release_roots() -> Sample:
    """A test-signed driver is rejected under release roots, even where test-signing mode is on."""
    return driver(of_test_root(named=False))


@expect("accepted", "test-signing", "win7-x64", "win11-24h2-x64", roots="test-signing", testsigning=True)
@expect("rejected", "test-signing", "win11-24h2-x64", code="test-signing-off", roots="test-signing")
@expect(
    "rejected",
    "test-signing",
    "win11-24h2-x64",
    code="test-signing-secure-boot",
    roots="test-signing",
    testsigning=True,
    secure_boot=True,
)
def test_signed_under_its_root() -> Sample:
    """A test-signed driver loads in test-signing mode, and only without Secure Boot."""
    return driver(of_test_root(named=True))


@expect("rejected", "test-signing", "win10-22h2-x64")
@expect("accepted", "test-signing", "win10-22h2-x64", roots="test-signing", testsigning=True)
def visual_studio_certificate() -> Sample:
    """A self-signed WDKTestCert counts as test-signed."""
    return driver(self_signed())

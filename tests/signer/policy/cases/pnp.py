"""One file of a package under the Plug and Play policy."""

from __future__ import annotations

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_LIFETIME_SIGNING, EKU_TIME_STAMPING, EKU_WHQL, EKU_WHQL_ATTESTED
from signer.policy.sources import (
    ADMINISTRATOR_PROMPT,
    ATTESTED_ON_SERVERS,
    AUTHENTICODE,
    CATALOGS,
    CATEGORIES,
    EVENT_IDS,
    PREPRODUCTION,
    REQUIREMENTS,
    TEST_CERTIFICATES,
    WIN_VERIFY_TRUST,
)
from signer.policy.sources import (
    PNP as PNP_PAGE,
)
from signer.trust.path import PathProblem
from tests.signer.policy.cases.registry import expect, stated
from tests.signer.policy.documents import CROSS_CERTIFICATES, RFC_5280, RFC_5280_USAGE, unsettled
from tests.support.policy_builder import (
    Sample,
    Sign,
    anchor,
    by_microsoft,
    by_microsoft_test,
    certificate,
    chain,
    commercial,
    cross_signed,
    driver,
    of_test_root,
    unknown_issuer,
)

PNP = {"policy": "pnp"}


@expect("accepted", "publisher", "win7-x64", "win11-24h2-x64", "win11-24h2-x64-smode", "server2022-x64", **PNP)
@stated(CATEGORIES)
def whql_catalog() -> Sample:
    """A package with a WHQL catalog installs without a prompt."""
    return driver(by_microsoft(EKU_WHQL).in_catalog())


@expect("accepted", "administrator-prompt", "win7-x64", code="embedded-does-not-count", **PNP)
@expect("rejected", "catalogued", "win11-24h2-x64", code="embedded-does-not-count", **PNP)
@stated(f"{REQUIREMENTS}; {PNP_PAGE}")
def embedded_only() -> Sample:
    """An embedded signature does not make a package signed."""
    return driver(by_microsoft(EKU_WHQL))


@expect("accepted", "administrator-prompt", "vista-x64", "win7-x86", "server2008r2-x64", code="not-catalogued", **PNP)
@expect("rejected", "catalogued", "win8-x64", "win8-x86", "server2012-x64", "win11-24h2-x64", **PNP)
@stated(ADMINISTRATOR_PROMPT)
def not_in_the_catalog() -> Sample:
    """An administrator can install an unsigned package until Windows 7; Windows 8 and later refuse it."""
    return driver(kind="file", name="sample.inf")


@expect("accepted", "administrator-prompt", "win7-x64", **PNP)
@expect("rejected", "digest", "vista-x64", "win7-x64")
@expect("accepted", "x86-not-enforced", "win7-x86")
@expect("rejected", "digest", "win8-x64", **PNP)
@stated(ADMINISTRATOR_PROMPT)
def altered_driver() -> Sample:
    """An altered driver installs on Windows 7 after a prompt, and does not load there on 64-bit."""
    return driver(by_microsoft(EKU_WHQL).in_catalog().broken(), architecture=None)


@expect("accepted", "administrator-prompt", "vista-x64", "win7-x64", **PNP)
@expect("rejected", "unsigned", "vista-x64", "win7-x64")
@expect("rejected", "catalogued", "win8-x64", **PNP)
@expect("rejected", "unsigned", "win8-x64")
@stated(ADMINISTRATOR_PROMPT)
def unsigned_driver() -> Sample:
    """The prompt of Windows 7 permits the installation of an unsigned driver, not that it loads on 64-bit."""
    return driver()


@expect("accepted", "administrator-prompt", "win7-x64", code="administrator-prompt", **PNP)
@expect("rejected", "trusted-root", "win8-x64", **PNP)
@stated(ADMINISTRATOR_PROMPT)
def publisher_without_a_trusted_root() -> Sample:
    """A publisher that Windows 7 can't verify is the case of an unsigned package."""
    return driver(unknown_issuer().in_catalog())


@expect("accepted", "publisher", "win10-22h2-x64", **PNP)
@stated(CATALOGS)
def catalog_itself() -> Sample:
    """A catalog is evaluated by its own signature."""
    return driver(by_microsoft(EKU_WHQL), kind="catalog", name="sample.cat")


@expect("rejected", "digest", "win10-22h2-x64", **PNP)
@stated(CATALOGS)
def broken_catalog() -> Sample:
    """A catalog with a broken signature is rejected."""
    return driver(by_microsoft(EKU_WHQL).in_catalog().broken("signature-invalid", "the signature does not verify"))


@expect("accepted", "publisher", "win10-22h2-x64", code="publisher-prompt", **PNP)
@expect("accepted", "publisher", "win10-22h2-x64", code="publisher-trusted", publisher="trusted", **PNP)
@expect("rejected", "publisher", "win7-x64", "win10-22h2-x64", publisher="untrusted", code="publisher-untrusted", **PNP)
@expect("rejected", "whql-architecture", "win10-22h2-arm64", **PNP)
@stated(CATEGORIES)
def commercial_catalog() -> Sample:
    """A publisher's own catalog installs with a prompt; ARM64 rejects it."""
    return driver(commercial().in_catalog())


@expect("rejected", "publisher", "win10-22h2-x64", publisher="untrusted", **PNP)
@stated(CATEGORIES)
def distrusted_microsoft() -> Sample:
    """A machine refuses a distrusted publisher, even Microsoft."""
    return driver(by_microsoft(EKU_WHQL).in_catalog())


@expect("rejected", "trusted-root", "win10-22h2-x64", code="test-signed", **PNP)
@expect("accepted", "publisher", "win10-22h2-x64", roots="test-signing", testsigning=True, **PNP)
@expect("accepted", "publisher", "win10-22h2-x64", roots="test-signing", code="test-signing-off", **PNP)
@expect("accepted", "publisher", "win10-22h2-arm64", roots="test-signing", testsigning=True, **PNP)
@expect(
    "accepted",
    "publisher",
    "win10-22h2-x64",
    roots="test-signing",
    testsigning=True,
    publisher="unknown",
    code="publisher-prompt",
    **PNP,
)
@stated(TEST_CERTIFICATES)
def test_catalog() -> Sample:
    """A test-signed catalog installs if its root is given; the kernel policy decides about loading."""
    return driver(of_test_root(named=True).in_catalog())


@expect("rejected", "trusted-root", "win10-22h2-x64", code="chain-incomplete", roots="test-signing", **PNP)
@stated(TEST_CERTIFICATES)
def test_catalog_of_an_unnamed_root() -> Sample:
    """Unlike the kernel in test-signing mode, installation requires a trusted root."""
    return driver(of_test_root(named=False).in_catalog())


@expect("unknown", "trusted-root", "win11-23h2-x64", roots="test-signing", testsigning=True, **PNP)
@stated(unsettled(PREPRODUCTION))
def preproduction_catalog() -> Sample:
    """It is unknown whether Microsoft's test root is installed."""
    return driver(by_microsoft_test(EKU_WHQL).in_catalog())


@expect("rejected", "validity", "win10-22h2-x64", code="expired", **PNP)
@stated(AUTHENTICODE)
def expired_catalog() -> Sample:
    """An expired certificate without a valid timestamp is rejected."""
    return driver(commercial(ends="2024-01-01").in_catalog())


@expect("accepted", "publisher", "win10-22h2-x64", **PNP)
@stated(AUTHENTICODE)
def expired_catalog_with_timestamp() -> Sample:
    """A timestamp keeps a catalog's signature valid."""
    return driver(commercial(ends="2024-01-01").in_catalog().stamped("2023-06-01"))


@expect("rejected", "validity", "win10-22h2-x64", **PNP)
@stated(EVENT_IDS)
def expired_lifetime_catalog() -> Sample:
    """With lifetime signing a timestamp does not count."""
    return driver(by_microsoft(EKU_WHQL, EKU_LIFETIME_SIGNING, ends="2024-01-01").in_catalog().stamped("2023-06-01"))


@expect("accepted", "publisher", "server2019-x64", code="attested-on-server", **PNP)
@expect("rejected", "server-hlk", "server2019-x64", attested_on_server="blocked", **PNP)
@expect("rejected", "attested", "win8.1-x64", **PNP)
@expect("accepted", "publisher", "win10-22h2-x64", "win10-22h2-arm64", code="publisher-microsoft", **PNP)
@expect("unknown", "s-mode", "win11-23h2-x64-smode", **PNP)
@stated(ATTESTED_ON_SERVERS)
def attested_catalog() -> Sample:
    """Windows 10 and later clients accept an attested catalog."""
    return driver(by_microsoft(EKU_WHQL_ATTESTED).in_catalog())


@expect("rejected", "trusted-root", "win10-22h2-x64", **PNP)
@stated(CROSS_CERTIFICATES)
def cross_signed_without_a_public_root() -> Sample:
    """Installation requires a root of the machine's store; only the kernel trusts the Code Verification Root."""
    return driver(cross_signed().in_catalog())


@expect("accepted", "publisher", "win10-22h2-x64", "win7-x64", **PNP)
@stated(CROSS_CERTIFICATES)
def cross_signed_with_a_public_root() -> Sample:
    """A cross-signed catalog with a second chain to a public root installs."""
    leaf = certificate("Contoso Ltd.", "Some CA 2010", usages=None, begins="2014-03-01", digest="sha1")
    public = chain(leaf, anchor("commercial"), certificate("Some CA 2010", "Some Root", digest="sha1"))
    kernel = cross_signed().paths[0]
    return driver(Sign(leaf, (kernel, public)).in_catalog())


@expect("rejected", "path", "win10-22h2-x64", code="revoked", **PNP)
@stated(RFC_5280)
def revoked_catalog() -> Sample:
    """Installation rejects a revoked certificate."""
    sign = commercial()
    leaf = sign.leaf
    assert leaf is not None
    problem = PathProblem("revoked", "'Contoso Ltd.' was revoked on 2024-05-01", 0)
    return driver(Sign(leaf, (chain(leaf, anchor("commercial"), problems=(problem,)),)).in_catalog())


@expect("rejected", "digest-algorithm", "win10-22h2-x64", **PNP)
@stated(f"{WIN_VERIFY_TRUST}; Microsoft Security Advisory 2862973")
def md5_catalog() -> Sample:
    """A catalog signed with MD5 is rejected."""
    return driver(by_microsoft(EKU_WHQL).in_catalog().having(algorithm=DigestAlgorithm.MD5))


@expect("rejected", "usage", "win10-22h2-x64", **PNP)
@stated(RFC_5280_USAGE)
def catalog_of_a_time_stamping_certificate() -> Sample:
    """A certificate without the code-signing EKU can't sign a catalog."""
    return driver(commercial(usages=(EKU_TIME_STAMPING,)).in_catalog())

"""The Authenticode policy, as WinVerifyTrust applies it."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_CODE_SIGNING, EKU_LIFETIME_SIGNING, EKU_TIME_STAMPING, EKU_WHQL
from signer.policy.sources import (
    AUTHENTICODE,
    EVENT_IDS,
    PADDING,
    PREPRODUCTION,
    TEST_CERTIFICATES,
    WEAK_CHAINS,
    WIN_VERIFY_TRUST,
)
from signer.trust.path import Anchor, PathProblem
from signer.verify.evidence import SignatureProblem
from tests.signer.policy.cases.registry import expect, stated
from tests.signer.policy.documents import (
    CROSS_CERTIFICATES,
    DECISION,
    RFC_5280,
    RFC_5280_USAGE,
    ROOT_PROGRAM,
    unsettled,
)
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
    self_signed,
    unknown_issuer,
)
from tests.support.published import published_by_key

USER = {"policy": "authenticode"}


@expect("rejected", "unsigned", "win11-24h2-x64", **USER)
@stated(WIN_VERIFY_TRUST)
def no_signature() -> Sample:
    """An unsigned file is rejected (TRUST_E_NOSIGNATURE)."""
    return driver()


@expect("accepted", "trusted-root", "win7-x64", "win11-24h2-x64", **USER)
@stated(WIN_VERIFY_TRUST)
def public_certificate() -> Sample:
    """User mode accepts a public code-signing certificate, which the kernel refuses."""
    return driver(commercial())


@expect("accepted", "trusted-root", "win11-24h2-x64", **USER)
@stated(WIN_VERIFY_TRUST)
def any_architecture() -> Sample:
    """WinVerifyTrust does not check the architecture of an image."""
    return driver(commercial(), architecture="x86")


@expect("accepted", "trusted-root", "win11-24h2-x64", **USER)
@stated(WIN_VERIFY_TRUST)
def microsoft() -> Sample:
    """Microsoft's roots are published roots."""
    return driver(by_microsoft(EKU_WHQL, root_id=7))


@expect("rejected", "trusted-root", "win11-24h2-x64", code="test-signed", **USER)
@expect("accepted", "trusted-root", "win11-24h2-x64", roots="test-signing", code="named-root", **USER)
@stated(TEST_CERTIFICATES)
def test_root() -> Sample:
    """A given test root is trusted, without test-signing mode."""
    return driver(of_test_root(named=True))


@expect("rejected", "trusted-root", "win11-24h2-x64", code="test-signed", **USER)
@expect("rejected", "trusted-root", "win11-24h2-x64", code="untrusted-root", roots="test-signing", **USER)
@stated(WIN_VERIFY_TRUST)
def self_signed_file() -> Sample:
    """A self-signed certificate is not trusted unless it was installed."""
    return driver(self_signed())


@expect("rejected", "trusted-root", "win11-24h2-x64", code="chain-incomplete", **USER)
@stated(WIN_VERIFY_TRUST)
def unknown_chain() -> Sample:
    """A missing issuer certificate is rejected (CERT_E_CHAINING)."""
    return driver(unknown_issuer())


@expect("rejected", "trusted-root", "win11-24h2-x64", code="untrusted-root", roots="test-signing", **USER)
@stated(WIN_VERIFY_TRUST)
def chain_to_a_root_that_was_not_given() -> Sample:
    """A complete chain to an untrusted root is rejected (CERT_E_UNTRUSTEDROOT)."""
    leaf = certificate("Contoso Test Signing", "Contoso Test Root", usages=(EKU_CODE_SIGNING,))
    return driver(Sign(leaf, (chain(leaf, None, certificate("Contoso Test Root")),)))


@expect("rejected", "trusted-root", "win11-24h2-x64", **USER)
@stated(CROSS_CERTIFICATES)
def only_the_code_verification_root() -> Sample:
    """User mode does not trust the Code Verification Root."""
    return driver(cross_signed())


@expect("unknown", "trusted-root", "win11-24h2-x64", roots="test-signing", **USER)
@stated(unsettled(PREPRODUCTION))
def microsofts_test_root() -> Sample:
    """Microsoft's test root is trusted only if it was installed, which is unknown."""
    return driver(by_microsoft_test(EKU_WHQL))


@expect("rejected", "digest", "win11-24h2-x64", **USER)
@stated(WIN_VERIFY_TRUST)
def changed() -> Sample:
    """A changed file is rejected (TRUST_E_BAD_DIGEST)."""
    return driver(commercial().broken())


@expect("rejected", "digest-algorithm", "win11-24h2-x64", **USER)
@stated(f"{WIN_VERIFY_TRUST}; Microsoft Security Advisory 2862973")
def md5() -> Sample:
    """User mode rejects MD5 as well."""
    return driver(commercial().having(algorithm=DigestAlgorithm.MD5))


@expect("rejected", "usage", "win11-24h2-x64", **USER)
@stated(RFC_5280_USAGE)
def wrong_usage() -> Sample:
    """A certificate without the code-signing EKU is rejected (CERT_E_WRONG_USAGE)."""
    return driver(commercial(usages=(EKU_TIME_STAMPING,)))


@expect("rejected", "validity", "win11-24h2-x64", code="expired", **USER)
@stated(AUTHENTICODE)
def expired() -> Sample:
    """An expired certificate is rejected (CERT_E_EXPIRED); the kernel only warns."""
    return driver(commercial(ends="2025-01-01"))


@expect("accepted", "trusted-root", "win11-24h2-x64", **USER)
@stated(AUTHENTICODE)
def expired_with_timestamp() -> Sample:
    """A timestamp keeps an expired certificate's signature valid."""
    return driver(commercial(ends="2025-01-01").stamped("2024-01-01"))


@expect("rejected", "validity", "win11-24h2-x64", **USER)
@stated(AUTHENTICODE)
def expired_with_unknown_timestamp() -> Sample:
    """A timestamp of an untrusted authority does not count."""
    return driver(commercial(ends="2025-01-01").stamped("2024-01-01", known=False))


@expect("rejected", "validity", "win11-24h2-x64", **USER)
@stated(EVENT_IDS)
def expired_lifetime() -> Sample:
    """With lifetime signing the timestamp does not count."""
    return driver(by_microsoft(EKU_LIFETIME_SIGNING, ends="2025-01-01").stamped("2024-01-01"))


@expect("rejected", "validity", "win11-24h2-x64", code="not-yet-valid", **USER)
@stated(AUTHENTICODE)
def not_yet_valid() -> Sample:
    """A certificate that is not yet valid is rejected."""
    return driver(commercial(begins="2027-01-01"))


@expect("rejected", "trusted-root", "win11-24h2-x64", code="nested-not-considered", **USER)
@stated(f"{WIN_VERIFY_TRUST}; WINTRUST_SIGNATURE_SETTINGS")
def only_the_nested_one_is_good() -> Sample:
    """By default WinVerifyTrust does not check nested signatures."""
    return driver(self_signed(), commercial().nested())


@expect("accepted", "trusted-root", "win11-24h2-x64", **USER)
@stated(WIN_VERIFY_TRUST)
def good_catalog() -> Sample:
    """A catalog signs a file without an embedded signature."""
    return driver(commercial().in_catalog())


@expect("rejected", "path", "win11-24h2-x64", code="revoked", **USER)
@stated(RFC_5280)
def revoked() -> Sample:
    """A revoked certificate is rejected (CERT_E_REVOKED)."""
    leaf = certificate("Contoso Ltd.", "Some CA 2020")
    problem = PathProblem("revoked", "'Contoso Ltd.' was revoked on 2024-05-01", 0)
    return driver(Sign(leaf, (chain(leaf, anchor("commercial"), problems=(problem,)),)))


@expect("accepted", "trusted-root", "win11-24h2-x64", **USER)
@stated(RFC_5280)
def one_of_two_certificates_of_a_ca_is_revoked() -> Sample:
    """A chain without revoked certificates counts, if a CA has a revoked certificate and another one."""
    leaf = certificate("Contoso Ltd.", "Some CA 2020")
    problem = PathProblem("revoked", "'Some CA 2020' was revoked on 2024-05-01", 1)
    old, new = (certificate("Some CA 2020", "Some Root") for _ in range(2))
    between = certificate("Some Root", "Another Root")
    paths = (
        chain(leaf, anchor("commercial"), old, problems=(problem,)),
        chain(leaf, anchor("commercial"), new, between),
    )
    return driver(Sign(leaf, paths))


@expect("rejected", "path", "win11-24h2-x64", code="name-constraints", **USER)
@stated(RFC_5280)
def broken_path() -> Sample:
    """A chain that violates RFC 5280 is rejected."""
    leaf = certificate("Contoso Ltd.", "Some CA 2020")
    problem = PathProblem("name-constraints", "'Contoso Ltd.' is outside the names that 'Some CA 2020' may use", 0)
    return driver(Sign(leaf, (chain(leaf, anchor("commercial"), problems=(problem,)),)))


@expect("accepted", "trusted-root", "win11-24h2-x64", code="weak-key", **USER)
@stated(WEAK_CHAINS)
def weak_path() -> Sample:
    """A weak key is noted."""
    leaf = certificate("Contoso Ltd.", "Some CA 2020")
    problem = PathProblem("weak-key", "the RSA key of 'Contoso Ltd.' has only 1024 bits", 0)
    return driver(Sign(leaf, (chain(leaf, anchor("commercial"), problems=(problem,)),)))


@expect("accepted", "trusted-root", "win11-24h2-x64", code="certificate-padding", **USER)
@expect("rejected", "padding", "win11-24h2-x64", cert_padding_check=True, **USER)
@expect("rejected", "root", "win11-24h2-x64", code="certificate-padding")
@stated(PADDING)
def stuffed() -> Sample:
    """Data after the signature is rejected only with the strict check of MS13-098, and never by the kernel."""
    return driver(
        commercial(),
        problems=(
            SignatureProblem(
                "certificate-padding", "the signature is followed by 64 bytes in its certificate table entry"
            ),
        ),
    )


@expect("accepted", "trusted-root", "win11-24h2-x64", cert_padding_check=True, **USER)
@stated(PADDING)
def not_stuffed() -> Sample:
    """The strict check accepts a file without such data."""
    return driver(commercial())


@expect("unknown", "file-problems", "win11-24h2-x64", **USER)
@stated(unsettled(AUTHENTICODE))
def malformed() -> Sample:
    """Microsoft does not document how Windows treats a malformed file."""
    return driver(
        commercial(), problems=(SignatureProblem("overlapping-sections", "two sections overlap in the file"),)
    )


def unread(code: str, leaf: bool = False) -> Sample:
    """Return a file whose signature has only this problem."""
    signer = commercial().leaf if leaf else None
    return driver(Sign(signer, (), problems=(SignatureProblem(code, "it can't be read here"),)))


@expect("unknown", "digest", "win11-24h2-x64", code="signature-ber", **USER)
@stated(unsettled(AUTHENTICODE))
def signature_in_ber() -> Sample:
    """Windows reads BER and drvsign does not, so the result is unknown."""
    return unread("signature-ber")


@expect("unknown", "digest", "win11-24h2-x64", code="signer-certificate-unreadable", **USER)
@stated(unsettled(AUTHENTICODE))
def signer_certificate_that_only_a_strict_parser_refuses() -> Sample:
    """Windows may accept a certificate that a strict parser refuses, such as one with a wrong character set."""
    return unread("signer-certificate-unreadable")


@expect("rejected", "digest", "win11-24h2-x64", code="signature-format", **USER)
@stated(AUTHENTICODE)
def signature_that_is_none() -> Sample:
    """A signature that is not SignedData is rejected."""
    return unread("signature-format")


@expect("rejected", "trusted-root", "win11-24h2-x64", **USER)
@stated(DECISION)
def signature_of_an_unknown_kind_that_reaches_no_root() -> Sample:
    """An untrusted root is rejected even if the signature can't be verified."""
    return unread("signature-unverifiable", leaf=True)


@expect("unknown", "digest", "win11-24h2-x64", code="signature-unverifiable", **USER)
@stated(unsettled(AUTHENTICODE))
def signature_of_an_unknown_kind() -> Sample:
    """A signature with an unsupported key type, such as DSA, is undecided."""
    sign = commercial()
    return driver(
        Sign(
            sign.leaf, sign.paths, problems=(SignatureProblem("signature-unverifiable", "its key is of no known kind"),)
        )
    )


EQUIFAX = "FF5680CD73A5703DA04817A075FD462506A73506C4B81A1583EF549478D26476"
"""The key of Equifax Secure CA, which Microsoft's root program disabled on 2016-04-19."""


def of_published(root: Anchor, key: str) -> Anchor:
    """Give an anchor the key and the certificate of a published root."""
    return replace(root, spki_sha256=key, certificate=published_by_key()[key].load())


def under_a_disabled_root(begins: str) -> Sign:
    leaf = certificate("Contoso Ltd.", "Equifax", usages=(EKU_CODE_SIGNING,), begins=begins, ends="2040-01-01")
    end = of_published(anchor("commercial", name="Equifax Secure CA"), EQUIFAX)
    return Sign(leaf, (chain(leaf, end),))


@expect("rejected", "root-program", "win11-24h2-x64", code="root-not-in-program", **USER)
@stated(ROOT_PROGRAM)
def disabled_root() -> Sample:
    """A root that the program disabled is not trusted for new signatures."""
    return driver(under_a_disabled_root("2010-01-01"))


MICROSOFT_2001 = "DF530BAC9FCD914C252C2FBDCEDDC6183D4AE8C680AD65F03E204861DD7B1C73"
"""The key of Microsoft Root Certificate Authority, whose last issue date in the list is 2017-04-30."""


def under_microsoft_2001(kind: Literal["microsoft", "commercial"]) -> Sign:
    leaf = certificate(
        "Microsoft Corporation", "Root", usages=(EKU_CODE_SIGNING,), begins="2017-08-11", ends="2018-08-11"
    )
    end = of_published(anchor(kind, name="Microsoft Root Certificate Authority"), MICROSOFT_2001)
    return Sign(leaf, (chain(leaf, end),)).stamped("2017-11-16")


@expect("accepted", "trusted-root", "win11-24h2-x64", **USER)
@stated("Sysinternals' sigcheck of 2017 and Visual Studio's VSTOInstaller, which Windows accepts")
def late_certificate_under_a_root_of_microsoft() -> Sample:
    """Windows accepts Sysinternals' sigcheck of 2017 and Visual Studio's VSTOInstaller."""
    return driver(under_microsoft_2001("microsoft"))


@expect("rejected", "root-program", "win11-24h2-x64", code="root-not-in-program", **USER)
@stated(ROOT_PROGRAM)
def late_certificate_under_another_root() -> Sample:
    """A certificate that was issued after its commercial root's last issue date is not trusted."""
    return driver(under_microsoft_2001("commercial"))


@expect("rejected", "root-program", "win11-24h2-x64", code="root-not-in-program", **USER)
@stated(ROOT_PROGRAM)
def disabled_root_with_a_late_timestamp() -> Sample:
    """A timestamp after the root was disabled does not count."""
    return driver(under_a_disabled_root("2010-01-01").stamped("2017-01-01"))


@expect("accepted", "trusted-root", "win11-24h2-x64", **USER)
@stated(ROOT_PROGRAM)
def disabled_root_with_an_early_timestamp() -> Sample:
    """What was signed while the root was in the program stays good."""
    return driver(under_a_disabled_root("2010-01-01").stamped("2012-01-01"))


@expect("rejected", "validity", "win11-24h2-x64", code="expired", **USER)
@stated(AUTHENTICODE)
def valid_signer_under_an_expired_authority() -> Sample:
    """Every certificate of the chain has to be valid, not the signer's alone."""
    leaf = certificate("Contoso Ltd.", "Some CA 2010", usages=(EKU_CODE_SIGNING,), begins="2022-01-01")
    authority = certificate("Some CA 2010", "Some Root", ends="2024-01-01")
    return driver(Sign(leaf, (chain(leaf, anchor("commercial"), authority),)))


@expect("accepted", "trusted-root", "win11-24h2-x64", **USER)
@stated(AUTHENTICODE)
def expired_authority_that_was_valid_at_the_timestamp() -> Sample:
    """With a timestamp the time of signing counts for the whole chain."""
    leaf = certificate("Contoso Ltd.", "Some CA 2010", usages=(EKU_CODE_SIGNING,), begins="2022-01-01")
    authority = certificate("Some CA 2010", "Some Root", ends="2024-01-01")
    return driver(Sign(leaf, (chain(leaf, anchor("commercial"), authority),)).stamped("2023-01-01"))

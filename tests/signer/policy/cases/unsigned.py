"""Files with no, broken or several signatures, of the wrong architecture, or malformed."""

from __future__ import annotations

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_WHQL
from signer.policy.sources import AUTHENTICODE, DUAL_SIGNING, EVENTS, POLICY, TEST_MODE, WDD
from signer.verify.evidence import SignatureProblem
from tests.signer.policy.cases.registry import expect, stated
from tests.signer.policy.documents import DECISION, PORTING, unsettled
from tests.support.policy_builder import Sample, by_microsoft, commercial, cross_signed, driver, of_test_root


@expect("rejected", "unsigned", "vista-x64", "win7-x64", "win10-1507-x64", "win11-24h2-x64")
@stated(POLICY)
def nothing() -> Sample:
    """A driver without any signature does not load on a 64-bit release."""
    return driver()


@expect("rejected", "unsigned", "server2008-ia64", "server2008r2-ia64")
@stated(POLICY)
def nothing_on_itanium() -> Sample:
    """Itanium requires signatures like other 64-bit kernels."""
    return driver(architecture="ia64")


@expect("rejected", "unsigned", "win10-22h2-x64", roots="test-signing", testsigning=True)
@stated(TEST_MODE)
def nothing_in_test_mode() -> Sample:
    """Test-signing mode accepts any certificate, but requires a signature."""
    return driver()


@expect("rejected", "digest", "vista-x64", "win10-22h2-x64", "win11-25h2-x64", code="digest-mismatch")
@stated(AUTHENTICODE)
def changed_byte() -> Sample:
    """A driver that changed after signing does not load, whatever its signer."""
    return driver(by_microsoft(EKU_WHQL).broken())


@expect("rejected", "digest", "win11-24h2-x64", roots="test-signing", testsigning=True)
@stated(TEST_MODE)
def changed_byte_in_test_mode() -> Sample:
    """Test-signing mode accepts an unknown certificate, but not a changed file."""
    return driver(of_test_root(named=True).broken())


@expect("rejected", "digest", "win10-22h2-x64", code="attributes-mismatch")
@stated(AUTHENTICODE)
def broken_attributes() -> Sample:
    """A signature with wrong signed attributes is rejected, and the finding names the problem."""
    return driver(by_microsoft(EKU_WHQL).broken("attributes-mismatch", "the signed attributes don't match the content"))


@expect("accepted", "root", "win10-22h2-x64", code="digest-mismatch")
@stated(DECISION)
def one_good_of_two() -> Sample:
    """One valid signature is enough; the broken one is reported and does not count."""
    return driver(commercial().broken(), by_microsoft(EKU_WHQL).in_catalog())


@expect("rejected", "root", "win10-22h2-x64")
@stated(DECISION)
def the_nearest_miss_is_named() -> Sample:
    """Of two rejected signatures, the one that fails the later rule decides the rule of the verdict."""
    return driver(commercial().broken(), commercial().in_catalog())


@expect("accepted", "root", "win10-22h2-x64", "win8-x64", "server2012-x64")
@expect("rejected", "root", "win7-x64", "server2008r2-x64")
@stated(DUAL_SIGNING)
def nested_counts() -> Sample:
    """Since Windows 8 a nested signature counts like the outer one; older releases ignore it."""
    return driver(commercial(), by_microsoft(EKU_WHQL).nested())


@expect("rejected", "digest", "vista-x64", "win7-x64", "server2008r2-x64", code="nested-not-seen")
@expect("accepted", "cross-signed", "win10-22h2-x64")
@expect("accepted", "root", "win8-x64")
@stated(DUAL_SIGNING)
def nested_in_a_broken_one() -> Sample:
    """SHA-256 outside and SHA-1 inside is the wrong order for Vista and 7, which check only the outer one."""
    outer = by_microsoft(EKU_WHQL).broken()
    return driver(outer, cross_signed().having(algorithm=DigestAlgorithm.SHA1).nested())


@expect("accepted", "root", "vista-x64", "win7-x64", "win11-23h2-x64")
@stated(DUAL_SIGNING)
def sha1_outside_and_sha256_inside() -> Sample:
    """SHA-1 outside and SHA-256 inside loads everywhere: old releases check only the outer signature."""
    outer = by_microsoft(EKU_WHQL, root_id=4, digest="sha1").having(algorithm=DigestAlgorithm.SHA1)
    return driver(outer, by_microsoft(EKU_WHQL).nested())


@expect("rejected", "page-hashes", "win10-22h2-x64", "win7-x64", code="page-hash-mismatch")
@expect("rejected", "page-hashes", "win10-22h2-x64", policy="protected-media", code="page-hash-mismatch")
@expect("accepted", "trusted-root", "win10-22h2-x64", policy="authenticode", code="page-hash-mismatch")
@stated(f"{EVENTS}, VerificationError 11; {WDD} devtest/signtool.md, /ph")
def page_hashes_of_another_file() -> Sample:
    """Code Integrity compares page hashes, and WinVerifyTrust the digest of the file (SignTool: only with /ph)."""
    note = SignatureProblem("page-hash-mismatch", "the hash of the page at offset 0x1000 differs")
    return driver(by_microsoft(EKU_WHQL).having(page_hashes_intact=False, notes=(note,)))


@expect("accepted", "root", "win10-22h2-x64", "win7-x64")
@stated(f"{EVENTS}, VerificationError 11; {WDD} devtest/signtool.md, /ph")
def page_hashes_that_fit() -> Sample:
    """Page hashes that match the file are accepted."""
    return driver(by_microsoft(EKU_WHQL).having(page_hashes_intact=True))


@expect("rejected", "architecture", "win10-22h2-x64", "win10-22h2-arm64")
@expect("accepted", "root", "win10-22h2-x86")
@stated(f"{PORTING}; JKornev/hidden issues 22 and 36")
def image_of_32_bits() -> Sample:
    """A 32-bit driver loads only into a 32-bit kernel, even with a valid signature."""
    return driver(by_microsoft(EKU_WHQL), architecture="x86")


@expect("rejected", "architecture", "win10-22h2-x86", secure_boot=False)
@expect("rejected", "architecture", "win10-22h2-x86", debugger=True)
@stated(PORTING)
def image_of_64_bits_on_x86() -> Sample:
    """No machine state makes a 64-bit driver load into a 32-bit kernel."""
    return driver(architecture="x64")


@expect("accepted", "root", "win10-22h2-x64", "win10-22h2-arm64")
@stated(PORTING)
def other_files_have_no_architecture() -> Sample:
    """The architecture rule does not apply to catalogs and INFs."""
    return driver(by_microsoft(EKU_WHQL), kind="catalog", name="sample.cat")


@expect("unknown", "file-problems", "win10-22h2-x64", code="overlapping-sections")
@stated(unsettled(AUTHENTICODE))
def malformed_file() -> Sample:
    """Microsoft does not document how Windows treats a malformed image, so the result is unknown."""
    return driver(
        by_microsoft(EKU_WHQL), problems=(SignatureProblem("overlapping-sections", "two sections overlap in the file"),)
    )


@expect("rejected", "root", "win10-22h2-x64", code="overlapping-sections")
@stated(DECISION)
def malformed_file_with_a_bad_signature() -> Sample:
    """A malformed file with a rejected signature is rejected."""
    return driver(
        commercial(), problems=(SignatureProblem("overlapping-sections", "two sections overlap in the file"),)
    )

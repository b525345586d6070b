"""Digest and key algorithms: support per release, and weak ones."""

from __future__ import annotations

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_WHQL
from signer.policy.sources import DUAL_SIGNING, EVENTS, POLICY, PUBLIC_RELEASE, SIGNER_RULES
from tests.signer.policy.cases.registry import expect, stated
from tests.signer.policy.documents import CROSS_CERTIFICATES, unsettled
from tests.support.policy_builder import Sample, by_microsoft, cross_signed, driver, of_test_root


@expect("rejected", "digest-algorithm", "vista-x64", "win7-x64", "win11-24h2-x64", code="digest-md5")
@stated(POLICY)
def md5() -> Sample:
    """MD5 is too weak for every release."""
    return driver(by_microsoft(EKU_WHQL, digest="sha1").having(algorithm=DigestAlgorithm.MD5))


@expect("rejected", "digest-algorithm", "win11-24h2-x64", code="digest-unknown")
@stated(POLICY)
def unknown_digest() -> Sample:
    """Code Integrity rejects an unknown digest algorithm."""
    return driver(by_microsoft(EKU_WHQL).having(algorithm=None))


@expect("accepted", "root", "vista-x64", "win7-x64", "win8.1-x64")
@expect("accepted", "root", "win10-22h2-x64", "win11-24h2-x64", code="digest-sha1")
@stated(POLICY)
def sha1() -> Sample:
    """Every release accepts SHA-1, Windows 10 and later with a warning."""
    return driver(by_microsoft(EKU_WHQL, digest="sha1").having(algorithm=DigestAlgorithm.SHA1))


@expect("rejected", "sha2", "vista-x64", "server2008-x64")
@expect("rejected", "sha2", "win7-x64", "server2008r2-x64", sha2_update=False)
@expect("accepted", "root", "win7-x64", "server2008r2-x64", "win8-x64", "server2012-x64", "win10-1507-x64")
@expect("accepted", "root", "server2008-x64", sha2_update=True)
@expect("rejected", "sha2", "vista-x64", sha2_update=True)
@stated(f"{PUBLIC_RELEASE}; Microsoft Security Advisory 3033929")
def sha256() -> Sample:
    """SHA-256 requires Windows 8, or Windows 7 with KB3033929; Vista does not support it."""
    return driver(by_microsoft(EKU_WHQL))


@expect("rejected", "sha2", "vista-x64")
@expect("rejected", "sha2", "win7-x64", sha2_update=False)
@expect("accepted", "root", "win7-x64")
@stated(DUAL_SIGNING)
def sha1_file_under_a_sha256_chain() -> Sample:
    """A SHA-1 file digest does not help if the certificates are signed with SHA-256."""
    return driver(by_microsoft(EKU_WHQL).having(algorithm=DigestAlgorithm.SHA1))


@expect("accepted", "root", "vista-x64", "win7-x64")
@expect("accepted", "root", "win7-x64", sha2_update=False)
@expect("accepted", "root", "win10-22h2-x64")
@stated(f"{PUBLIC_RELEASE}; Microsoft Security Advisory 3033929")
def dual_signed() -> Sample:
    """A SHA-1 signature with a nested SHA-256 one loads on old and new releases."""
    return driver(
        by_microsoft(EKU_WHQL, digest="sha1").having(algorithm=DigestAlgorithm.SHA1), by_microsoft(EKU_WHQL).nested()
    )


@expect("accepted", "cross-signed", "win10-22h2-x64")
@expect("accepted", "root", "win7-x64")
@stated(POLICY)
def sha384() -> Sample:
    """SHA-2 includes SHA-384."""
    return driver(cross_signed().having(algorithm=DigestAlgorithm.SHA384))


@expect("rejected", "key-algorithm", "win7-x64", "win10-22h2-x64", "win11-24h2-x64", code="key-not-rsa")
@stated(f"{EVENTS}, VerificationError 23")
def elliptic_curve() -> Sample:
    """Code Integrity reports an elliptic curve signature as an invalid image hash."""
    return driver(by_microsoft(EKU_WHQL, key="p256"))


@expect("rejected", "key-algorithm", "win10-22h2-x64", roots="test-signing", testsigning=True)
@stated(f"{EVENTS}, VerificationError 23")
def elliptic_curve_in_test_mode() -> Sample:
    """Test-signing mode accepts any certificate, but it can verify only RSA signatures."""
    return driver(of_test_root(named=True, key="p256"))


@expect("unknown", "key-algorithm", "win10-22h2-x64", code="key-too-long")
@stated(unsettled(SIGNER_RULES))
def rsa_of_8192_bits() -> Sample:
    """Microsoft does not document whether the kernel accepts RSA keys of more than 4096 bits."""
    return driver(by_microsoft(EKU_WHQL, key="rsa8192"))


@expect("accepted", "root", "win10-22h2-x64", "win7-x64")
@stated(CROSS_CERTIFICATES)
def rsa_of_1024_bits() -> Sample:
    """Old drivers with RSA keys of 1024 bits load."""
    return driver(by_microsoft(EKU_WHQL, key="rsa1024"))

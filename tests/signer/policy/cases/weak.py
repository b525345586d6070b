"""Weak keys and digests in chains, and unusual timestamps and usages."""

from __future__ import annotations

from dataclasses import replace

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_CODE_SIGNING, EKU_TIME_STAMPING, EKU_WHQL
from signer.policy.sources import AUTHENTICODE, EVENTS, WEAK_CHAINS
from signer.trust.path import PathProblem
from tests.signer.policy.cases.registry import expect, stated
from tests.signer.policy.documents import RFC_3161, RFC_5280_USAGE, unsettled
from tests.support.policy_builder import (
    Sample,
    Sign,
    anchor,
    by_microsoft,
    certificate,
    chain,
    commercial,
    commercial_chain_with,
    driver,
)

USER = {"policy": "authenticode"}


@expect("rejected", "weak-chain", "win7-x64", "win11-24h2-x64", code="key-too-short", **USER)
@expect("accepted", "root", "win7-x64", "win11-24h2-x64", code="key-too-short")
@stated(WEAK_CHAINS)
def rsa_of_1023_bits() -> Sample:
    """WinVerifyTrust refuses RSA keys below 1024 bits; the kernel builds no chain with CertGetCertificateChain."""
    return driver(by_microsoft(EKU_WHQL, key="rsa1023"))


@expect("accepted", "trusted-root", "win7-x64", "win11-24h2-x64", **USER)
@stated(WEAK_CHAINS)
def rsa_of_1024_bits() -> Sample:
    """WinVerifyTrust accepts RSA keys of 1024 bits."""
    return driver(commercial_chain_with(key="rsa1024"))


@expect("accepted", "trusted-root", "win11-24h2-x64", **USER)
@stated(WEAK_CHAINS)
def short_key_before_2010() -> Sample:
    """A timestamp before 2010 exempts short keys."""
    return driver(commercial_chain_with(key="rsa1023").stamped("2009-12-31"))


@expect("rejected", "weak-chain", "win11-24h2-x64", **USER)
@stated(WEAK_CHAINS)
def short_key_since_2010() -> Sample:
    """A timestamp of 2010, from its first second, does not exempt short keys."""
    return driver(commercial_chain_with(key="rsa1023").stamped("2010-01-01T00:00:00"))


@expect("rejected", "weak-chain", "win11-24h2-x64", code="chain-md5", **USER)
@expect("rejected", "weak-chain", "win11-24h2-x64", policy="pnp")
@stated(WEAK_CHAINS)
def md5_below_a_published_root() -> Sample:
    """Windows does not trust a certificate below a published root that was issued with MD5."""
    return driver(commercial_chain_with("digest-md5").in_catalog())


@expect("unknown", "chain-digest", "vista-x64", "win7-x64", "win11-24h2-x64", code="chain-md5")
@stated(unsettled(f"{EVENTS}, VerificationError 6: a weak digest does not meet the minimum policy"))
def md5_in_the_chain_of_a_driver() -> Sample:
    """Code Integrity has a policy for weak digests in a chain, which is not public."""
    sign = by_microsoft(EKU_WHQL, root_id=4, digest="sha1").having(algorithm=DigestAlgorithm.SHA1)
    (path,) = sign.paths
    problem = PathProblem("digest-md5", "the CA issued it with MD5", 1)
    return driver(sign.having(paths=(replace(path, problems=(problem,)),)))


@expect("accepted", "trusted-root", "win11-24h2-x64", **USER)
@stated(WEAK_CHAINS)
def md5_before_march_2009() -> Sample:
    """A timestamp before March 2009 exempts MD5."""
    return driver(commercial_chain_with("digest-md5").stamped("2009-02-28T23:59:59"))


@expect("rejected", "weak-chain", "win11-24h2-x64", **USER)
@stated(WEAK_CHAINS)
def md5_since_march_2009() -> Sample:
    """A timestamp of March 2009 does not exempt MD5."""
    return driver(commercial_chain_with("digest-md5").stamped("2009-03-01T00:00:00"))


@expect("accepted", "root", "win11-24h2-x64", code="timestamp-in-future")
@expect("accepted", "trusted-root", "win11-24h2-x64", code="timestamp-in-future", **USER)
@stated(RFC_3161)
def timestamp_in_the_future() -> Sample:
    """A timestamp after the time of the check is reported."""
    return driver(by_microsoft(EKU_WHQL).stamped("2026-11-25"))


@expect("accepted", "publisher", "win11-24h2-x64", policy="pnp", code="timestamp-in-future")
@stated(RFC_3161)
def catalog_timestamp_in_the_future() -> Sample:
    """So is one of a catalog."""
    return driver(by_microsoft(EKU_WHQL).stamped("2026-11-25").in_catalog())


@expect("rejected", "validity", "win11-24h2-x64", code="timestamp-untrusted", **USER)
@stated(AUTHENTICODE)
def countersigned_by_the_signer() -> Sample:
    """A timestamp by the key of the signer does not count."""
    signed = commercial(ends="2024-01-01").stamped("2023-06-01")
    assert signed.stamp is not None
    authority = certificate("Contoso Ltd.", "Some Root", usages=(EKU_TIME_STAMPING,), ends="2032-01-01")
    return driver(signed.having(stamp=replace(signed.stamp, signer=authority)))


@expect("rejected", "validity", "win11-24h2-x64", code="timestamp-untrusted", **USER)
@stated(f"{WEAK_CHAINS}: it names certificates for time stamping")
def timestamp_of_an_authority_with_md5() -> Sample:
    """A timestamp does not count if a certificate of its chain below a published root was issued with MD5."""
    return driver(commercial(ends="2024-01-01").stamped("2023-06-01").stamp_path_breaks("digest-md5"))


@expect("accepted", "root", "win11-24h2-x64", code="usage-outside-ca")
@stated(RFC_5280_USAGE)
def whql_usage_below_a_limited_ca() -> Sample:
    """A WHQL usage below a CA that is limited to code signing is reported."""
    return driver(_below(EKU_CODE_SIGNING))


def _below(*usages: str) -> Sign:
    leaf = certificate("Some Publisher", "Some PCA", usages=(EKU_CODE_SIGNING, EKU_WHQL))
    authority = certificate("Some PCA", "Microsoft Root Certificate Authority 2010", usages=usages)
    return Sign(leaf, (chain(leaf, anchor("microsoft", 6), authority),))

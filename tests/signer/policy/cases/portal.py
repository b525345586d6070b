"""Microsoft's signatures that servers, ARM64 and S mode require."""

from __future__ import annotations

from signer.asn1.oids import (
    EKU_ELAM,
    EKU_STORE,
    EKU_WHQL,
    EKU_WHQL_ATTESTED,
    EKU_WHQL_EXTENDED,
    EKU_WHQL_OEM,
    EKU_WINDOWS_SYSTEM,
)
from signer.policy.sources import ATTESTED_ON_SERVERS, PNP, S_MODE, WDD
from tests.signer.policy.cases.registry import expect, stated
from tests.signer.policy.documents import ATTESTED_WINS, DECISION, unsettled
from tests.support.policy_builder import Sample, by_microsoft, commercial, cross_signed, driver


@expect("accepted", "attested", "win10-1507-x64", "win10-20h2-x64", "win10-22h2-x64", "win10-iot-x64", "win11-23h2-x64")
@expect("accepted", "attested", "win11-24h2-x64", code="driver-policy-attested")
@expect("rejected", "attested", "win7-x64", "win8-x64", "win8.1-x64", "server2008r2-x64", "server2012r2-x64")
@expect("accepted", "attested", "server2016-x64", "server2022-x64", "server2025-x64", code="attested-on-server")
@expect("rejected", "server-hlk", "server2016-x64", "server23h2-x64", attested_on_server="blocked")
@expect("unknown", "server-hlk", "server2019-x64", attested_on_server="unknown")
@expect("accepted", "attested", "win10-1607-x64", "win10-iot-x64", attested_on_server="blocked")
@stated(ATTESTED_ON_SERVERS)
def attested() -> Sample:
    """Windows 10 and later load attested drivers; servers too, although the dashboard's page denies it."""
    return driver(by_microsoft(EKU_WHQL_ATTESTED))


@expect("rejected", "server-hlk", "server2022-x64", attested_on_server="blocked")
@expect("accepted", "attested", "win10-22h2-x64")
@stated(ATTESTED_WINS)
def attested_and_whql_usages() -> Sample:
    """A signer with both EKUs counts as attested."""
    return driver(by_microsoft(EKU_WHQL, EKU_WHQL_ATTESTED))


@expect("accepted", "root", "server2016-x64", "server2025-x64", "win7-x64")
@stated(ATTESTED_ON_SERVERS)
def whql_on_servers() -> Sample:
    """Every server loads a driver that passed HLK."""
    return driver(by_microsoft(EKU_WHQL, EKU_WHQL_EXTENDED))


@expect("accepted", "root", "server2019-x64", attested_on_server="blocked")
@stated(ATTESTED_ON_SERVERS)
def attested_and_whql_signatures() -> Sample:
    """A server accepts a WHQL signature beside an attestation signature."""
    return driver(by_microsoft(EKU_WHQL_ATTESTED), by_microsoft(EKU_WHQL).in_catalog())


@expect("accepted", "attested", "win10-22h2-arm64", "win11-24h2-arm64")
@expect("unknown", "s-mode", "win11-24h2-arm64-smode", code="s-mode-attested")
@stated(PNP)
def attested_on_arm64() -> Sample:
    """ARM64 accepts attestation; Microsoft does not document whether S mode does."""
    return driver(by_microsoft(EKU_WHQL_ATTESTED), architecture="arm64")


@expect("accepted", "root", "win10-1709-arm64", "win11-24h2-arm64", "win11-24h2-arm64-smode")
@stated(PNP)
def whql_on_arm64() -> Sample:
    """ARM64 and S mode accept WHQL."""
    return driver(by_microsoft(EKU_WHQL), architecture="arm64")


@expect("rejected", "root", "win10-22h2-arm64")
@stated(PNP)
def commercial_on_arm64() -> Sample:
    """ARM64 rejects a public certificate as well."""
    return driver(commercial(), architecture="arm64")


@expect("accepted", "root", "win10-1709-arm64")
@stated(PNP)
def microsofts_other_signature_on_arm64() -> Sample:
    """ARM64 accepts any of Microsoft's signatures under a kernel root."""
    return driver(by_microsoft(), architecture="arm64")


@expect("accepted", "root", "win10-1703-x64-smode", "win11-25h2-x64-smode")
@stated(S_MODE)
def whql_in_s_mode() -> Sample:
    """S mode accepts WHQL."""
    return driver(by_microsoft(EKU_WHQL))


@expect("accepted", "root", "win10-22h2-x64-smode")
@stated(S_MODE)
def inbox_in_s_mode() -> Sample:
    """S mode accepts a Windows signature."""
    return driver(by_microsoft(EKU_WINDOWS_SYSTEM))


@expect("accepted", "root", "win10-22h2-x64-smode")
@stated(S_MODE)
def oem_whql_in_s_mode() -> Sample:
    """An OEM's WHQL signature is a WHQL signature."""
    return driver(by_microsoft(EKU_WHQL_OEM))


@expect("accepted", "root", "win10-22h2-x64-smode")
@stated(S_MODE)
def elam_in_s_mode() -> Sample:
    """S mode accepts an early-launch antimalware signature."""
    return driver(by_microsoft(EKU_ELAM))


@expect("accepted", "root", "win10-22h2-x64-smode")
@stated(S_MODE)
def store_in_s_mode() -> Sample:
    """S mode accepts a Store signature."""
    return driver(by_microsoft(EKU_STORE))


@expect("rejected", "s-mode", "win10-22h2-x64-smode")
@expect("accepted", "root", "win10-22h2-x64")
@stated(S_MODE)
def microsofts_other_signature_in_s_mode() -> Sample:
    """S mode rejects another Microsoft signature."""
    return driver(by_microsoft())


@expect("unknown", "s-mode", "win10-22h2-x64-smode", "win11-23h2-x64-smode")
@stated(unsettled(f"{S_MODE}; {WDD} issue 1324 asks not to document it"))
def attested_in_s_mode() -> Sample:
    """Microsoft does not document whether S mode accepts attestation."""
    return driver(by_microsoft(EKU_WHQL_ATTESTED))


@expect("rejected", "s-mode", "win10-22h2-x64-smode", "win11-23h2-x64-smode")
@expect("rejected", "s-mode", "win10-22h2-x64-smode", debugger=True)
@stated(S_MODE)
def cross_signed_in_s_mode() -> Sample:
    """S mode rejects cross-signed drivers of any age, even with a debugger."""
    return driver(cross_signed())


@expect("accepted", "root", "win10-22h2-x64", "win11-23h2-x64", "win11-24h2-x64", "server2022-x64")
@stated(DECISION)
def whql_beside_a_cross_signature() -> Sample:
    """Microsoft's signature decides, even if an exception accepts the publisher's own."""
    return driver(cross_signed(), by_microsoft(EKU_WHQL).in_catalog())

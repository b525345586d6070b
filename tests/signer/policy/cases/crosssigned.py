"""Cross-signed drivers: 1607 and its exceptions, the disputed 1809 rule, expired cross-certificates, and 2026."""

from __future__ import annotations

from dataclasses import dataclass

from signer.asn1.oids import EKU_WHQL
from signer.policy.sources import DEPRECATION, DRIVER_POLICY, EXPIRED_CROSS, PNP, POLICY, PORTAL
from signer.policy.subjects import SignatureSubject
from tests.signer.policy.cases.registry import expect, stated
from tests.signer.policy.documents import DECISION, EXCEPTIONS
from tests.support.policy_builder import Sample, by_microsoft, cross_signed, day, driver

BEFORE_2026 = day("2026-03-01")


@dataclass(frozen=True)
class ListOf:
    """An allow list with one signer or none."""

    label: str
    signer: str

    def allows(self, signed: SignatureSubject) -> bool:
        return self.signer in signed.label


@expect("accepted", "root", "win8.1-x64", "win10-1507-x64", "win10-1511-x64", "server2012r2-x64")
@expect("rejected", "cross-signed", "win10-1607-x64", "win10-22h2-x64", "win11-23h2-x64", "server2016-x64")
@expect("rejected", "cross-signed", "win11-24h2-x64", "server2025-x64")
@expect("accepted", "cross-signed", "win10-1607-x64", upgraded=True, code="cross-signed-upgraded")
@expect("accepted", "cross-signed", "win10-22h2-x64", "server2022-x64", secure_boot=False, code="cross-signed-exempt")
@expect("accepted", "cross-signed", "win10-22h2-x64", boot_start=True, code="cross-signed-boot-start")
@stated(EXCEPTIONS)
def issued_after_the_cutoff() -> Sample:
    """With Secure Boot, a clean 1607 refuses a driver whose certificate was issued after 2015-07-29."""
    return driver(cross_signed(begins="2016-05-02"))


@expect("accepted", "root", "win8.1-x64", "win10-1511-x64")
@expect("accepted", "cross-signed", "win10-1607-x64", "win10-22h2-x64", "win11-23h2-x64", "server2022-x64")
@stated(EXCEPTIONS)
def issued_before_the_cutoff() -> Sample:
    """Releases up to Windows 11 23H2 load a driver whose certificate was issued before 2015-07-29."""
    return driver(cross_signed(begins="2015-07-28"))


@expect("accepted", "cross-signed", "win10-1607-x64", code="cross-signed-before-cutoff")
@stated(EXCEPTIONS)
def issued_in_the_last_second_before_the_cutoff() -> Sample:
    """The last second of 2015-07-28 UTC is before the cut-off."""
    return driver(cross_signed(begins="2015-07-28T23:59:59"))


@expect("rejected", "cross-signed", "win10-1607-x64", code="cross-signed-after-cutoff")
@stated(EXCEPTIONS)
def issued_in_the_first_second_of_the_cutoff() -> Sample:
    """Midnight UTC of 2015-07-29 is not before the cut-off."""
    return driver(cross_signed(begins="2015-07-29T00:00:00"))


@expect("rejected", "cross-signed", "win10-1607-x64", code="cross-signed-after-cutoff")
@stated(EXCEPTIONS)
def issued_on_the_day_of_the_cutoff() -> Sample:
    """A certificate issued on 2015-07-29 itself is too late."""
    return driver(cross_signed(begins="2015-07-29"))


@expect("rejected", "cross-signed", "win10-1607-x64")
@expect("accepted", "root", "win10-1511-x64")
@stated(EXCEPTIONS)
def early_timestamp_late_certificate() -> Sample:
    """An early timestamp does not help: the certificate's issue date counts."""
    return driver(cross_signed(begins="2016-05-02").stamped("2014-01-01"))


@expect("accepted", "cross-signed", "win10-1803-x64", "win10-1703-x64", cross_signed_1809_cutoff=True)
@expect(
    "rejected",
    "cross-signed-1809",
    "win10-1809-x64",
    "win10-1909-x64",
    "win10-21h1-x64",
    "win11-23h2-x64",
    cross_signed_1809_cutoff=True,
)
@expect("accepted", "cross-signed", "win10-1809-x64", code="cross-signed-1809-disputed")
@expect("accepted", "cross-signed", "server2019-x64", "server23h2-x64", "win10-iot-x64", cross_signed_1809_cutoff=True)
@expect("accepted", "cross-signed", "win10-1809-x64", cross_signed_1809_cutoff=True, secure_boot=False)
@expect("accepted", "cross-signed", "win10-1809-x64", cross_signed_1809_cutoff=True, upgraded=True)
@expect("accepted", "cross-signed", "win10-1809-x64", cross_signed_1809_cutoff=True, boot_start=True)
@stated(f"{PORTAL}; {POLICY} has no such cut-off")
def disputed_cutoff_of_1809() -> Sample:
    """A setting, off by default, makes clients since 1809, except IoT Enterprise, refuse old cross-signed drivers."""
    return driver(cross_signed())


@expect("accepted", "cross-signed", "win10-22h2-x64", expired_cross="blocked")
@expect("accepted", "root", "win7-x64", expired_cross="blocked")
@stated(DEPRECATION)
def signed_before_the_cross_certificate_expired() -> Sample:
    """A signature of 2020 under a cross-certificate that expired in 2021 stays valid."""
    return driver(cross_signed().stamped("2020-06-01"))


@expect("accepted", "root", "win7-x64", "win8.1-x64", code="cross-certificate-expired")
@expect("accepted", "cross-signed", "win10-22h2-x64", "server2019-x64", code="cross-certificate-expired")
@expect("rejected", "cross-certificate-expired", "win10-22h2-x64", "win7-x64", expired_cross="blocked")
@expect("unknown", "cross-certificate-expired", "server2019-x64", expired_cross="unknown")
@stated(EXPIRED_CROSS)
def signed_after_the_cross_certificate_expired() -> Sample:
    """A signature of 2022 under a cross-certificate that expired in 2021 loads, unless the setting blocks it."""
    return driver(cross_signed().stamped("2022-06-01"))


@expect("accepted", "root", "win7-x64", expired_cross="blocked")
@stated(DEPRECATION)
def signed_in_the_last_second_of_the_cross_certificate() -> Sample:
    """The last second of the cross-certificate is within its validity period."""
    return driver(cross_signed(cross_ends="2021-02-22T00:00:00").stamped("2021-02-22T00:00:00"))


@expect("accepted", "root", "win7-x64", expired_cross="blocked")
@stated(DEPRECATION)
def signed_after_at_an_unknown_time() -> Sample:
    """A timestamp of an unknown authority is ignored, so the rule does not apply."""
    return driver(cross_signed().stamped("2022-06-01", known=False))


@expect(
    "unknown",
    "driver-policy",
    "win11-24h2-x64",
    "win11-25h2-x64",
    "win11-26h1-x64",
    "win11-26h2-x64",
    "win11-iot-x64",
    "server2025-x64",
)
@expect("unknown", "driver-policy", "win11-24h2-x64", driver_policy="enforced", at=BEFORE_2026)
@expect("accepted", "cross-signed", "win11-24h2-x64", driver_policy="evaluation", code="driver-policy-evaluation")
@expect("accepted", "cross-signed", "win11-24h2-x64", driver_policy="off", code="driver-policy-off")
@expect("accepted", "cross-signed", "win11-24h2-x64", at=BEFORE_2026, code="driver-policy-off")
@expect("accepted", "cross-signed", "win11-23h2-x64", "server2022-x64", driver_policy="enforced")
@expect("unknown", "driver-policy", "win11-24h2-x64", secure_boot=False)
@expect("unknown", "driver-policy", "win11-24h2-x64", upgraded=True)
@expect("accepted", "driver-policy", "win11-24h2-x64", allow_list=ListOf("contoso", "Contoso"))
@expect("rejected", "driver-policy", "win11-24h2-x64", allow_list=ListOf("nobody", "Fabrikam"))
@expect(
    "accepted",
    "cross-signed",
    "win11-24h2-x64",
    driver_policy="evaluation",
    allow_list=ListOf("nobody", "Fabrikam"),
    code="driver-policy-evaluation",
)
@expect("unknown", "driver-policy", "win11-24h2-x64", debugger=True)
@stated(DRIVER_POLICY)
def driver_policy_of_2026() -> Sample:
    """The policy of 2026 blocks cross-signed drivers outside its allow list; without the list the result is unknown."""
    return driver(cross_signed())


@expect("accepted", "root", "win11-24h2-x64", driver_policy="enforced")
@stated(DRIVER_POLICY)
def driver_policy_and_whql() -> Sample:
    """The policy of 2026 does not affect a WHQL driver."""
    return driver(by_microsoft(EKU_WHQL))


@expect("accepted", "root", "win11-25h2-x64")
@stated(DECISION)
def cross_signed_and_whql() -> Sample:
    """Microsoft's signature counts for a driver that is cross-signed as well."""
    return driver(cross_signed(begins="2016-05-02"), by_microsoft(EKU_WHQL).nested())


@expect("rejected", "arm64-microsoft", "win10-1709-arm64", "win11-23h2-arm64")
@stated(PNP)
def cross_signed_for_arm64() -> Sample:
    """ARM64 does not accept cross-signed drivers."""
    return driver(cross_signed(), architecture="arm64")


@expect("accepted", "root", "server2008-ia64", "server2008r2-ia64", sha2_update=True)
@stated(POLICY)
def cross_signed_for_itanium() -> Sample:
    """Itanium accepts cross-signed drivers like x64."""
    return driver(cross_signed(), architecture="ia64")

"""Expiry, timestamps and lifetime signing in the kernel policy."""

from __future__ import annotations

from signer.asn1.oids import EKU_CODE_SIGNING, EKU_LIFETIME_SIGNING, EKU_WHQL
from signer.policy.sources import AUTHENTICODE, DEPRECATION, EVENT_IDS, EXPIRED_IN_THE_FIELD
from tests.signer.policy.cases.registry import expect, stated
from tests.signer.policy.documents import RFC_3161
from tests.support.policy_builder import Sample, by_microsoft, cross_signed, day, driver


@expect("accepted", "root", "win7-x64", "win11-24h2-x64")
@stated(DEPRECATION)
def expired_and_timestamped() -> Sample:
    """A signature that was timestamped while its certificate was valid does not expire."""
    return driver(by_microsoft(EKU_WHQL, ends="2016-01-01").stamped("2015-06-01"))


@expect("accepted", "root", "win7-x64", "win11-24h2-x64", code="expired")
@expect("rejected", "expiry", "win7-x64", "win11-24h2-x64", expired_leaf="blocked")
@expect("unknown", "expiry", "win11-24h2-x64", expired_leaf="unknown")
@stated(EXPIRED_IN_THE_FIELD)
def expired_without_timestamp() -> Sample:
    """An expired signer without a timestamp loads, as observed, unless the setting blocks it."""
    return driver(by_microsoft(EKU_WHQL, ends="2016-01-01"))


@expect("accepted", "cross-signed", "win10-22h2-x64", code="expired")
@expect("rejected", "expiry", "win10-22h2-x64", expired_leaf="blocked")
@stated(EXPIRED_IN_THE_FIELD)
def expired_certificate_of_2014() -> Sample:
    """A vendor's expired certificate is still accepted, which thieves of such keys exploit."""
    return driver(cross_signed(begins="2011-09-02", ends="2014-09-01"))


@expect("accepted", "root", "win10-22h2-x64", code="timestamp-untrusted")
@expect("rejected", "expiry", "win10-22h2-x64", expired_leaf="blocked", code="timestamp-untrusted")
@stated(f"{RFC_3161}; {AUTHENTICODE}")
def timestamp_of_an_unknown_authority() -> Sample:
    """A timestamp of an authority without a trusted root does not count."""
    return driver(by_microsoft(EKU_WHQL, ends="2016-01-01").stamped("2015-06-01", known=False))


@expect("rejected", "expiry", "win10-22h2-x64", expired_leaf="blocked", code="timestamp-untrusted")
@stated(f"{RFC_3161}; {AUTHENTICODE}")
def timestamp_of_another_signature() -> Sample:
    """A timestamp of a different signature does not count."""
    return driver(by_microsoft(EKU_WHQL, ends="2016-01-01").stamped("2015-06-01", intact=False))


@expect("rejected", "expiry", "win10-22h2-x64", expired_leaf="blocked", code="timestamp-untrusted")
@stated(f"{RFC_3161}; {AUTHENTICODE}")
def timestamp_by_a_code_signing_certificate() -> Sample:
    """A timestamp by a certificate without the time-stamping EKU does not count."""
    return driver(by_microsoft(EKU_WHQL, ends="2016-01-01").stamped("2015-06-01", usages=(EKU_CODE_SIGNING,)))


@expect("rejected", "expiry", "win10-22h2-x64", expired_leaf="blocked", code="timestamp-untrusted")
@stated(f"{RFC_3161}; {AUTHENTICODE}")
def timestamp_of_an_authority_without_the_right_to_issue() -> Sample:
    """A timestamp whose chain violates RFC 5280 does not count."""
    return driver(by_microsoft(EKU_WHQL, ends="2016-01-01").stamped("2015-06-01").stamp_path_breaks("not-a-ca"))


@expect("rejected", "expiry", "win10-22h2-x64", expired_leaf="blocked", code="timestamp-untrusted")
@stated(f"{RFC_3161}; {AUTHENTICODE}")
def timestamp_of_an_authority_for_another_usage() -> Sample:
    """A timestamp does not count if the EKUs of the authority's issuer exclude time stamping."""
    return driver(
        by_microsoft(EKU_WHQL, ends="2016-01-01").stamped("2015-06-01").stamp_path_breaks("digest-sha1", "eku-nesting")
    )


@expect("accepted", "root", "win10-22h2-x64", expired_leaf="blocked")
@stated("timestamps of 2010 to 2015 in the signatures of drivers that load")
def timestamp_of_an_authority_with_an_old_digest() -> Sample:
    """A weak digest in the timestamp's chain does not matter: authorities of 2010 have no other."""
    return driver(by_microsoft(EKU_WHQL, ends="2016-01-01").stamped("2015-06-01").stamp_path_breaks("digest-sha1"))


@expect("accepted", "root", "win10-22h2-x64", expired_leaf="blocked")
@stated(f"{DEPRECATION}; RFC 5280, 4.1.2.5: both ends of the validity period are included")
def timestamp_in_the_last_second_of_the_certificate() -> Sample:
    """A timestamp in the last second of the certificate counts."""
    return driver(by_microsoft(EKU_WHQL, ends="2016-01-01T00:00:00").stamped("2016-01-01T00:00:00"))


@expect("rejected", "expiry", "win10-22h2-x64", expired_leaf="blocked", code="timestamp-outside-lifetime")
@stated(f"{DEPRECATION}; RFC 5280, 4.1.2.5: both ends of the validity period are included")
def timestamp_one_second_after_the_certificate() -> Sample:
    """A timestamp one second after the certificate's expiry does not count."""
    return driver(by_microsoft(EKU_WHQL, ends="2016-01-01T00:00:00").stamped("2016-01-01T00:00:01"))


@expect("accepted", "root", "win7-x64", expired_leaf="blocked")
@stated(f"{DEPRECATION}; RFC 5280, 4.1.2.5: both ends of the validity period are included")
def timestamp_in_the_first_second_of_the_certificate() -> Sample:
    """A timestamp in the first second of the certificate counts."""
    return driver(cross_signed(begins="2014-03-01T00:00:00", ends="2016-01-01").stamped("2014-03-01T00:00:00"))


@expect("rejected", "expiry", "win7-x64", expired_leaf="blocked", code="timestamp-outside-lifetime")
@stated(f"{DEPRECATION}; RFC 5280, 4.1.2.5: both ends of the validity period are included")
def timestamp_one_second_before_the_certificate() -> Sample:
    """A timestamp one second before the certificate's validity does not count."""
    return driver(cross_signed(begins="2014-03-01T00:00:01", ends="2016-01-01").stamped("2014-03-01T00:00:00"))


@expect("accepted", "root", "win7-x64", at=day("2012-01-01T00:00:00"), expired_leaf="blocked")
@expect("accepted", "root", "win7-x64", at=day("2016-01-01T00:00:00"), expired_leaf="blocked")
@expect("rejected", "expiry", "win7-x64", at=day("2011-12-31T23:59:59"), expired_leaf="blocked", code="not-yet-valid")
@expect("rejected", "expiry", "win7-x64", at=day("2016-01-01T00:00:01"), expired_leaf="blocked", code="expired")
@stated(EXPIRED_IN_THE_FIELD)
def from_the_first_to_the_last_second() -> Sample:
    """Without a timestamp the time of the check counts; the first and the last second are valid."""
    return driver(cross_signed(begins="2012-01-01T00:00:00", ends="2016-01-01T00:00:00"))


@expect("accepted", "root", "win11-24h2-x64", at=day("2016-01-01T00:00:00"))
@expect("rejected", "lifetime", "win11-24h2-x64", at=day("2016-01-01T00:00:01"), code="lifetime-expired")
@stated(f"{EVENT_IDS}, event 3033")
def lifetime_signing_ends_after_the_last_second() -> Sample:
    """A certificate with the lifetime-signing EKU is valid in its last second."""
    return driver(by_microsoft(EKU_WHQL, EKU_LIFETIME_SIGNING, ends="2016-01-01T00:00:00").stamped("2015-06-01"))


@expect("accepted", "root", "win10-22h2-x64", code="timestamp-outside-lifetime")
@expect("rejected", "expiry", "win10-22h2-x64", expired_leaf="blocked", code="timestamp-outside-lifetime")
@stated(f"{DEPRECATION}; RFC 5280, 4.1.2.5: both ends of the validity period are included")
def timestamp_after_expiry() -> Sample:
    """A timestamp after the certificate's expiry does not count."""
    return driver(by_microsoft(EKU_WHQL, ends="2016-01-01").stamped("2017-06-01"))


@expect("accepted", "root", "win10-22h2-x64", code="timestamp-outside-lifetime")
@stated(f"{DEPRECATION}; RFC 5280, 4.1.2.5: both ends of the validity period are included")
def timestamp_before_issue() -> Sample:
    """A timestamp before the certificate was issued does not count."""
    return driver(by_microsoft(EKU_WHQL).stamped("2011-06-01"))


@expect("accepted", "root", "win10-22h2-x64", at=day("2011-06-01"), code="not-yet-valid")
@expect("rejected", "expiry", "win10-22h2-x64", at=day("2011-06-01"), expired_leaf="blocked")
@stated(EXPIRED_IN_THE_FIELD)
def not_yet_valid() -> Sample:
    """A certificate that is not yet valid is treated like an expired one."""
    return driver(by_microsoft(EKU_WHQL))


@expect("accepted", "root", "win7-x64")
@stated("drivers that loaded in 2026 under the Code Verification Root, which expired on 2025-11-01")
def expired_authorities() -> Sample:
    """CA certificates may be expired; the Code Verification Root itself expired in 2025."""
    return driver(cross_signed(cross_ends="2016-05-23").stamped("2015-01-01"))


@expect("rejected", "lifetime", "win10-1507-x64", "win11-24h2-x64", code="lifetime-expired")
@expect("accepted", "root", "win8.1-x64", code="lifetime-expired")
@expect("accepted", "root", "win11-24h2-x64", at=day("2015-12-01"))
@stated(f"{EVENT_IDS}, event 3033")
def lifetime_signing() -> Sample:
    """Since Windows 10, a timestamp does not extend a signature with the lifetime-signing EKU."""
    return driver(by_microsoft(EKU_WHQL, EKU_LIFETIME_SIGNING, ends="2016-01-01").stamped("2015-06-01"))

"""Protected media: documented requirements, and unknown results for the others."""

from __future__ import annotations

from signer.asn1.oids import EKU_WHQL, EKU_WHQL_ATTESTED
from signer.policy.sources import EVENTS, PORTAL, SIGNATURE_ATTRIBUTES
from signer.policy.sources import MEDIA as PMP_SIGN
from tests.signer.policy.cases.registry import expect, stated
from tests.signer.policy.documents import unsettled
from tests.support.policy_builder import Sample, by_microsoft, commercial, cross_signed, driver, of_test_root

MEDIA = {"policy": "protected-media"}
AUDIO = {"DRMLevel": "1300"}
TRUSTED = {"PETrusted": "1"}


@expect("accepted", "media-audio-whql", "win7-x64", "win10-22h2-x86", "win10-22h2-x64", "win11-24h2-x64", **MEDIA)
@stated(SIGNATURE_ATTRIBUTES)
def audio() -> Sample:
    """An audio driver with DRMLevel 1300, page hashes and a WHQL catalog is accepted."""
    return driver(
        by_microsoft(EKU_WHQL).in_catalog().having(page_hashes_intact=True), attributes=AUDIO, architecture=None
    )


@expect("accepted", "media-audio-whql", "win10-22h2-x86", "win10-22h2-x64", **MEDIA)
@expect("rejected", "attested", "win8.1-x64", **MEDIA)
@stated(PORTAL)
def attested_audio() -> Sample:
    """Attestation supports DrmLevel on releases that accept attestation."""
    return driver(
        by_microsoft(EKU_WHQL_ATTESTED).in_catalog().having(page_hashes_intact=True),
        attributes=AUDIO,
        architecture=None,
    )


@expect("rejected", "media-audio-whql", "win8.1-x64", "win10-22h2-x86", "win10-22h2-x64", **MEDIA)
@stated(PMP_SIGN)
def cross_signed_audio() -> Sample:
    """A cross-signed driver loads, but not for protected audio."""
    return driver(cross_signed().having(page_hashes_intact=True), attributes=AUDIO, architecture=None)


@expect(
    "unknown",
    "media-audio-whql",
    "win10-22h2-x86",
    "win10-22h2-x64",
    roots="test-signing",
    testsigning=True,
    **MEDIA,
)
@expect("rejected", "test-signing", "win10-22h2-x86", "win10-22h2-x64", roots="test-signing", **MEDIA)
@stated(unsettled(PMP_SIGN))
def test_signed_audio() -> Sample:
    """Microsoft does not document the effect of test-signing mode on protected audio."""
    return driver(of_test_root(named=True).having(page_hashes_intact=True), attributes=AUDIO, architecture=None)


@expect("accepted", "media-audio-whql", "win10-22h2-x86", "win10-22h2-x64", code="media-no-page-hashes", **MEDIA)
@stated(f"{PMP_SIGN}; {SIGNATURE_ATTRIBUTES}: neither requires them")
def audio_without_page_hashes() -> Sample:
    """Page hashes are usual for audio drivers, but not documented as required."""
    return driver(by_microsoft(EKU_WHQL).in_catalog(), attributes=AUDIO, architecture=None)


@expect("rejected", "media-drm-level", "win10-22h2-x86", "win10-22h2-x64", **MEDIA)
@stated(SIGNATURE_ATTRIBUTES)
def odd_level() -> Sample:
    """Only two DRM levels are documented."""
    return driver(
        by_microsoft(EKU_WHQL).having(page_hashes_intact=True), attributes={"DRMLevel": "1500"}, architecture=None
    )


@expect("accepted", "media-audio-whql", "win10-22h2-x86", "win10-22h2-x64", code="media-drm-level-1200", **MEDIA)
@stated(SIGNATURE_ATTRIBUTES)
def lower_level() -> Sample:
    """Level 1200 is accepted with a warning; trusted audio drivers have 1300."""
    return driver(
        by_microsoft(EKU_WHQL).having(page_hashes_intact=True), attributes={"DRMLevel": "1200"}, architecture=None
    )


@expect("accepted", "root", "win10-22h2-x86", "win10-22h2-x64", **MEDIA)
@stated(PMP_SIGN)
def trusted_code() -> Sample:
    """Code for protected processes has the attribute PETrusted and page hashes."""
    return driver(by_microsoft(EKU_WHQL).having(page_hashes_intact=True), attributes=TRUSTED, architecture=None)


@expect("accepted", "root", "win10-22h2-x86", "win10-22h2-x64", code="media-catalog-only", **MEDIA)
@stated("Microsoft KB959916")
def trusted_through_a_catalog() -> Sample:
    """Trust through a catalog is accepted, with a note about upgrades of Windows."""
    return driver(
        by_microsoft(EKU_WHQL).in_catalog().having(page_hashes_intact=True), attributes=TRUSTED, architecture=None
    )


@expect("rejected", "media-page-hashes", "win10-22h2-x86", "win10-22h2-x64", **MEDIA)
@stated(f"{EVENTS}, VerificationError 10")
def trusted_without_page_hashes() -> Sample:
    """Code for protected processes without page hashes is rejected."""
    return driver(by_microsoft(EKU_WHQL), attributes=TRUSTED, architecture=None)


@expect("rejected", "media-attributes", "win10-22h2-x86", "win10-22h2-x64", code="media-pe-value", **MEDIA)
@stated(SIGNATURE_ATTRIBUTES)
def odd_trust() -> Sample:
    """A value of PETrusted other than 1 is rejected."""
    return driver(
        by_microsoft(EKU_WHQL).having(page_hashes_intact=True), attributes={"PETrusted": "yes"}, architecture=None
    )


@expect("unknown", "media-attributes", "win10-22h2-x86", "win10-22h2-x64", code="media-not-marked", **MEDIA)
@stated(unsettled(PMP_SIGN))
def unmarked() -> Sample:
    """A driver without attributes is undecided: no signature shows a display driver's OPM certificate."""
    return driver(by_microsoft(EKU_WHQL), attributes={"File": "sample.sys"}, architecture=None)


@expect("unknown", "media-attributes", "win10-22h2-x86", "win10-22h2-x64", code="media-no-catalog", **MEDIA)
@stated(unsettled(PMP_SIGN))
def without_a_catalog() -> Sample:
    """Without a catalog the attributes are unknown."""
    return driver(by_microsoft(EKU_WHQL), architecture=None)


@expect("rejected", "unsigned", "win7-x86", "vista-x86", **MEDIA)
@expect("accepted", "x86-not-enforced", "win7-x86")
@stated(PMP_SIGN)
def unsigned_on_x86() -> Sample:
    """For protected media a 32-bit kernel enforces signatures."""
    return driver(architecture="x86", attributes={})


@expect("rejected", "root", "win10-22h2-x86", "win10-22h2-x64", **MEDIA)
@stated(PMP_SIGN)
def commercial_audio() -> Sample:
    """A driver that does not load is rejected."""
    return driver(commercial(), attributes=AUDIO, architecture=None)


@expect("rejected", "media-audio-whql", "win10-22h2-x86", "win10-22h2-x64", debugger=True, **MEDIA)
@stated(PMP_SIGN)
def cross_signed_audio_under_a_debugger() -> Sample:
    """A debugger waives the load check, not the rules of protected audio."""
    return driver(cross_signed().having(page_hashes_intact=True), attributes=AUDIO, architecture=None)

"""Reasons to refuse a planned release signature, with certificates of real drivers and test certificates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signer.algorithms import DigestAlgorithm
from signer.policy.release import Plan, refusals
from signer.policy.targets import Target
from signer.trust.store import TrustStore
from signer.verify.gather import gather
from tests.support.identities import certificate, identity

CROSS_SIGNED = (
    "packages/SoftEtherVPN+SoftEtherVPN__src__bin__hamcore__DriverPackages__Neo6_Win10__x64__Neo6_x64_VPN11"
    "/Neo6_x64_VPN11.sys"
)
SHA1, SHA256 = DigestAlgorithm.SHA1, DigestAlgorithm.SHA256


def plan_of(corpus: Path, **changes: object) -> Plan:
    """Return the plan of a real driver's first signature, made two years before its certificate expired."""
    signature = gather((corpus / CROSS_SIGNED).read_bytes(), "image", "a.sys").signatures[0]
    assert signature.signer is not None
    at = signature.timestamp.time if signature.timestamp else signature.signer.not_valid_before_utc
    values = {
        "certificate": signature.signer,
        "carried": signature.certificates,
        "digests": (SHA256,),
        "timestamped": True,
        "at": at,
    }
    return Plan(**{**values, **changes})  # type: ignore[arg-type]


def codes(plan: Plan, *targets: str) -> list[str]:
    return [found.code for found in refusals(plan, map(Target.parse, targets), TrustStore.release())]


def test_a_cross_signed_certificate_may_sign_for_releases_that_accept_it(corpus: Path) -> None:
    assert codes(plan_of(corpus), "win7-x64", "win8.1-x64", "win10-1511-x64") == []


@pytest.mark.parametrize("target", ["win10-1607-x64", "win11-25h2-x64", "server2022-x64", "win11-25h2-arm64"])
def test_a_target_that_would_refuse_the_driver_is_reported(corpus: Path, target: str) -> None:
    (found,) = refusals(plan_of(corpus), [Target.parse("win7-x64"), Target.parse(target)], TrustStore.release())
    assert found.code == "release-target"
    assert Target.parse(target).title in found.message
    assert "submission" in (found.hint or "")


def test_each_reason_is_reported(corpus: Path) -> None:
    plan = plan_of(corpus)
    after = plan.certificate.not_valid_after_utc + timedelta(days=1)
    before = plan.certificate.not_valid_before_utc - timedelta(days=1)
    assert codes(plan_of(corpus, timestamped=False)) == ["release-timestamp"]
    assert codes(plan_of(corpus, at=after)) == ["release-expired"]
    assert codes(plan_of(corpus, at=before)) == ["release-not-yet-valid"]
    assert codes(plan_of(corpus, digests=(SHA1,))) == ["release-digest"]
    assert codes(plan_of(corpus, digests=(SHA1, SHA256))) == []
    assert codes(plan_of(corpus, at=after, timestamped=False, digests=(SHA1,))) == [
        "release-expired",
        "release-timestamp",
        "release-digest",
    ]


def test_a_release_may_be_signed_in_the_first_and_last_second_of_a_certificate(corpus: Path) -> None:
    certificate, second = plan_of(corpus).certificate, timedelta(seconds=1)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    assert [codes(plan_of(corpus, at=at)) for at in (begin, end)] == [[], []]
    assert codes(plan_of(corpus, at=begin - second)) == ["release-not-yet-valid"]
    assert codes(plan_of(corpus, at=end + second)) == ["release-expired"]


def test_untrusted_certificates_are_refused(corpus: Path) -> None:
    plan = plan_of(corpus)
    alone = Plan(plan.certificate, (), (SHA256,), True, plan.at)
    assert codes(alone) in (["release-root"], []), "unless the table of cross-certificates fills the gap"
    own = identity()
    now = datetime.now(UTC)
    assert codes(Plan(own.certificate, own.chain, (SHA256,), True, now)) == ["release-identity"]
    assert codes(Plan(certificate("Alone", "p256"), (), (SHA256,), True, now)) == ["release-identity"]

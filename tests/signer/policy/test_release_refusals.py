"""Reasons to refuse a planned release signature, with certificates of real drivers and test certificates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_CODE_SIGNING
from signer.errors import ReleaseRefused
from signer.policy.findings import Verdict
from signer.policy.release import Plan, forecast, refusals, require_releasable
from signer.policy.targets import Target
from signer.trust.store import TrustStore
from signer.verify.gather import gather
from tests.support.hierarchy import NOW, issue
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


ROOT = issue("Release Root", ca=True, may_sign=True)
LEAF = issue("Release Leaf", ROOT, usages=[EKU_CODE_SIGNING])


def plan(*, timestamped: bool = True, digests: tuple[DigestAlgorithm, ...] = (SHA256,)) -> Plan:
    """Return the plan of a signer under a root that no machine trusts."""
    return Plan(LEAF.certificate, (ROOT.certificate,), digests, timestamped, NOW)


def messages(verdict: Verdict) -> str:
    return "\n".join(one.message for one in verdict.findings)


def test_a_forecast_knows_where_each_signature_would_be() -> None:
    """A second signature is nested in a driver; both of a catalog count for the files that it lists."""
    both = plan(digests=(SHA1, SHA256))
    found = forecast(both, Target.parse("win7-x64"), TrustStore.release())
    for source in ("(embedded signature)", "(nested signature)"):
        assert source in messages(found.embedded)
    assert "nested-not-seen" in found.embedded.codes
    for verdict in (found.listed, found.installed):
        assert "(catalog 'driver.cat')" in messages(verdict)
        assert "embedded" not in messages(verdict) and "nested" not in messages(verdict)


def test_the_only_signature_of_a_driver_is_the_outer_one() -> None:
    found = forecast(plan(), Target.parse("win7-x64"), TrustStore.release()).embedded
    assert "(embedded signature)" in messages(found)
    assert "nested-not-seen" not in found.codes


@pytest.mark.parametrize("timestamped", [True, False], ids=["with a timestamp", "without a timestamp"])
def test_a_forecast_takes_the_timestamp_for_valid(*, timestamped: bool) -> None:
    """Signing checks the real one."""
    found = forecast(plan(timestamped=timestamped), Target.parse("win7-x64"), TrustStore.release())
    for verdict in (found.embedded, found.listed, found.installed):
        assert not [code for code in verdict.codes if "timestamp" in code]


@pytest.mark.parametrize(
    ("identity", "words"),
    [
        pytest.param(LEAF.certificate, "'Release Leaf' is a test certificate", id="of a test root"),
        pytest.param(certificate("Alone", "p256"), "'Alone' is a self-signed certificate", id="self-signed"),
    ],
)
def test_the_kind_of_certificate_is_named(identity: x509.Certificate, words: str) -> None:
    store = TrustStore.test_signing([ROOT.certificate])
    found = refusals(Plan(identity, (), (SHA256,), True, NOW), [], store)
    assert [one.message for one in found if one.code == "release-identity"] == [words]


def test_a_refusal_gives_the_reason_and_the_source_of_the_target(corpus: Path) -> None:
    target, store = Target.parse("win10-1607-x64"), TrustStore.release()
    (found,) = refusals(plan_of(corpus), [target], store)
    reason = next(one for one in forecast(plan_of(corpus), target, store).embedded.findings if one.severity == "error")
    assert found.message.endswith(reason.message)
    assert found.source == reason.source


def test_only_a_plan_without_reasons_against_it_may_be_signed(corpus: Path) -> None:
    require_releasable(plan_of(corpus), [Target.parse("win7-x64")], "contoso")
    with pytest.raises(ReleaseRefused, match="'contoso'") as caught:
        require_releasable(plan(), [], "contoso", source=Path("drvsign.toml"))
    assert [one.code for one in caught.value.problems] == ["release-identity"]
    assert caught.value.path == Path("drvsign.toml")

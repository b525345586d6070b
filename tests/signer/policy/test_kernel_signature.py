"""Limits in rules about a signature: timestamps and sizes of keys; and what a warning about SHA-1 names."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_LIFETIME_SIGNING, EKU_WHQL
from signer.policy.judge import judge
from signer.policy.machine_state import MachineState
from signer.policy.targets import Target
from signer.verify.evidence import SignatureProblem, Source
from tests.support.policy_builder import KeyKind, Sign, by_microsoft, commercial_chain_with, cross_signed, driver

MACHINE = MachineState(at=datetime(2026, 11, 24, tzinfo=UTC))
OUTSIDE = "timestamp-outside-lifetime"
SHA1 = by_microsoft(EKU_WHQL).having(algorithm=DigestAlgorithm.SHA1)


@pytest.mark.parametrize(
    ("stamped", "said"),
    [
        pytest.param("2014-02-28T23:59:59", True, id="one second before"),
        pytest.param("2014-03-01T00:00:00", False, id="the first second"),
        pytest.param("2016-01-01T00:00:00", False, id="the last second"),
        pytest.param("2016-01-01T00:00:01", True, id="one second after"),
    ],
)
def test_a_timestamp_outside_the_validity_period_is_reported(stamped: str, said: bool) -> None:
    sign = cross_signed(begins="2014-03-01T00:00:00", ends="2016-01-01T00:00:00").stamped(stamped)
    sample = driver(sign)
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win7-x64"), MACHINE)
    assert (OUTSIDE in verdict.codes) == said
    assert ("expired" in verdict.codes) == said
    spans = [one.message for one in verdict.findings if one.code == OUTSIDE]
    assert all("(2014-03-01 to 2016-01-01)" in message for message in spans)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("rsa1023", "key-too-short"),
        ("rsa1024", None),
        ("rsa2048", None),
        ("rsa4096", None),
        ("rsa4097", "key-too-long"),
        ("p256", "key-not-rsa"),
    ],
)
def test_the_limits_of_keys(key: KeyKind, code: str | None) -> None:
    sample = driver(by_microsoft(EKU_WHQL, key=key))
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win11-24h2-x64"), MACHINE)
    assert [one for one in verdict.codes if one.startswith("key-")] == ([code] if code else [])


@pytest.mark.parametrize(
    ("sign", "named"),
    [
        pytest.param(SHA1, "the signature of", id="embedded"),
        pytest.param(SHA1.in_catalog("old.cat"), "the signature of", id="a catalog that is signed with SHA-1"),
    ],
)
def test_a_signature_with_sha1_is_named(sign: Sign, named: str) -> None:
    sample = driver(sign)
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win10-22h2-x64"), MACHINE)
    (message,) = (one.message for one in verdict.findings if one.code == "digest-sha1")
    assert message.startswith(named)


@pytest.mark.parametrize(
    ("source", "named"), [("catalog", "the catalog 'old.cat' lists this file only"), ("embedded", "the signature of")]
)
def test_a_sha1_hash_under_a_sha256_signature(source: Source, named: str) -> None:
    """A catalog of version 1 lists files by SHA-1, although its signature has SHA-256."""
    sample = driver(SHA1.having(source=source, catalog="old.cat"))
    signature = replace(sample.evidence.signatures[0], signer_digest_algorithm=DigestAlgorithm.SHA256)
    evidence = replace(sample.evidence, signatures=(signature,))
    verdict = judge("kernel", evidence, sample.paths, Target.parse("win10-22h2-x64"), MACHINE)
    (message,) = (one.message for one in verdict.findings if one.code == "digest-sha1")
    assert message.startswith(named)


@pytest.mark.parametrize(
    ("after", "expired"),
    [
        pytest.param(timedelta(0), False, id="its last second"),
        pytest.param(timedelta(seconds=1), True, id="one second later"),
    ],
)
def test_a_lifetime_signature_is_valid_to_the_end_of_its_certificate(after: timedelta, expired: bool) -> None:
    sample = driver(by_microsoft(EKU_WHQL, EKU_LIFETIME_SIGNING, ends="2026-01-01T00:00:00").stamped("2020-01-01"))
    machine = MachineState(at=datetime(2026, 1, 1, tzinfo=UTC) + after)
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win11-24h2-x64"), machine)
    assert ("lifetime-expired" in verdict.codes) == expired


def test_a_note_about_a_signature_is_a_finding() -> None:
    note = SignatureProblem("unsigned-attribute", "an attribute that no signature covers")
    sample = driver(by_microsoft(EKU_WHQL).having(notes=(note,)))
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win11-24h2-x64"), MACHINE)
    assert [one.severity for one in verdict.findings if one.code == note.code] == ["info"]


def test_a_problem_that_another_rule_reports_hides_no_later_one() -> None:
    """Another rule decides about MD5."""
    sample = driver(commercial_chain_with("digest-md5", "not-a-ca"))
    verdict = judge("kernel", sample.evidence, sample.paths, Target.parse("win7-x64"), MACHINE)
    assert "not-a-ca" in verdict.codes

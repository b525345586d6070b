"""Which roots a verification trusts, and the time at which CRLs apply."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_CODE_SIGNING, EKU_TIME_STAMPING
from signer.errors import UsageError
from signer.policy.timestamps import objection, trusted_time
from signer.policy.trust import Trust
from signer.verify.evidence import Evidence, Signature, SignatureProblem, Timestamp
from tests.support.hierarchy import NOW, Entity, issue, key, key_usage
from tests.support.published import published_by_key

PRODUCT_ROOT_2010 = "C9905B0EE01202293CA026E64F08412442C5504C06E44CA7E9726D61F20E4089"
ROOT = issue("Trust Root", ca=True, may_sign=True)
LEAF = issue("Trust Leaf", ROOT, usages=[EKU_CODE_SIGNING])
AUTHORITY = issue("Trust Timestamps", ROOT, usages=[EKU_TIME_STAMPING])
STRANGER = issue("Trust Stranger", usages=[EKU_TIME_STAMPING])
REVOKED = NOW - timedelta(days=10)


CODE_SIGNER = issue("Trust Rogue", ROOT, usages=[EKU_CODE_SIGNING], ca=False)
BY_LEAF = issue("Timestamps of the Leaf", LEAF, usages=[EKU_TIME_STAMPING])
BY_CODE_SIGNER = issue("Timestamps of the Rogue", CODE_SIGNER, usages=[EKU_TIME_STAMPING])
CODE_CA = issue("Trust Code CA", ROOT, ca=True, may_sign=True, usages=[EKU_CODE_SIGNING])
BY_CODE_CA = issue("Timestamps of a Code CA", CODE_CA, usages=[EKU_TIME_STAMPING])
SHORT_CA = issue("Trust Short CA", ROOT, ca=True, may_sign=True, end=REVOKED - timedelta(days=5))
BY_SHORT_CA = issue("Timestamps of a Short CA", SHORT_CA, usages=[EKU_TIME_STAMPING])


def revocation() -> x509.CertificateRevocationList:
    entry = x509.RevokedCertificateBuilder().serial_number(LEAF.certificate.serial_number).revocation_date(REVOKED)
    builder = x509.CertificateRevocationListBuilder().issuer_name(ROOT.subject).last_update(REVOKED)
    builder = builder.next_update(NOW + timedelta(days=30)).add_revoked_certificate(entry.build())
    return builder.sign(ROOT.private_key, hashes.SHA256())


def crl(by: Entity, revoked: Entity, reason: x509.ReasonFlags | None = None) -> x509.CertificateRevocationList:
    """Return a list of `by` with one entry as of REVOKED."""
    entry = x509.RevokedCertificateBuilder().serial_number(revoked.certificate.serial_number).revocation_date(REVOKED)
    if reason is not None:
        entry = entry.add_extension(x509.CRLReason(reason), critical=False)
    builder = x509.CertificateRevocationListBuilder().issuer_name(by.subject).last_update(REVOKED)
    builder = builder.next_update(NOW + timedelta(days=30)).add_revoked_certificate(entry.build())
    return builder.sign(by.private_key, hashes.SHA256())


def evidence(timestamp: Timestamp | None = None) -> Evidence:
    sha256 = DigestAlgorithm.SHA256
    signature = Signature(
        0, "embedded", None, sha256, bytes(32), LEAF.certificate, (LEAF.certificate,), sha256, timestamp=timestamp
    )
    return Evidence("sample.sys", "image", {}, "x64", signatures=(signature,))


def timestamp(time: datetime, by: x509.Certificate = AUTHORITY.certificate, *problems: SignatureProblem) -> Timestamp:
    return Timestamp("rfc3161", time, DigestAlgorithm.SHA256, by, (by,), problems)


def stamped_by(authority: Entity, *issuers: Entity, time: datetime = REVOKED - timedelta(days=1)) -> Timestamp:
    """Return an intact timestamp that carries the certificates of the authority and its issuers."""
    carried = tuple(one.certificate for one in (authority, *issuers))
    return Timestamp("rfc3161", time, DigestAlgorithm.SHA256, authority.certificate, carried)


BEFORE, AFTER = REVOKED - timedelta(days=1), REVOKED + timedelta(days=1)


@pytest.mark.parametrize(
    ("stamp", "at", "revoked"),
    [
        pytest.param(None, BEFORE, False, id="without a timestamp, the time of the verification counts: before"),
        pytest.param(None, AFTER, True, id="without a timestamp, the time of the verification counts: after"),
        pytest.param(timestamp(BEFORE), AFTER, False, id="a trusted timestamp before the revocation saves it"),
        pytest.param(timestamp(AFTER), BEFORE, True, id="a trusted timestamp after the revocation does not"),
        pytest.param(
            timestamp(BEFORE, AUTHORITY.certificate, SignatureProblem("digest", "it covers another signature")),
            AFTER,
            True,
            id="a broken timestamp does not count",
        ),
        pytest.param(timestamp(BEFORE, STRANGER.certificate), AFTER, True, id="nor one of an unknown authority"),
    ],
)
def test_crls_apply_as_of(stamp: Timestamp | None, at: datetime, revoked: bool) -> None:
    trust = Trust.test_signing([ROOT.certificate], crls=[revocation()])
    (paths,) = trust.paths_of(evidence(stamp), at)
    assert [any(problem.code == "revoked" for problem in path.problems) for path in paths.signer] == [revoked]


@pytest.mark.parametrize(
    ("stamp", "time", "reason"),
    [
        pytest.param(stamped_by(AUTHORITY), BEFORE, None, id="a valid path"),
        pytest.param(
            stamped_by(BY_LEAF, LEAF), None, "chain of its authority is not valid", id="issued by the signer itself"
        ),
        pytest.param(stamped_by(BY_CODE_SIGNER, CODE_SIGNER), None, "'Trust Rogue' is not a CA", id="no CA"),
        pytest.param(stamped_by(BY_CODE_CA, CODE_CA), None, "may not issue", id="a CA for another usage"),
        pytest.param(stamped_by(BY_SHORT_CA, SHORT_CA), None, "'Trust Short CA' was not valid on", id="expired CA"),
        pytest.param(
            stamped_by(BY_SHORT_CA, SHORT_CA, time=REVOKED - timedelta(days=6)),
            REVOKED - timedelta(days=6),
            None,
            id="a CA that expired later",
        ),
        pytest.param(stamped_by(LEAF), None, "not for time stamping", id="a certificate for code signing"),
        pytest.param(stamped_by(STRANGER), None, "no trusted root", id="no root"),
    ],
)
def test_a_timestamp_counts_only_with_a_valid_path(stamp: Timestamp, time: datetime | None, reason: str | None) -> None:
    """Else the holder of a revoked key could backdate a signature before the revocation."""
    trust = Trust.test_signing([ROOT.certificate], crls=[revocation()])
    found = evidence(stamp)
    (paths,) = trust.paths_of(found, AFTER)
    assert trusted_time(found.signatures[0], paths.timestamp) == time
    assert (objection(found.signatures[0], paths.timestamp) or "").count(reason or "") >= 1
    assert [any(problem.code == "revoked" for problem in path.problems) for path in paths.signer] == [time is None]


@pytest.mark.parametrize(
    ("reason", "stamped", "counts"),
    [
        pytest.param(x509.ReasonFlags.superseded, BEFORE, True, id="superseded after the timestamp"),
        pytest.param(x509.ReasonFlags.superseded, AFTER, False, id="superseded before the timestamp"),
        pytest.param(x509.ReasonFlags.cessation_of_operation, BEFORE, True, id="ceased after the timestamp"),
        pytest.param(x509.ReasonFlags.key_compromise, BEFORE, False, id="a stolen key can backdate"),
        pytest.param(x509.ReasonFlags.certificate_hold, BEFORE, False, id="on hold"),
        pytest.param(None, BEFORE, False, id="no reason counts as a stolen key (RFC 3161, 4.1)"),
    ],
)
def test_a_timestamp_of_a_revoked_authority(
    reason: x509.ReasonFlags | None, stamped: datetime, *, counts: bool
) -> None:
    stamp = timestamp(stamped)
    trust = Trust.test_signing([ROOT.certificate], crls=[crl(ROOT, AUTHORITY, reason)])
    found = evidence(stamp)
    (paths,) = trust.paths_of(found, NOW)
    assert (trusted_time(found.signatures[0], paths.timestamp) is not None) == counts
    assert counts or "'Trust Timestamps' was revoked" in (objection(found.signatures[0], paths.timestamp) or "")


def test_a_timestamp_below_a_revoked_ca_does_not_count() -> None:
    issuing = issue("Trust Timestamp CA", ROOT, ca=True, may_sign=True)
    authority = issue("Trust Timestamps 2", issuing, usages=[EKU_TIME_STAMPING])
    stamp = stamped_by(authority, issuing)
    for crls, counts in (([], True), ([crl(ROOT, issuing)], False)):
        found = evidence(stamp)
        (paths,) = Trust.test_signing([ROOT.certificate], crls=crls).paths_of(found, NOW)
        assert (trusted_time(found.signatures[0], paths.timestamp) is not None) == counts


@pytest.mark.parametrize("first", [True, False], ids=["the other certificate first", "the other certificate last"])
def test_a_ca_certificate_without_the_right_to_sign_lists_hides_no_revocation(*, first: bool) -> None:
    """An authority has two certificates for one key, and one of them has the right to sign revocation lists."""
    own = key("Trust CA of two certificates")
    lists = issue("Trust CA", ROOT, ca=True, extensions=[(key_usage(sign_certificates=True), True)], private_key=own)
    silent = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
    other = issue("Trust CA", ROOT, ca=True, extensions=[(silent, True)], private_key=own)
    leaf = issue("Trust Leaf of two", lists, usages=[EKU_CODE_SIGNING])
    carried = [leaf, other, lists] if first else [leaf, lists, other]
    sha256 = DigestAlgorithm.SHA256
    certificates = tuple(one.certificate for one in carried)
    signature = Signature(0, "embedded", None, sha256, bytes(32), leaf.certificate, certificates, sha256)
    trust = Trust.test_signing([ROOT.certificate], crls=[crl(lists, leaf)])
    (paths,) = trust.paths_of(Evidence("sample.sys", "image", {}, "x64", signatures=(signature,)), NOW)
    assert len(paths.signer) == 2
    assert all("revoked" in {problem.code for problem in path.problems} for path in paths.signer)


def test_without_crls_nothing_is_revoked() -> None:
    (paths,) = Trust.test_signing([ROOT.certificate]).paths_of(evidence(), AFTER)
    assert [path.problems for path in paths.signer] == [()]


def test_the_release_roots_do_not_include_a_test_root() -> None:
    (paths,) = Trust.release().paths_of(evidence(), NOW)
    assert all(path.anchor is None for path in paths.signer)


def test_intermediates_complete_a_path_and_are_not_trusted() -> None:
    issuing = issue("Trust Issuing", ROOT, ca=True, may_sign=True)
    leaf = issue("Trust Customer", issuing, usages=[EKU_CODE_SIGNING])
    sha256 = DigestAlgorithm.SHA256
    signature = Signature(0, "embedded", None, sha256, bytes(32), leaf.certificate, (leaf.certificate,), sha256)
    found = Evidence("sample.sys", "image", {}, "x64", signatures=(signature,))

    def anchors(trust: Trust) -> list[str | None]:
        (paths,) = trust.paths_of(found, NOW)
        return [path.anchor.kind if path.anchor is not None else None for path in paths.signer]

    assert anchors(Trust.test_signing([ROOT.certificate], intermediates=[issuing.certificate])) == ["test"]
    assert anchors(Trust.test_signing([ROOT.certificate])) == [None]
    assert anchors(Trust.test_signing([], intermediates=[issuing.certificate])) == [None]


def test_a_signer_of_an_unknown_root_is_trusted_as_a_test_signer() -> None:
    trust = Trust.for_signer(LEAF.certificate, [ROOT.certificate])
    (paths,) = trust.paths_of(evidence(), NOW)
    assert trust.mode == "test-signing"
    assert [path.anchor.kind for path in paths.signer if path.anchor is not None] == ["test"]


def test_a_signer_of_a_public_root_is_trusted_as_a_release_signer() -> None:
    root = published_by_key()[PRODUCT_ROOT_2010].load()
    assert Trust.for_signer(root).mode == "release"


def test_a_production_root_is_no_test_root() -> None:
    root = published_by_key()[PRODUCT_ROOT_2010].load()
    with pytest.raises(UsageError, match="production root"):
        Trust.test_signing([root])


def test_only_with_test_roots_are_the_release_roots_asked_too() -> None:
    """They classify the signature, and public authorities timestamp most test-signed drivers."""
    (test,) = Trust.test_signing([ROOT.certificate]).paths_of(evidence(timestamp(BEFORE)), NOW)
    (release,) = Trust.release().paths_of(evidence(timestamp(BEFORE)), NOW)
    assert test.public == release.signer != ()
    assert release.public == ()
    assert test.timestamp[-len(release.timestamp) :] == release.timestamp
    assert len(test.timestamp) == 2 * len(release.timestamp)

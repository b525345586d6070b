"""Which roots a verification trusts, and the time at which CRLs apply."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_CODE_SIGNING, EKU_TIME_STAMPING
from signer.errors import UsageError
from signer.policy.trust import Trust
from signer.trust.published import published_roots
from signer.verify.evidence import Evidence, Signature, SignatureProblem, Timestamp
from tests.support.hierarchy import NOW, issue

PRODUCT_ROOT_2010 = "C9905B0EE01202293CA026E64F08412442C5504C06E44CA7E9726D61F20E4089"
ROOT = issue("Trust Root", ca=True, may_sign=True)
LEAF = issue("Trust Leaf", ROOT, usages=[EKU_CODE_SIGNING])
AUTHORITY = issue("Trust Timestamps", ROOT, usages=[EKU_TIME_STAMPING])
STRANGER = issue("Trust Stranger", usages=[EKU_TIME_STAMPING])
REVOKED = NOW - timedelta(days=10)


def revocation() -> x509.CertificateRevocationList:
    entry = x509.RevokedCertificateBuilder().serial_number(LEAF.certificate.serial_number).revocation_date(REVOKED)
    builder = x509.CertificateRevocationListBuilder().issuer_name(ROOT.subject).last_update(REVOKED)
    builder = builder.next_update(NOW + timedelta(days=30)).add_revoked_certificate(entry.build())
    return builder.sign(ROOT.private_key, hashes.SHA256())


def evidence(timestamp: Timestamp | None = None) -> Evidence:
    sha256 = DigestAlgorithm.SHA256
    signature = Signature(
        0, "embedded", None, sha256, bytes(32), LEAF.certificate, (LEAF.certificate,), sha256, timestamp=timestamp
    )
    return Evidence("sample.sys", "image", {}, "x64", signatures=(signature,))


def timestamp(time: datetime, by: x509.Certificate = AUTHORITY.certificate, *problems: SignatureProblem) -> Timestamp:
    return Timestamp("rfc3161", time, DigestAlgorithm.SHA256, by, (by,), problems)


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
    root = published_roots().by_key[PRODUCT_ROOT_2010].load()
    assert Trust.for_signer(root).mode == "release"


def test_a_production_root_is_no_test_root() -> None:
    root = published_roots().by_key[PRODUCT_ROOT_2010].load()
    with pytest.raises(UsageError, match="production root"):
        Trust.test_signing([root])

"""Which timestamps count, by the path of their authority."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_TIME_STAMPING
from signer.policy.timestamps import objection
from signer.trust.fields import fields_of, key_identity
from signer.trust.path import Anchor, AnchorKind, CertificatePath, PathProblem
from signer.trust.root_program import root_program_entry
from signer.verify.evidence import Signature, Timestamp
from tests.support.policy_builder import KeyKind, certificate, day
from tests.support.published import published_by_key

TIME = day("2020-01-01")
SIGNER = certificate("Signer", "CA")
AUTHORITY = certificate("Timestamps", "Root", usages=(EKU_TIME_STAMPING,))
ROOT = certificate("Root", ends="2019-01-01")


def root(one: x509.Certificate = ROOT, kind: AnchorKind = "test") -> Anchor:
    return Anchor("Root", kind, key_identity(fields_of(one).spki), certificate=one)


def reason(path: CertificatePath) -> str:
    """Return why a timestamp of the path's leaf does not count; nothing if it counts."""
    stamp = Timestamp("rfc3161", TIME, DigestAlgorithm.SHA256, path.leaf, (path.leaf,))
    sha256 = DigestAlgorithm.SHA256
    found = Signature(0, "embedded", None, sha256, bytes(32), SIGNER, (SIGNER,), sha256, timestamp=stamp)
    return objection(found, [path]) or ""


def test_a_root_may_have_expired() -> None:
    assert reason(CertificatePath((AUTHORITY, ROOT), root())) == ""


def test_a_ca_that_expired_does_not_count_as_the_root_of_its_name() -> None:
    other = root(certificate("Other Root"))
    assert "'Root' was not valid on 2020-01-01" in reason(CertificatePath((AUTHORITY, ROOT), other))


@pytest.mark.parametrize(("key", "counts"), [("rsa1024", True), ("rsa1023", False), ("p256", True)])
@pytest.mark.parametrize("place", ["authority", "CA"])
def test_a_short_key_anywhere_in_the_path_proves_nothing(place: str, key: KeyKind, counts: bool) -> None:
    """Windows has refused such keys since KB 2661254."""
    keys: dict[str, KeyKind] = {place: key}
    leaf = certificate("Timestamps", "CA", usages=(EKU_TIME_STAMPING,), key=keys.get("authority", "rsa2048"))
    issuer = certificate("CA", "Root", key=keys.get("CA", "rsa2048"))
    found = reason(CertificatePath((leaf, issuer), root()))
    assert (found == "") if counts else ("has only 1023 bits" in found)


@pytest.mark.parametrize(
    ("kind", "counts"), [("test", True), ("microsoft-test", True), ("microsoft", False), ("commercial", False)]
)
def test_md5_proves_nothing_below_a_published_root(kind: AnchorKind, counts: bool) -> None:
    problem = PathProblem("digest-md5", "'Timestamps' was issued with MD5", 0)
    path = CertificatePath((AUTHORITY, ROOT), root(kind=kind), (problem,))
    assert (reason(path) == "") == counts


def test_a_root_that_microsofts_program_has_for_other_usages_only() -> None:
    for published in published_by_key().values():
        entry = root_program_entry(published.load())
        if entry is not None and entry.usages is not None and EKU_TIME_STAMPING not in entry.usages:
            break
    path = CertificatePath((AUTHORITY,), replace(root(published.load(), "commercial"), name="Web Root"))
    assert "the root 'Web Root' is not in Microsoft's root program for the usage" in reason(path)

"""Microsoft's kernel-mode cross-certificates reach the Code Verification Root, which is known only by its key."""

from __future__ import annotations

import pytest

from signer.certificates import load_all, thumbprint
from signer.trust.chain import build_paths
from signer.trust.fields import fields_of, key_identity
from signer.trust.roots import cross_certificates
from signer.trust.store import TrustStore
from tests.support.files import corpus_files, corpus_id

FILES = corpus_files("cross-certificates/*.c*t", "cross-certificates/*.cer")


@pytest.mark.usefixtures("corpus")
def test_all_thirty_are_there() -> None:
    assert len(FILES) == 30


@pytest.mark.parametrize("path", FILES, ids=corpus_id)
def test_a_cross_certificate_reaches_the_code_verification_root(path) -> None:
    certificate = load_all(path.read_bytes())[0]
    best = build_paths(certificate, [], TrustStore.release())[0]
    assert best.anchor is not None
    assert (best.anchor.kind, best.anchor.root_id) == ("code-verification", 8)
    assert best.certificates == (certificate,)
    assert {problem.code for problem in best.problems} <= {"digest-sha1", "weak-key"}


@pytest.mark.parametrize("path", FILES, ids=corpus_id)
def test_the_table_matches_the_certificate(path) -> None:
    certificate = load_all(path.read_bytes())[0]
    row = cross_certificates()[thumbprint(certificate, "sha256")]
    assert row.sha1 == thumbprint(certificate)
    assert row.spki_sha256 == key_identity(fields_of(certificate).spki)
    assert (row.not_before, row.not_after) == (certificate.not_valid_before_utc, certificate.not_valid_after_utc)


@pytest.mark.parametrize("path", FILES, ids=corpus_id)
def test_test_signing_does_not_trust_it(path) -> None:
    certificate = load_all(path.read_bytes())[0]
    (only,) = build_paths(certificate, [], TrustStore.test_signing([]))
    assert only.anchor is None

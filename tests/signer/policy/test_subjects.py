"""Subjects of rules: candidate paths, their ends, and the algorithms along them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509

from signer.algorithms import DigestAlgorithm
from signer.asn1.oids import EKU_WHQL
from signer.pe.file_facts import FileFacts
from signer.policy.subjects import CertificatePaths, FileSubject, SignatureSubject
from signer.trust.path import CertificatePath, PathProblem
from tests.support.policy_builder import (
    Sign,
    anchor,
    by_microsoft,
    certificate,
    chain,
    commercial,
    cross_signed,
    driver,
    of_test_root,
    self_signed,
    unknown_issuer,
)

SHA1, SHA256 = DigestAlgorithm.SHA1, DigestAlgorithm.SHA256
NOT_A_CA = (PathProblem("not-a-ca", "it is not a CA", 1),)
WEAK = (PathProblem("digest-sha1", "it is signed over SHA-1", 1),)


def subject(sign: Sign) -> SignatureSubject:
    sample = driver(sign)
    return FileSubject.of(sample.evidence, sample.paths).signatures[0]


def leaf() -> x509.Certificate:
    return certificate("Contoso Ltd.", "Some CA")


def crossing(name: str) -> CertificatePath:
    """Build a path to the Code Verification Root through the cross-certificate of one commercial root."""
    return chain(leaf(), anchor("code-verification", 8), certificate(name, "Microsoft Code Verification Root"))


def to(kind: str, *between: str, problems: tuple[PathProblem, ...] = ()) -> CertificatePath:
    certificates = (certificate(name, "Some Root") for name in between)
    return chain(leaf(), anchor(kind), *certificates, problems=problems)  # type: ignore[arg-type]


NO_ROOT = chain(leaf(), None)


def ends(*paths: CertificatePath) -> list[CertificatePath | None]:
    return [candidate.path for candidate in subject(Sign(leaf(), paths)).candidates]


def test_each_cross_certificate_is_a_candidate() -> None:
    """Cross-certificates expire on different dates, so one may count when another does not."""
    first, second = crossing("Root A"), crossing("Root B")
    assert ends(first, second) == [first, second]


def test_the_shortest_path_to_each_anchor_is_a_candidate() -> None:
    long, short = to("commercial", "CA 1", "CA 2"), to("commercial", "CA 1")
    assert ends(long, short) == [short]


def test_a_longer_valid_path_is_preferred_to_an_invalid_one() -> None:
    broken, sound = to("commercial", "CA 1", problems=NOT_A_CA), to("commercial", "CA 1", "CA 2")
    assert ends(broken, sound) == [sound]


def test_a_weak_digest_does_not_make_a_path_invalid() -> None:
    weak, long = to("commercial", "CA 1", problems=WEAK), to("commercial", "CA 1", "CA 2")
    assert ends(long, weak) == [weak]


def test_a_path_without_a_root_is_a_candidate_only_without_others() -> None:
    assert ends(NO_ROOT, to("commercial")) == [to("commercial")]
    assert ends(NO_ROOT) == [NO_ROOT]
    assert ends() == [None]


def test_paths_to_two_anchors_are_two_candidates() -> None:
    microsoft, public = to("microsoft"), to("commercial")
    assert ends(microsoft, public) == [microsoft, public]


@pytest.mark.parametrize(
    ("sign", "incomplete"),
    [
        pytest.param(unknown_issuer(), True, id="a missing issuer"),
        pytest.param(self_signed(), False, id="self-signed"),
        pytest.param(Sign(None, ()), True, id="no path"),
    ],
)
def test_a_path_is_incomplete_without_its_last_issuer(sign: Sign, incomplete: bool) -> None:
    (candidate,) = subject(sign).candidates
    assert candidate.incomplete == incomplete


def test_the_cross_certificate_is_the_one_below_the_code_verification_root() -> None:
    (candidate,) = subject(cross_signed()).candidates
    assert candidate.cross_certificate == candidate.path.certificates[-1]
    root = certificate("Microsoft Code Verification Root")
    (path,) = cross_signed().paths
    carried = replace(path, certificates=(*path.certificates, root))
    (candidate,) = subject(replace(cross_signed(), paths=(carried,))).candidates
    assert candidate.cross_certificate == path.certificates[-1]
    for other in (commercial(), by_microsoft(), unknown_issuer()):
        assert subject(other).candidates[0].cross_certificate is None


def test_all_digests_below_the_root_must_be_supported() -> None:
    """The root's own signature is never verified."""
    root = certificate("Some Root", digest="sha1")
    path = chain(leaf(), anchor("commercial"), root)
    (candidate,) = subject(Sign(leaf(), (path,))).candidates
    assert candidate.digests == {SHA256}
    old = chain(leaf(), anchor("commercial"), certificate("Some CA", "Some Root", digest="sha1"), root)
    (candidate,) = subject(Sign(leaf(), (old,))).candidates
    assert candidate.digests == {SHA1, SHA256}
    (candidate,) = subject(Sign(None, (), algorithm=None)).candidates
    assert candidate.digests == frozenset()


@pytest.mark.parametrize(("key", "bits"), [("rsa2048", 2048), ("rsa8192", 8192), ("p256", None)])
def test_the_size_of_an_rsa_key_is_known(key: str, bits: int | None) -> None:
    (candidate,) = subject(of_test_root(named=True, key=key)).candidates  # type: ignore[arg-type]
    assert candidate.rsa_keys[0] == ("Contoso Test Signing", bits)


def test_the_release_root_of_a_signature_without_a_test_root_is_known() -> None:
    (candidate,) = subject(commercial().under_test_roots()).candidates
    assert candidate.release_root == "Some Root"
    (candidate,) = subject(commercial()).candidates
    assert candidate.release_root is None


def test_release_paths_classify_only_without_a_path_to_a_test_root() -> None:
    test, public, nowhere = to("test"), to("commercial"), NO_ROOT
    assert CertificatePaths((test,), public=(public,)).classification_paths == (test,)
    assert CertificatePaths((nowhere,), public=(public,)).classification_paths == (public,)
    assert CertificatePaths((nowhere,), public=(nowhere, nowhere)).classification_paths == (nowhere,)


def test_signatures_without_paths_get_none() -> None:
    sample = driver(commercial(), by_microsoft())
    whole = FileSubject.of(sample.evidence, sample.paths[:1])
    assert [one.paths for one in whole.signatures] == [sample.paths[0], CertificatePaths()]


def test_a_signature_of_an_unknown_signer_has_neither_usages_nor_lifetime() -> None:
    found = subject(Sign(None, ()))
    assert (found.usages, found.lifetime, found.tbs_hashes) == (None, None, frozenset())
    assert subject(commercial()).lifetime is not None


def test_app_control_compares_the_certificates_of_all_paths() -> None:
    found = subject(commercial().under_test_roots())
    hashes = {SHA256.hash(one.tbs_certificate_bytes) for path in commercial().paths for one in path.certificates}
    assert len(hashes) == 2
    assert found.tbs_hashes == hashes


def test_a_block_list_knows_a_file_by_every_digest_and_by_its_first_page() -> None:
    sample = driver(commercial())
    plain = FileSubject.of(sample.evidence, sample.paths)
    assert plain.file_hashes == frozenset(sample.evidence.digests.values())
    facts = FileFacts(first_page={SHA256: b"a first page"}, digests={SHA1: b"another digest"})
    known = FileSubject.of(sample.evidence, sample.paths, facts=facts)
    assert known.file_hashes == plain.file_hashes | {b"a first page", b"another digest"}


@pytest.mark.parametrize(
    ("sign", "label"),
    [
        pytest.param(commercial(), "'Contoso Ltd.' (embedded signature)", id="embedded"),
        pytest.param(commercial().nested(), "'Contoso Ltd.' (nested signature)", id="nested"),
        pytest.param(commercial().in_catalog("a.cat"), "'Contoso Ltd.' (catalog 'a.cat')", id="a catalog"),
        pytest.param(Sign(None, ()), "an unknown signer (embedded signature)", id="no certificate"),
        pytest.param(
            by_microsoft(EKU_WHQL).having(program_name="Contoso"),
            "'Microsoft Windows Hardware Compatibility Publisher' (submitted by 'Contoso', embedded signature)",
            id="the submitter of a portal signature",
        ),
    ],
)
def test_the_label_names_signer_submitter_and_source(sign: Sign, label: str) -> None:
    assert subject(sign).label == label


def namesake() -> Sign:
    """Return a signature whose chain ends at a namesake of a trusted root."""
    problem = PathProblem("root-untrusted", "its root has another key", 1, other_key=True)
    return Sign(leaf(), (chain(leaf(), None, certificate("Some CA", "Some Root"), problems=(problem,)),))


@pytest.mark.parametrize(
    ("sign", "end", "root"),
    [
        pytest.param(Sign(leaf(), ()), "has no certificate chain", "no root", id="no path"),
        pytest.param(commercial(), "ends at 'Some Root'", "'Some Root'", id="an anchor"),
        pytest.param(
            self_signed(),
            "ends at 'WDKTestCert somebody,133640507385332792'",
            "'WDKTestCert somebody,133640507385332792'",
            id="self-signed",
        ),
        pytest.param(
            of_test_root(named=False),
            "ends at 'Contoso Test CA': its issuer 'Contoso Test Root' is not among the trusted roots",
            "'Contoso Test CA'",
            id="a missing root",
        ),
        pytest.param(
            namesake(),
            "is signed under another test CA named 'Some Root': trust it with --root, or install it",
            "'Some CA'",
            id="a namesake",
        ),
    ],
)
def test_the_end_of_a_chain_is_named(sign: Sign, end: str, root: str) -> None:
    (candidate,) = subject(sign).candidates
    assert candidate.chain_end.endswith(end)
    assert candidate.root_name == root


def test_only_a_chain_without_an_anchor_is_under_a_namesake() -> None:
    (candidate,) = subject(namesake()).candidates
    assert candidate.under_namesake
    (path,) = namesake().paths
    (candidate,) = subject(Sign(leaf(), (replace(path, anchor=anchor("commercial")),))).candidates
    assert not candidate.under_namesake


def test_the_cross_certificate_is_named() -> None:
    assert subject(cross_signed()).candidates[0].cross_name == "'Some Root'"
    assert subject(commercial()).candidates[0].cross_name == "no certificate"

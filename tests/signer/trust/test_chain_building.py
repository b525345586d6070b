"""Path building: several paths, loops, any order of the pool, limits, and the order of preference."""

from __future__ import annotations

import itertools
import random
import time
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from signer.asn1.oids import EKU_TIME_STAMPING
from signer.trust import chain
from signer.trust.chain import build_paths
from signer.trust.signatures import Check
from signer.trust.store import TrustStore
from tests.support.hierarchy import NOW, YEAR, Entity, issue, key, rsa_key
from tests.support.published import published_by_key

WHQL = "1.3.6.1.4.1.311.10.3.5"


def certificates(*entities: Entity) -> tuple[x509.Certificate, ...]:
    return tuple(entity.certificate for entity in entities)


def test_path_runs_from_leaf_to_root() -> None:
    root = issue("Root", ca=True)
    (upper,) = [issue("Upper", root, ca=True)]
    lower = issue("Lower", upper, ca=True)
    leaf = issue("Leaf", lower)
    (path,) = build_paths(leaf.certificate, certificates(upper, lower), TrustStore.test_signing([root.certificate]))
    assert path.certificates == certificates(leaf, lower, upper, root)
    assert path.leaf == leaf.certificate


def test_order_and_repetition_of_the_pool_do_not_matter() -> None:
    """SET OF certificates has no order, and some tools write a certificate twice."""
    root, other_root = issue("Root", ca=True), issue("Other Root", ca=True)
    upper = issue("Upper", root, ca=True)
    crossed = issue("Upper", other_root, ca=True)
    lower = issue("Lower", upper, ca=True)
    leaf = issue("Leaf", lower)
    store = TrustStore.test_signing(certificates(root, other_root))
    pool = certificates(root, other_root, upper, crossed, lower, leaf)
    expected = {path.certificates for path in build_paths(leaf.certificate, pool, store)}
    assert len(expected) == 2
    for order in itertools.islice(itertools.permutations(pool), 0, None, 37):
        found = build_paths(leaf.certificate, order + order, store)
        assert len(found) == 2
        assert {path.certificates for path in found} == expected


def test_cross_certificate_gives_a_second_path() -> None:
    """A CA that is a root and was also certified by another root has two paths; the shorter comes first."""
    old = issue("Old Root", ca=True)
    new = issue("New Root", ca=True)
    cross = issue("New Root", old, ca=True)
    middle = issue("CA", new, ca=True)
    leaf = issue("Leaf", middle)
    store = TrustStore.test_signing(certificates(old, new))
    first, second = build_paths(leaf.certificate, certificates(cross, middle), store)
    assert first.certificates == certificates(leaf, middle, new)
    assert second.certificates == certificates(leaf, middle, cross, old)


def test_shorter_path_comes_first_whatever_the_order_of_the_pool() -> None:
    root = issue("Root", ca=True)
    bridge = issue("Bridge", root, ca=True)
    near, far = issue("CA", root, ca=True), issue("CA", bridge, ca=True)
    leaf = issue("Leaf", near)
    store = TrustStore.test_signing([root.certificate])
    for pool in (certificates(near, far, bridge), certificates(bridge, far, near)):
        assert [len(path.certificates) for path in build_paths(leaf.certificate, pool, store)] == [3, 4]


def test_cross_certificate_is_used_when_the_other_root_is_not_trusted() -> None:
    old, new = issue("Old Root", ca=True), issue("New Root", ca=True)
    cross = issue("New Root", old, ca=True)
    leaf = issue("Leaf", new)
    (path,) = build_paths(leaf.certificate, certificates(new, cross), TrustStore.test_signing([old.certificate]))
    assert path.certificates == certificates(leaf, cross, old)


def test_two_cas_that_certify_each_other_do_not_loop() -> None:
    one, two = issue("One", ca=True), issue("Two", ca=True)
    one_by_two, two_by_one = issue("One", two, ca=True), issue("Two", one, ca=True)
    leaf = issue("Leaf", one)
    pool = certificates(one_by_two, two_by_one)
    lost = build_paths(leaf.certificate, pool, TrustStore.test_signing([]))
    assert [len(path.certificates) for path in lost] == [3]
    root = issue("Root", ca=True)
    found = build_paths(
        leaf.certificate, [*pool, issue("Two", root, ca=True).certificate], TrustStore.test_signing([root.certificate])
    )
    assert found[0].anchor is not None
    assert len(found[0].certificates) == 4


def test_root_that_was_renewed_with_the_same_key_is_the_same_root() -> None:
    root = issue("Root", ca=True, end=NOW)
    renewed = issue("Root", ca=True, end=NOW + YEAR)
    leaf = issue("Leaf", root)
    paths = build_paths(leaf.certificate, certificates(renewed), TrustStore.test_signing([root.certificate]))
    assert paths[0].anchor is not None
    assert paths[0].anchor.certificate == root.certificate


def test_renewed_root_may_be_the_leaf_itself() -> None:
    root = issue("Root", ca=True, end=NOW)
    renewed = issue("Root", ca=True, end=NOW + YEAR).certificate
    (path,) = build_paths(renewed, [], TrustStore.test_signing([root.certificate]))
    assert path.anchor is not None
    assert path.certificates == (renewed,)


def test_intermediate_may_be_the_anchor() -> None:
    """A CA that is given as a test root is trusted by its key; its own issuer does not matter."""
    middle = issue("CA", issue("Root", ca=True), ca=True)
    leaf = issue("Leaf", middle)
    (path,) = build_paths(leaf.certificate, [], TrustStore.test_signing([middle.certificate]))
    assert path.certificates == certificates(leaf, middle)
    assert path.anchor is not None


def test_other_certificate_with_the_key_of_an_anchor_needs_a_signature() -> None:
    """A certificate with a trusted key, another name and another signer is not a root."""
    root = issue("Root", ca=True)
    fake = issue("Fake", issue("Forger", ca=True), private_key=root.private_key)
    (path,) = build_paths(fake.certificate, [], TrustStore.test_signing([root.certificate]))
    assert path.anchor is None


def test_missing_intermediate_is_completed_from_the_store() -> None:
    root = issue("Root", ca=True)
    middle = issue("CA", root, ca=True)
    leaf = issue("Leaf", middle)
    store = TrustStore.test_signing([root.certificate])
    assert build_paths(leaf.certificate, [], store)[0].anchor is None
    completed = store.with_intermediates([middle.certificate]).with_intermediates([])
    assert build_paths(leaf.certificate, [], completed)[0].certificates == certificates(leaf, middle, root)


def test_path_that_breaks_no_rule_comes_first() -> None:
    """The shorter path breaks a rule; the longer one does not."""
    root = issue("Root", ca=True)
    broken = issue("CA", root, ca=False)
    bridge = issue("Bridge", root, ca=True)
    good = issue("CA", bridge, ca=True)
    leaf = issue("Leaf", good)
    store = TrustStore.test_signing([root.certificate])
    first, second = build_paths(leaf.certificate, certificates(broken, good, bridge), store)
    assert first.certificates == certificates(leaf, good, bridge, root)
    assert {problem.code for problem in second.problems} == {"not-a-ca"}


def test_path_with_fewer_weak_algorithms_comes_first() -> None:
    root = issue("RSA Root", ca=True, private_key=rsa_key("root"))
    weak, strong = issue("CA", root, ca=True, digest="sha1"), issue("CA", root, ca=True)
    leaf = issue("Leaf", strong)
    store = TrustStore.test_signing([root.certificate])
    for pool in (certificates(weak, strong), certificates(strong, weak)):
        first, second = build_paths(leaf.certificate, pool, store)
        assert first.certificates[1] == strong.certificate
        assert {problem.code for problem in second.problems} == {"digest-sha1"}


def test_path_that_was_valid_at_the_time_comes_first() -> None:
    root = issue("Root", ca=True, start=NOW - 5 * YEAR)
    expired = issue("CA", root, ca=True, start=NOW - 3 * YEAR, end=NOW - 2 * YEAR)
    current = issue("CA", root, ca=True)
    leaf = issue("Leaf", current, start=NOW - 3 * YEAR)
    store = TrustStore.test_signing([root.certificate])
    for time_, expected in ((NOW, current), (NOW - 2.5 * YEAR, expired)):
        for pool in (certificates(expired, current), certificates(current, expired)):
            first = build_paths(leaf.certificate, pool, store, at=time_)[0]
            assert first.certificates[1] == expected.certificate


def test_expired_certificates_are_not_a_problem_of_the_path() -> None:
    """Code Integrity and TLS treat time differently, so policies evaluate it."""
    long_ago = {"start": NOW - 20 * YEAR, "end": NOW - 10 * YEAR}
    root = issue("Root", ca=True, **long_ago)
    leaf = issue("Leaf", root, **long_ago)
    (path,) = build_paths(leaf.certificate, [], TrustStore.test_signing([root.certificate]), at=NOW)
    assert path.anchor is not None
    assert path.problems == ()


def test_usage_can_be_time_stamping() -> None:
    root = issue("Root", ca=True)
    authority = issue("TSA CA", root, ca=True, usages=[EKU_TIME_STAMPING])
    leaf = issue("TSA", authority, usages=[EKU_TIME_STAMPING])
    store, pool = TrustStore.test_signing([root.certificate]), certificates(authority)
    assert build_paths(leaf.certificate, pool, store, usage=EKU_TIME_STAMPING)[0].problems == ()
    assert [p.code for p in build_paths(leaf.certificate, pool, store)[0].problems] == ["eku-nesting"]


def test_search_in_a_mesh_of_cas_is_limited() -> None:
    """Every CA certifies every other: the number of paths is factorial, and the search stops at its limit."""
    cas = [issue(f"CA {number}", ca=True) for number in range(12)]
    mesh = [issue(below.subject, above, ca=True) for below in cas for above in cas if below is not above]
    leaf = issue("Leaf", cas[0])
    pool = list(certificates(*mesh))
    random.Random(1).shuffle(pool)
    start = time.process_time()
    paths = build_paths(leaf.certificate, pool, TrustStore.test_signing([]))
    assert time.process_time() - start < 20
    assert all(path.anchor is None for path in paths)
    assert len(paths) <= chain.MAX_PATHS
    assert "search-limit" in {problem.code for path in paths for problem in path.problems}


def test_search_among_cas_of_one_name_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five hundred CAs have the right name and the wrong key; the search stops at MAX_CHECKS."""
    leaf = issue("Leaf", issue("CA", ca=True))
    crowd = [issue("CA", ca=True, private_key=key(f"crowd {number}")) for number in range(500)]
    checked = []
    monkeypatch.setattr(chain, "_checked", lambda *signature: checked.append(signature) or Check.BAD)
    paths = build_paths(leaf.certificate, certificates(*crowd), TrustStore.test_signing([]))
    assert len(checked) == chain.MAX_CHECKS
    assert {problem.code for problem in paths[0].problems} == {"search-limit"}


@pytest.mark.parametrize(("steps", "found"), [(3, True), (2, False)], ids=["exactly-enough", "one-too-few"])
def test_search_may_take_as_many_steps_as_are_allowed(monkeypatch: pytest.MonkeyPatch, steps: int, found: bool) -> None:
    """A leaf below two CAs takes three steps; the root is known and takes none."""
    root = issue("Root", ca=True)
    first = issue("First CA", root, ca=True)
    second = issue("Second CA", first, ca=True)
    leaf = issue("Leaf", second)
    monkeypatch.setattr(chain, "MAX_STEPS", steps)
    (path,) = build_paths(leaf.certificate, certificates(first, second), TrustStore.test_signing([root.certificate]))
    assert (path.anchor is not None, "search-limit" in {one.code for one in path.problems}) == (found, not found)


def test_root_is_found_among_fifty_cas_of_one_name() -> None:
    root = issue("CA", ca=True)
    leaf = issue("Leaf", root)
    crowd = [issue("CA", ca=True, private_key=key(f"crowd {number}")) for number in range(50)]
    assert build_paths(leaf.certificate, certificates(*crowd), TrustStore.test_signing([root.certificate]))[0].anchor


def test_release_names_the_test_root_that_it_does_not_trust() -> None:
    root = issue("My Test Root", ca=True)
    leaf = issue("Leaf", root)
    (path,) = build_paths(leaf.certificate, certificates(root), TrustStore.release())
    assert path.anchor is None
    assert path.problems[0].message == "'My Test Root' is self-signed and not a trusted root for release"


def test_test_signing_names_the_production_root_that_it_does_not_trust() -> None:
    root = published_by_key()["C9905B0EE01202293CA026E64F08412442C5504C06E44CA7E9726D61F20E4089"].load()
    (path,) = build_paths(root, [], TrustStore.test_signing([]))
    assert path.anchor is None
    assert "Microsoft Product Root 2010, which is not trusted for test-signing" in path.problems[0].message


def test_published_root_in_the_pool_is_reported_once() -> None:
    """The pool contains a published root that did not sign the leaf."""
    root = published_by_key()["C9905B0EE01202293CA026E64F08412442C5504C06E44CA7E9726D61F20E4089"].load()
    forged = issue("Leaf", issue("Forger", ca=True), issuer_name=root.subject).certificate
    for store in (TrustStore.test_signing([]), TrustStore.release()):
        (path,) = build_paths(forged, [root, root], store)
        assert path.anchor is None
        assert [problem.code for problem in path.problems] == ["bad-signature"]


def test_the_time_never_removes_a_path() -> None:
    """The validity period only orders paths: the only path is returned for a time outside it as well."""
    root = issue("Root", ca=True)
    leaf = issue("Leaf", root)
    early = leaf.certificate.not_valid_before_utc - timedelta(days=1)
    assert build_paths(leaf.certificate, [], TrustStore.test_signing([root.certificate]), at=early)[0].anchor


def test_the_paths_of_equal_pools_are_built_once() -> None:
    """The files of a package carry the same certificates, each in an object of its own."""
    root = issue("Root", ca=True)
    middle = issue("CA", root, ca=True)
    leaf, store = issue("Leaf", middle).certificate, TrustStore.test_signing([root.certificate])
    again = x509.load_der_x509_certificate(middle.certificate.public_bytes(Encoding.DER))
    found = build_paths(leaf, [middle.certificate], store)
    assert build_paths(leaf, [again], store) is found
    assert build_paths(leaf, [], store) is not found
    assert chain._Pool([again]) == chain._Pool([middle.certificate])
    assert chain._Pool([again]) != chain._Pool([])

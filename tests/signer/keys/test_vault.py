"""Vault transit: results and errors that only this backend has (see test_conformance for the common ones)."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from signer.algorithms import DigestAlgorithm
from signer.errors import IdentityError, KeyCertificateMismatch, KeyNotFound, UsageError, WrongSecret
from signer.keys.open import open_identity
from tests.support.backends.backend import DIGEST, ROOT, SECRET, SHA256
from tests.support.backends.vault import Vault
from tests.support.identities import certificate


@pytest.fixture
def vault(start):
    return start(Vault)


def key(uri: str, token: str | None = SECRET):
    return open_identity(uri=uri, secret=lambda _: token).key


def test_throttled_requests_are_retried(vault, waits):
    opened = key(vault.uri("p256"))
    vault.throttled = 4
    assert opened.sign(DIGEST, SHA256)
    assert [wait for wait in waits if wait] == [1, 2, 4], "the server's Retry-After of an hour is ignored"


def test_retries_end_after_a_limit(vault, waits):
    opened = key(vault.uri("p256"))
    vault.throttled, before = 1000, len(vault.server.requests)
    with pytest.raises(IdentityError, match="also after 6 attempts"):
        opened.sign(DIGEST, SHA256)
    assert len(vault.server.requests) - before == 6
    assert sum(waits) < 20


def test_the_token_comes_from_vault_s_file_or_environment(vault, monkeypatch):
    no_prompt = lambda _: pytest.fail("prompted")  # noqa: E731
    (vault.folder / ".vault-token").write_text(SECRET)
    assert open_identity(uri=vault.uri("p256"), secret=no_prompt).key.sign(DIGEST, SHA256)
    monkeypatch.setenv("VAULT_TOKEN", "hvs.wrong")
    with pytest.raises(WrongSecret, match=r"rejected the token .*invalid token"):
        open_identity(uri=vault.uri("p256"), secret=no_prompt)


def test_address_and_namespace_can_be_in_the_uri(vault, monkeypatch):
    monkeypatch.delenv("VAULT_ADDR")
    assert key(f"{vault.uri('p256')}&addr={vault.server.url}&namespace=drivers").sign(DIGEST, SHA256)
    assert {request.headers["x-vault-namespace"] for request in vault.server.requests} == {"drivers"}


def test_the_version_in_the_uri_signs(vault, tmp_path):
    with pytest.raises(KeyCertificateMismatch):
        key(f"{vault.uri('p256')}&version=1")
    old = tmp_path / "old.cer"
    old.write_bytes(certificate("Before the rotation", "p256", ROOT).public_bytes(Encoding.DER))
    assert key(f"vault:signing/p256?version=1&cert={old}").sign(DIGEST, SHA256)
    assert vault.server.requests[-1].json["key_version"] == 1
    with pytest.raises(KeyNotFound, match="no version '3'; its versions: 1, 2"):
        key(f"{vault.uri('p256')}&version=3")


def test_unsupported_keys_digests_and_options_are_refused(vault):
    with pytest.raises(IdentityError, match="has the type aes256-gcm96"):
        key("vault:signing/aes")
    with pytest.raises(IdentityError, match="can't sign sha1"):
        key(vault.uri("p256")).sign(bytes(20), DigestAlgorithm.SHA1)
    with pytest.raises(UsageError, match="unknown option 'adr'"):
        key("vault:signing/p256?adr=x")
    with pytest.raises(WrongSecret, match="none was given"):
        key(vault.uri("p256"), token=None)


def test_a_malformed_signature_is_refused(vault):
    vault.garbled = True
    with pytest.raises(IdentityError, match="gave no valid answer"):
        key(vault.uri("p256")).sign(DIGEST, SHA256)


def test_an_invalid_address_is_an_identity_error(vault):
    for address in ("nothing", "http://[", "http://127.0.0.1:1"):
        with pytest.raises(IdentityError, match="gave no valid answer"):
            key(f"vault:signing/p256?addr={address}")


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "hvac", None)
    with pytest.raises(IdentityError) as raised:
        key("vault:signing/p256")
    assert "pip install 'drvsign[vault]'" in (raised.value.hint or "")

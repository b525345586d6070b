"""Azure Key Vault: results and errors that only this backend has (see test_conformance for the common ones)."""

from __future__ import annotations

import pytest

from signer.algorithms import DigestAlgorithm
from signer.errors import IdentityError, KeyNotFound, UsageError, WrongSecret
from signer.keys import azure
from tests.support.backends.azure import VERSION, Azure
from tests.support.backends.backend import DIGEST, SHA256
from tests.support.backends.backend import key_without_prompt as key


@pytest.fixture
def vault(start):
    return start(Azure)


def test_throttled_requests_are_retried(vault, waits):
    opened = key(vault.uri("p256"))
    vault.throttled = 4
    assert opened.sign(DIGEST, SHA256)
    assert vault.signed == 5
    assert waits == sorted(waits) and waits[-1] > 1


def test_retries_end_after_a_limit(vault, waits):
    opened = key(vault.uri("p256"))
    vault.throttled = 1000
    with pytest.raises(IdentityError, match="also after 6 attempts"):
        opened.sign(DIGEST, SHA256)
    assert vault.signed == 6
    assert sum(waits) < 60


def test_a_version_and_a_url_name_the_key(vault):
    cert = vault.certificate_file("p256")
    for name in (
        f"{vault.host}/p256/{VERSION}",
        f"https://{vault.host}/keys/p256/{VERSION}",
        f"https://{vault.host}/keys/p256",
    ):
        assert key(f"azure-kv:{name}?cert={cert}").sign(DIGEST, SHA256)
    with pytest.raises(KeyNotFound):
        key(f"azure-kv:{vault.host}/p256/ffff?cert={cert}")


def test_a_missing_permission_is_not_a_wrong_secret(vault):
    opened = key(vault.uri("p256"))
    vault.forbidden = True
    with pytest.raises(IdentityError, match="the credentials do not allow the use") as raised:
        opened.sign(DIGEST, SHA256)
    assert not isinstance(raised.value, WrongSecret)


def test_unsupported_keys_and_digests_are_refused(vault):
    with pytest.raises(IdentityError, match="does not allow the operation sign"):
        key(f"azure-kv:{vault.host}/no-sign?cert={vault.certificate_file('rsa2048')}")
    for kind, algorithm in (("p256", DigestAlgorithm.SHA384), ("p384", SHA256), ("rsa2048", DigestAlgorithm.SHA1)):
        with pytest.raises(IdentityError, match=f"can't sign {algorithm} digests"):
            key(vault.uri(kind)).sign(algorithm.hash(b"x"), algorithm)
    assert vault.signed == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("contoso/release", ("https://contoso.vault.azure.net", "release", None)),
        ("contoso.vault.azure.cn/release/1", ("https://contoso.vault.azure.cn", "release", "1")),
        ("https://c.managedhsm.azure.net/keys/release/1", ("https://c.managedhsm.azure.net", "release", "1")),
    ],
)
def test_names_of_keys(text, expected):
    assert azure._names(text) == expected


@pytest.mark.parametrize("text", ["contoso", "contoso/", "/release", "contoso/release/1/2", "https://contoso"])
def test_an_invalid_key_name_is_a_usage_error(text):
    with pytest.raises(UsageError, match="not the name of a key in Azure Key Vault"):
        key(f"azure-kv:{text}")


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "azure.keyvault.keys", None)
    with pytest.raises(IdentityError) as raised:
        key("azure-kv:contoso/release")
    assert "pip install 'drvsign[azure]'" in (raised.value.hint or "")

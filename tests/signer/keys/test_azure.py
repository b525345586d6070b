"""Azure Key Vault: what its answers become, besides what every backend does (test_conformance)."""

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


def test_throttling_is_waited_out(vault, waits):
    opened = key(vault.uri("p256"))
    vault.throttled = 4
    assert opened.sign(DIGEST, SHA256)
    assert vault.signed == 5
    assert waits == sorted(waits) and waits[-1] > 1


def test_throttling_without_end_is_given_up(vault, waits):
    opened = key(vault.uri("p256"))
    vault.throttled = 1000
    with pytest.raises(IdentityError, match="still did after 6 tries"):
        opened.sign(DIGEST, SHA256)
    assert vault.signed == 6
    assert sum(waits) < 60


def test_a_version_and_a_whole_identifier_name_the_key(vault):
    cert = vault.certificate_file("p256")
    for name in (
        f"{vault.host}/p256/{VERSION}",
        f"https://{vault.host}/keys/p256/{VERSION}",
        f"https://{vault.host}/keys/p256",
    ):
        assert key(f"azure-kv:{name}?cert={cert}").sign(DIGEST, SHA256)
    with pytest.raises(KeyNotFound):
        key(f"azure-kv:{vault.host}/p256/ffff?cert={cert}")


def test_what_a_role_forbids_is_not_a_wrong_secret(vault):
    opened = key(vault.uri("p256"))
    vault.forbidden = True
    with pytest.raises(IdentityError, match="is not for these credentials") as raised:
        opened.sign(DIGEST, SHA256)
    assert not isinstance(raised.value, WrongSecret)


def test_what_can_t_sign_is_named(vault):
    with pytest.raises(IdentityError, match="may not sign"):
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
def test_what_names_no_key_is_a_usage_error(text):
    with pytest.raises(UsageError, match="no key in Azure Key Vault"):
        key(f"azure-kv:{text}")


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "azure.keyvault.keys", None)
    with pytest.raises(IdentityError) as raised:
        key("azure-kv:contoso/release")
    assert "pip install 'drvsign[azure]'" in (raised.value.hint or "")

"""An unexpected answer of a key service, such as a proxy's page, other JSON or an empty body, is an error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer.errors import IdentityError
from signer.keys.open import open_identity
from tests.support.backends.aws import Aws
from tests.support.backends.azure import Azure
from tests.support.backends.backend import SECRET
from tests.support.backends.gcp import Gcp
from tests.support.backends.vault import Vault

SERVICES = {"aws-kms": Aws, "azure-kv": Azure, "gcp-kms": Gcp, "vault": Vault}
BODIES = {
    "html": b"<html><body>Please log in to this network.</body></html>",
    "empty body": b"",
    "binary": b"\xff\xfe\x00\x80",
    "a list": [1, 2],
    "null": None,
    "an empty object": {},
    "nulls": dict.fromkeys(("data", "key", "pem", "algorithm", "KeyUsage", "PublicKey")),
    "other types": {
        "data": [],
        "key": 7,
        "pem": {},
        "algorithm": "NEW_ONE",
        "KeyUsage": "SIGN_VERIFY",
        "PublicKey": "?",
    },
    "fields of other types": {"data": {"keys": [], "latest_version": 1}, "key": {"kty": "RSA", "n": 1}},
    "an invalid key": {
        "data": {"keys": {"1": {"public_key": "x"}}, "latest_version": 1},
        "key": {"kty": "RSA", "n": "AA", "e": "AA", "key_ops": ["sign"], "kid": "https://a/keys/b/c"},
        "pem": "-----BEGIN PUBLIC KEY-----",
        "algorithm": "EC_SIGN_P256_SHA256",
        "KeyUsage": "SIGN_VERIFY",
        "PublicKey": "AAAA",
    },
}


@pytest.fixture(params=list(SERVICES))
def service(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator:
    backend = SERVICES[request.param](tmp_path / "service", monkeypatch)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    yield backend
    backend.close()


def test_an_unexpected_answer_is_an_identity_error(service):
    for case, body in BODIES.items():
        service.answer_with(body)
        with pytest.raises(IdentityError) as raised:
            open_identity(uri=service.uri("p256"), secret=lambda _: SECRET)
        assert "\n" not in raised.value.message, case

"""`drvsign keys list`."""

from __future__ import annotations

import pytest

from tests.support.program import drvsign


def test_no_token_is_said_in_words_and_not_by_an_empty_table(work: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer.keys.listing.list_keys", lambda uri, secret: [])
    ran = drvsign("keys", "list", "pkcs11:?module-path=x.so")
    assert (ran.code, ran.stdout, ran.stderr) == (0, "", "No token matches the URI.\n")

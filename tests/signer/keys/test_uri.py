"""Key URIs: every text is either a valid URI or a UsageError."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from signer.errors import SignerError, UsageError
from signer.keys.command import open_key
from signer.keys.open import SCHEMES, open_identity
from signer.keys.pkcs11_uri import Pkcs11Uri
from signer.keys.uri import KeyUri
from tests.support.files import ROOT

PIECES = st.sampled_from(
    [
        "pkcs11:",
        "exec:",
        ";",
        "?",
        "&",
        "=",
        "%",
        "%00",
        "%ff",
        "%3F",
        "token",
        "object",
        "id",
        "slot-id",
        "cert",
        "timeout",
        "pin-source",
        "file:",
        "x",
        "'",
        '"',
        "\\",
        "1",
        "/",
        "99",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join)


@given(TEXTS)
@example("id=%00%01;slot-id=99999999999999999999")
@example(f"slot-id={'9' * 5000}")
def test_any_text_is_a_pkcs11_uri_or_a_usage_error(text: str) -> None:
    try:
        found = Pkcs11Uri.parse(f"pkcs11:{text}")
    except UsageError as error:
        assert error.message
    else:
        assert found.id is None or isinstance(found.id, bytes)


@given(TEXTS)
def test_any_text_after_exec_is_an_error_without_a_certificate(text: str) -> None:
    try:
        open_key(KeyUri.parse(f"exec:{text}"), (), lambda _: None)
    except SignerError as error:
        assert error.message
    else:
        pytest.fail("a key without a certificate was opened")


def test_options_are_decoded() -> None:
    found = KeyUri.parse("AWS-KMS:alias/a%3Fb?region=x&cert=my%20c%26.cer")
    assert (found.scheme, found.name) == ("aws-kms", "alias/a?b")
    assert found.options == {"region": "x", "cert": "my c&.cer"}


@pytest.mark.parametrize("uri", ["pfx:%00", "file:k%00?cert=c", "file:k?cert=%00", "exec:sign?cert=%00", "vault:a\0b"])
def test_a_nul_character_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match="NUL"):
        open_identity(uri=uri, secret=lambda _: None)


def test_every_scheme_is_on_the_page_and_none_besides() -> None:
    page = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
    assert set(SCHEMES) == set(re.findall(r"^\| `([a-z0-9-]+):", page, re.MULTILINE))


@pytest.mark.parametrize(
    "uri", ["exe:touch made", "execs:touch made", "touch made", "command:touch made", ":touch made", ""]
)
def test_an_unknown_scheme_never_runs_a_command(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only exec: may run one; the refusal lists the schemes that there are."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a command ran"))
    with pytest.raises(UsageError, match="unknown scheme") as caught:
        open_identity(uri=uri, secret=lambda _: None)
    assert all(f"{scheme}:" in (caught.value.hint or "") for scheme in SCHEMES)

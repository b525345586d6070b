"""A SoftHSM token."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from tests.backends.backend import SECRET, Backend, key_of, name_of
from tests.tokens import PIN, softhsm_in


class Token(Backend):
    """`pkcs11:`"""

    says_wrong_secret = "the PIN of the token 'Release' is wrong; it was tried once"
    says_missing = "has no private key that fits the URI"

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        self.monkeypatch = monkeypatch
        self.hsm = softhsm_in(folder / "hsm", monkeypatch)
        self.hsm.add_token("Release")
        for number, kind in enumerate(self.kinds, 1):
            self.hsm.add_key("Release", name_of(kind), f"0{number}", key_of(kind))
        monkeypatch.setenv("TEST_SECRET", PIN)
        assert PIN == SECRET

    def key_uri(self, kind: str, cert: Path) -> str:
        return self.hsm.uri(f"token=Release;object={quote(name_of(kind))}", f"cert={quote(str(cert))}")

    def missing_uri(self) -> str:
        return self.hsm.uri("token=Release;object=Nobody", f"cert={quote(str(self.certificate_file('p256')))}")

    def take_wrong_secret(self) -> None:
        self.monkeypatch.setenv("TEST_SECRET", "0000")

    def go(self) -> None:
        self.hsm.remove("Release")

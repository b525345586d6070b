"""A SoftHSM token."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.backends.backend import SECRET, Backend, key_of, name_of
from tests.support.tokens import PIN, SoftHsm, softhsm_in


class Token(Backend):
    """`pkcs11:`"""

    wrong_secret_message = "the PIN of the token 'Release' is wrong; it was tried once"
    missing_key_message = "has no private key that matches the URI"

    _filled: SoftHsm | None = None
    """Create a token once per process, in the folder of the first test; each test gets a copy."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        self.monkeypatch = monkeypatch
        if Token._filled is None:
            Token._filled = self._fill(softhsm_in(folder / "filled", monkeypatch))
        self.hsm = Token._filled.copy(folder / "hsm", monkeypatch)
        monkeypatch.setenv("TEST_SECRET", PIN)
        assert PIN == SECRET

    def _fill(self, hsm: SoftHsm) -> SoftHsm:
        hsm.add_token("Release")
        for number, kind in enumerate(self.kinds, 1):
            hsm.add_key("Release", name_of(kind), f"0{number}", key_of(kind))
        return hsm

    def key_uri(self, kind: str, cert: Path) -> str:
        return self.hsm.uri(f"token=Release;object={quote(name_of(kind))}", f"cert={quote(str(cert))}")

    def missing_uri(self) -> str:
        return self.hsm.uri("token=Release;object=Nobody", f"cert={quote(str(self.certificate_file('p256')))}")

    def take_wrong_secret(self) -> None:
        self.monkeypatch.setenv("TEST_SECRET", "0000")

    def go(self) -> None:
        self.hsm.remove("Release")

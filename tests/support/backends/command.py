"""A command that signs with a key file and requires a PIN in its environment."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.support.backends.backend import SECRET, Backend, key_of

_SCRIPT = f"""
import os, sys
from pathlib import Path
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

assert os.environ["DRVSIGN_ALGORITHM"] == sys.argv[2]
if os.environ.get("SIGNING_PIN") != {SECRET!r}:
    sys.exit("connecting\\nthe PIN is wrong")
if not Path(sys.argv[1]).exists():
    sys.exit(f"there is no key {{sys.argv[1]}}")
key = serialization.load_pem_private_key(Path(sys.argv[1]).read_bytes(), None)
hashed = utils.Prehashed(getattr(hashes, os.environ["DRVSIGN_ALGORITHM"].upper())())
digest = sys.stdin.buffer.read()
ecdsa = isinstance(key, ec.EllipticCurvePrivateKey)
arguments = (ec.ECDSA(hashed),) if ecdsa else (padding.PKCS1v15(), hashed)
sys.stdout.buffer.write(key.sign(digest, *arguments))
"""


class Command(Backend):
    """`exec:`"""

    knows_its_key = False
    wrong_secret_message = "failed with exit code 1: the PIN is wrong"
    missing_key_message = "failed with exit code 1: there is no key"

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        self.monkeypatch = monkeypatch
        self.script = folder / "sign it.py"
        self.script.write_text(_SCRIPT)
        monkeypatch.setenv("SIGNING_PIN", SECRET)
        for kind in self.kinds:
            pem = key_of(kind).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (folder / f"{kind}.key").write_bytes(pem)

    def command(self, key: str) -> str:
        return quote(f"'{sys.executable}' '{self.script}' '{self.folder / key}' {{algorithm}}")

    def key_uri(self, kind: str, cert: Path) -> str:
        return f"exec:{self.command(f'{kind}.key')}?cert={quote(str(cert))}&timeout=60"

    def missing_uri(self) -> str:
        return f"exec:{self.command('missing.key')}?cert={quote(str(self.certificate_file('p256')))}"

    def take_wrong_secret(self) -> None:
        self.monkeypatch.setenv("SIGNING_PIN", "0000")

    def go(self) -> None:
        self.script.write_text("raise SystemExit('gone')")

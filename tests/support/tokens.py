"""PKCS #11 tokens for tests: SoftHSM 2 in a separate folder."""

from __future__ import annotations

import gc
import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from signer.keys.local import PrivateKey

PIN = "4711-right"
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


@dataclass(frozen=True)
class SoftHsm:
    """Tokens in a folder, accessed through the PKCS #11 library in this process."""

    folder: Path
    module: str

    def add_token(self, label: str) -> None:
        """Create a token with the PIN `PIN`."""
        before = set(self.folder.iterdir())
        run("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", "so-" + PIN)
        (self.folder.parent / f"{label}.where").write_text((set(self.folder.iterdir()) - before).pop().name)
        self.reload()

    def add_key(self, token: str, name: str, identifier: str, key: PrivateKey) -> None:
        """Create a private key and its public key."""
        path = self.folder.parent / "import.pem"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        run(
            *("softhsm2-util", "--import", path, "--token", token, "--pin", PIN),
            *("--label", name, "--id", identifier),
        )
        self.reload()

    def add_objects(self, token: str, *objects: dict[object, object]) -> None:
        """Create PKCS #11 objects from attributes."""
        with self.library().get_token(token_label=token).open(rw=True, user_pin=PIN) as session:
            for attributes in objects:
                session.create_object(attributes)

    def add_certificate(self, token: str, identifier: bytes, certificate: x509.Certificate) -> None:
        """Create a certificate object."""
        from pkcs11 import Attribute, ObjectClass
        from pkcs11.util.x509 import decode_x509_certificate

        made = decode_x509_certificate(certificate.public_bytes(Encoding.DER))
        self.add_objects(
            token, {**made, Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.TOKEN: True, Attribute.ID: identifier}
        )

    def library(self):
        """Return the PKCS #11 library."""
        import pkcs11

        return pkcs11.lib(self.module)

    def reload(self) -> None:
        """Make the library rescan the tokens. Open keys are closed first."""
        gc.collect()
        self.library().reinitialize()

    def remove(self, token: str) -> None:
        """Remove the token."""
        shutil.rmtree(self.folder / (self.folder.parent / f"{token}.where").read_text())

    def copy(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> SoftHsm:
        """Copy the tokens to another folder, and make the library use it."""
        shutil.copytree(self.folder.parent, folder)
        return _in_use(folder, self.module, monkeypatch)

    def uri(self, path: str, query: str = "") -> str:
        """Return a URI that contains the module path."""
        return f"pkcs11:{path}?module-path={quote(self.module)}{'&' if query else ''}{query}"


def run(*command: object) -> None:
    """Run a program that must succeed."""
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def softhsm_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> SoftHsm:
    """Return an empty token store. Skip the test if SoftHSM or python-pkcs11 is not installed."""
    module = next((path for path in _MODULES if Path(path).exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM 2 is not installed (Debian package softhsm2)")
    if importlib.util.find_spec("pkcs11") is None:
        pytest.skip("python-pkcs11 is not installed (drvsign[pkcs11])")
    (folder / "tokens").mkdir(parents=True)
    _leave_out_earlier_tests()
    return _in_use(folder, module, monkeypatch)


@cache
def _leave_out_earlier_tests() -> None:
    """Exclude what this process holds before its first token from `reload`, which else takes 0.2 s each time."""
    gc.collect()
    gc.freeze()


def _in_use(folder: Path, module: str, monkeypatch: pytest.MonkeyPatch) -> SoftHsm:
    config, tokens = folder / "softhsm2.conf", folder / "tokens"
    config.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(config))
    made = SoftHsm(tokens, module)
    made.reload()
    return made

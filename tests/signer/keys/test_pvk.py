"""Keys in Microsoft's PVK format: those that OpenSSL writes, and damaged ones."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from signer.errors import IdentityError, KeyNotFound, WrongSecret
from signer.keys.local import PrivateKey, load_pair
from signer.keys.open import open_identity
from signer.keys.pvk import load_pvk, to_pvk
from tests.support.identities import identity, private_key

LEAF = identity()
KEY = private_key("rsa2048", "Drvsign Unit Test")
OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="needs openssl to write PVK files")
LEGACY = ["-provider", "legacy", "-provider", "default"]


def pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="module")
def pvk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the key as OpenSSL writes it: none.pvk, strong.pvk and weak.pvk, whose password is "secret"."""
    folder = tmp_path_factory.mktemp("pvk")
    key = folder / "key.pem"
    key.write_bytes(pem(KEY))
    for form in ("none", "strong", "weak"):
        protected = [] if form == "none" else ["-passout", "pass:secret", *LEGACY]
        command = [str(OPENSSL), "rsa", "-in", key, "-outform", "PVK", f"-pvk-{form}", *protected]
        done = subprocess.run([*command, "-out", folder / f"{form}.pvk"], capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"this OpenSSL writes no {form} PVK file")
    return folder


@needs_openssl
@pytest.mark.parametrize(
    ("form", "password"), [("none", None), ("none", "ignored"), ("strong", "secret"), ("weak", "secret")]
)
def test_a_pvk_key_is_loaded(pvk: Path, form: str, password: str | None) -> None:
    data = (pvk / f"{form}.pvk").read_bytes()
    found = load_pair(LEAF.certificate.public_bytes(Encoding.DER), data, password)
    assert found.key.public_key == KEY.public_key()


@needs_openssl
@pytest.mark.parametrize("form", ["strong", "weak"])
def test_an_encrypted_pvk_key_requires_its_password(pvk: Path, form: str) -> None:
    data = (pvk / f"{form}.pvk").read_bytes()
    with pytest.raises(WrongSecret, match="none was given"):
        load_pvk(data, None)
    with pytest.raises(WrongSecret, match="the password of the PVK file is wrong"):
        load_pvk(data, b"Secret")


@needs_openssl
def test_a_pvk_key_signs_from_the_command_lines_options(pvk: Path, tmp_path: Path) -> None:
    certificate = tmp_path / "leaf.cer"
    certificate.write_bytes(LEAF.certificate.public_bytes(Encoding.DER))
    asked: list[str] = []

    def secret(prompt: str) -> str:
        asked.append(prompt)
        return "secret"

    opened = open_identity(certificate=certificate, key=pvk / "strong.pvk", secret=secret)
    assert (opened.certificate, asked) == (LEAF.certificate, ["Password of strong.pvk"])


@needs_openssl
def test_every_part_of_a_pvk_file_is_incomplete(pvk: Path) -> None:
    data = (pvk / "none.pvk").read_bytes()
    for size in range(4, len(data), 13):
        with pytest.raises(KeyNotFound, match="the PVK file is damaged"):
            load_pvk(data[:size], None)


@needs_openssl
@settings(deadline=None, max_examples=60)
@given(at=st.integers(4, 1195), bit=st.integers(0, 7))
def test_a_changed_bit_is_an_error_of_the_key(pvk: Path, at: int, bit: int) -> None:
    data = bytearray((pvk / "none.pvk").read_bytes())
    data[at] ^= 1 << bit
    try:
        found = load_pvk(bytes(data), None)
    except IdentityError:
        return
    # Fields without effect: reserved bytes, the key type, the version and the key's usage.
    assert at < 36 and pem(found) == pem(KEY)


def test_another_kind_of_key_is_named() -> None:
    dss = bytes.fromhex("1ef1b5b0 00000000 02000000 00000000 00000000 30000000 07020000 00220000") + bytes(40)
    with pytest.raises(IdentityError, match="does not contain an RSA private key"):
        load_pvk(dss, None)


def test_a_written_file_is_read_again() -> None:
    assert isinstance(KEY, rsa.RSAPrivateKey)
    assert pem(load_pvk(to_pvk(KEY), None)) == pem(KEY)


@needs_openssl
def test_openssl_reads_a_written_file(tmp_path: Path) -> None:
    assert isinstance(KEY, rsa.RSAPrivateKey)
    tmp_path.joinpath("key.pvk").write_bytes(to_pvk(KEY))
    command = [str(OPENSSL), "rsa", "-inform", "PVK", "-in", tmp_path / "key.pvk", "-check"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert b"RSA key ok" in done.stdout + done.stderr


@needs_openssl
def test_a_written_file_is_what_openssl_writes(tmp_path: Path) -> None:
    assert isinstance(KEY, rsa.RSAPrivateKey)
    tmp_path.joinpath("key.pem").write_bytes(pem(KEY))
    command = [str(OPENSSL), "rsa", "-in", "key.pem", "-outform", "PVK", "-pvk-none", "-out", "key.pvk"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    assert to_pvk(KEY) == tmp_path.joinpath("key.pvk").read_bytes()

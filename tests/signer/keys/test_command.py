"""`exec:`: the input, environment and errors of the command."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from signer.algorithms import DigestAlgorithm
from signer.cli.options.common import SecretOptions
from signer.errors import IdentityError, KeyNotFound, UsageError
from signer.keys.open import open_identity
from tests.support.backends.backend import DIGEST, SHA256, key_without_prompt
from tests.support.identities import certificate, identity, private_key
from tests.support.patience import PATIENCE


@pytest.fixture
def cert(tmp_path: Path) -> Path:
    path = tmp_path / "our cert.pem"
    chain = (*identity().chain, identity().certificate)  # the issuer first, so that the leaf must be found
    path.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in chain))
    return path


def key_of_command(command: str, cert: Path, options: str = ""):
    return key_without_prompt(f"exec:{quote(command)}?cert={quote(str(cert))}{options}")


def python(tmp_path: Path, code: str) -> str:
    script = tmp_path / "command.py"
    script.write_text(f"import os, sys, time\n{code}")
    return f"'{sys.executable}' '{script}'"


@pytest.mark.parametrize("kind", ["rsa2048", "p384"])
def test_openssl_signs_without_a_script(kind, tmp_path):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key, cert = tmp_path / "k.pem", tmp_path / "c.cer"
    private = private_key(kind, "By Command")
    key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    cert.write_bytes(certificate("By Command", kind, ("Drvsign Unit Root", "p256")).public_bytes(Encoding.DER))
    command = f"{openssl} pkeyutl -sign -inkey '{key}' -pkeyopt digest:{{algorithm}}"
    for algorithm in (DigestAlgorithm.SHA256, DigestAlgorithm.SHA512):
        assert key_of_command(command, cert).sign(algorithm.hash(b"content"), algorithm)


def test_the_command_gets_the_digest_the_algorithm_and_the_key(cert, tmp_path):
    recorded = tmp_path / "recorded"
    code = f"""
with open({str(recorded)!r}, "w") as file:
    names = ("DRVSIGN_ALGORITHM", "DRVSIGN_KEY", "DRVSIGN_KEY_SHA256")
    print(*map(os.environ.get, names), sys.stdin.buffer.read().hex(), sys.argv[1:], file=file)
"""
    command = python(tmp_path, code) + " --alg={algorithm} 'two words' '$HOME; echo'"
    with pytest.raises(IdentityError, match="wrote no signature: it wrote no error message"):
        key_of_command(command, cert).sign(DIGEST, SHA256)
    algorithm, key, sha256, digest, arguments = recorded.read_text().strip().split(" ", 4)
    assert (algorithm, key, digest) == ("sha256", "RSA-2048", DIGEST.hex())
    assert arguments == "['--alg=sha256', 'two words', '$HOME; echo']"
    from signer.certificates import spki_sha256

    assert sha256 == spki_sha256(identity().certificate)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("sys.exit('first\\nthe last line\\n\\n')", "failed with exit code 1: the last line$"),
        ("sys.exit(7)", "failed with exit code 7: it wrote no error message"),
        ("os.kill(os.getpid(), 9)", "failed with signal 9"),
        ("sys.stdout.buffer.write(b'x' * 256)", "not a signature with the key"),
        ("sys.stdout.buffer.write(bytes(3))", "not a signature with the key"),
        ("sys.stderr.write('nothing to say')", "wrote no signature: nothing to say"),
        ("sys.stderr.buffer.write(b'\\xff\\xfe' * 400); sys.exit(2)", "exit code 2: .{300}$"),
    ],
)
def test_a_failed_command_is_an_identity_error(code, message, cert, tmp_path):
    with pytest.raises(IdentityError, match=message):
        key_of_command(python(tmp_path, code), cert).sign(DIGEST, SHA256)


def test_a_command_that_hangs_is_stopped(cert, tmp_path):
    key = key_of_command(python(tmp_path, f"time.sleep({5 * PATIENCE})"), cert, "&timeout=0.5")
    start = time.monotonic()
    with pytest.raises(IdentityError, match=r"wrote no signature within 0\.5 seconds"):
        key.sign(DIGEST, SHA256)
    assert time.monotonic() - start < 2 * PATIENCE


@pytest.mark.parametrize("command", ["/nowhere/sign", "."])
def test_a_command_that_can_t_be_run_is_named(command, cert):
    with pytest.raises(IdentityError, match="can't be run"):
        key_of_command(command, cert).sign(DIGEST, SHA256)


@pytest.mark.parametrize(
    ("uri", "error", "message"),
    [
        ("exec:", UsageError, "does not name a key"),
        ("exec:%20?cert={cert}", UsageError, "has no command"),
        ("exec:sign 'it?cert={cert}", UsageError, "can't be split"),
        ("exec:sign?cert={cert}&timeout=soon", UsageError, "not a number of seconds"),
        ("exec:sign?cert={cert}&timeout=-1", UsageError, "not a number of seconds"),
        ("exec:sign?cert={cert}&timeout=nan", UsageError, "not a number of seconds"),
        ("exec:sign?cert={cert}&tiemout=3", UsageError, "unknown option 'tiemout'"),
        ("exec:sign?cert={cert}&cert={cert}", UsageError, "occurs twice"),
        ("exec:sign?cert", UsageError, "has no value"),
        ("exec:sign", KeyNotFound, "needs the certificate of the key"),
    ],
)
def test_an_invalid_exec_uri_is_refused(uri, error, message, cert):
    with pytest.raises(error, match=message):
        open_identity(uri=uri.format(cert=cert), secret=lambda _: None)


@pytest.mark.parametrize("name", ["HSM_PIN", None])
def test_the_command_does_not_inherit_the_variable_with_the_password(
    name: str | None, cert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HSM_PIN", "4711")
    monkeypatch.setenv("HSM_SLOT", "2")
    command = python(tmp_path, 'sys.exit(f\'{os.environ.get("HSM_PIN")} {os.environ.get("HSM_SLOT")}\')')
    key = open_identity(
        uri=f"exec:{quote(command)}?cert={quote(str(cert))}", secret=SecretOptions(password_env=name)
    ).key
    with pytest.raises(IdentityError, match="exit code 1: " + ("None 2" if name else "4711 2")):
        key.sign(DIGEST, SHA256)

"""Passwords, PINs and keys appear in no output, error, traceback, representation or file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from signer.cli.options.common import SecretOptions
from signer.keys.local import LocalKey
from signer.keys.open import open_identity
from tests.support.files import ROOT
from tests.support.identities import identity, public_pfx
from tests.support.images import PeSpec

SECRET = "correct-horse-4711"  # a password of a test
RIGHT, WRONG = public_pfx(SECRET.encode()), public_pfx(b"another")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.sys").write_bytes(PeSpec().build())
    (tmp_path / "right.pfx").write_bytes(RIGHT)
    (tmp_path / "wrong.pfx").write_bytes(WRONG)
    return tmp_path


Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def run(warm_python: Path) -> Run:
    """A function that runs drvsign with everything that it can print about itself, also the traceback of a bug."""

    def run(
        folder: Path, *arguments: str, descriptor: int | None = None, **more: str
    ) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "DRVSIGN_DEBUG": "1", **more}
        python, passed = (str(warm_python), ()) if descriptor is None else (sys.executable, (descriptor,))
        return subprocess.run(
            [python, "-m", "signer", *arguments, "--json", "-vv"],
            env=environment,
            cwd=folder,
            pass_fds=passed,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )

    return run


@pytest.mark.skipif(os.name != "posix", reason="passes a file descriptor")
@pytest.mark.parametrize("source", ["env", "file", "fd"])
@pytest.mark.parametrize(("name", "code"), [("right", 0), ("wrong", 3), ("gone", 3)])
def test_a_password_is_in_no_output_and_no_file(run: Run, folder: Path, source: str, name: str, code: int) -> None:
    call = ("sign", "a.sys", "--pfx", f"{name}.pfx", "--output", "out.sys", f"--password-{source}")
    if source == "env":
        ran = run(folder, *call, "PFX_PASSWORD", PFX_PASSWORD=SECRET)
    elif source == "file":
        (folder / "password").write_text(SECRET)
        ran = run(folder, *call, "password")
    else:
        read, write = os.pipe()
        os.write(write, SECRET.encode())
        os.close(write)
        ran = run(folder, *call, str(read), descriptor=read)
        os.close(read)
    assert ran.returncode == code, ran.stderr
    files = [path.read_bytes() for path in folder.iterdir() if path.name != "password"]
    for shown in (ran.stdout, ran.stderr, *files):
        assert SECRET.encode() not in shown


@pytest.mark.parametrize(
    "call",
    [
        ("sign", "a.sys", "--identity", f"pkcs11:token=x;object=y?pin-value={SECRET}"),
        ("keys", "list", f"pkcs11:token=x?pin-value={SECRET}"),
        ("sign", "a.sys", "--timestamp", f"http://user:{SECRET}@127.0.0.1:1/", "--certs", "certs"),
        ("timestamp", "a.sys", "--timestamp", f"http://user:{SECRET}@127.0.0.1:1/"),
        ("timestamp", "a.sys", "--legacy-timestamp", f"ftp://user:{SECRET}@127.0.0.1/"),
        ("sign", "a.sys", "--pfx", "right.pfx", "--password", SECRET),
    ],
    ids=["pin-value", "keys-list", "timestamp", "timestamp-command", "scheme", "option-that-does-not-exist"],
)
def test_a_secret_on_the_command_line_is_refused_or_used_and_not_repeated(
    run: Run, folder: Path, call: tuple[str, ...]
) -> None:
    ran = run(folder, *call)
    assert ran.returncode in (2, 3)
    assert SECRET.encode() not in ran.stdout + ran.stderr


def test_a_secret_in_the_profile_file_is_refused_and_not_repeated(run: Run, folder: Path) -> None:
    (folder / "drvsign.toml").write_text(f'[profile.release]\nidentity = "pkcs11:object=x?pin-value={SECRET}"\n')
    ran = run(folder, "sign", "a.sys", "--profile", "release")
    assert (ran.returncode, SECRET.encode() in ran.stdout + ran.stderr) == (3, False), ran.stderr


def test_the_representation_of_an_identity_has_no_key(folder: Path) -> None:
    opened = open_identity(pfx=folder / "right.pfx", secret=lambda _: SECRET)
    key = opened.key
    assert isinstance(key, LocalKey)
    numbers = key.private.private_numbers()
    shown = f"{opened!r} {key!r} {key.private!r} {identity('p256')!r}"
    for number in (numbers.d, numbers.p, numbers.q):
        assert str(number) not in shown
        assert f"{number:x}" not in shown.lower()
    assert SECRET not in shown


def test_the_representation_of_the_options_has_the_name_of_the_variable_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PFX_PASSWORD", SECRET)
    options = SecretOptions(password_env="PFX_PASSWORD")  # the name of a variable
    assert options("Password") == SECRET
    assert SECRET not in repr(options)

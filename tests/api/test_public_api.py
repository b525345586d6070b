"""The public API: its names, its import time, its argument checks, and its types as an outside script sees them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest

import catalogs
import signer
import testcerts
from signer import UsageError
from tests.support.files import ROOT

PACKAGES = ("signer", "catalogs", "testcerts")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
HEAVY = ("cryptography", "asn1crypto", "pefile", "lief", "typer", "rich")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_exported_name_exists_and_is_documented(package: str) -> None:
    module = import_module(package)
    assert module.__all__ == sorted(module.__all__)
    assert [name for name in module.__all__ if not (getattr(module, name).__doc__ or "").strip()] == []
    assert dir(module) == module.__all__


@pytest.mark.parametrize("package", PACKAGES)
def test_a_name_that_is_not_exported_is_an_attribute_error(package: str) -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = import_module(package).nothing


@pytest.mark.parametrize("package", PACKAGES)
def test_no_exported_name_is_also_a_module(package: str) -> None:
    """Importing a submodule sets an attribute of the package: it would hide an exported name that is imported later."""
    module = import_module(package)
    assert {found.name for found in iter_modules(module.__path__)} & set(module.__all__) == set()


def test_a_name_that_is_imported_after_another_is_still_the_function() -> None:
    code = "from catalogs import build_catalogs; import catalogs; print(type(catalogs.sign_package).__name__)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout == "function\n"


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_no_library(package: str) -> None:
    code = f"import sys, {package}; print([name for name in {HEAVY} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert ran.stdout == "[]\n"


WRONG: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "path-of-bytes": (lambda: signer.list_signatures(b"a.sys"), TypeError, "must be a str or a Path"),
    "path-number": (lambda: signer.gather_evidence(3), TypeError, "not int"),
    "path-empty": (lambda: signer.list_signatures(""), UsageError, "path is empty"),
    "identity-path": (lambda: signer.sign_file("a.sys", "a.pfx"), TypeError, "open_identity"),
    "password-number": (lambda: signer.open_identity("a.pfx", password=4), TypeError, "str or a function"),
    "scheme-unknown": (lambda: signer.open_identity("ftp:key"), UsageError, "ftp"),
    "target-unknown": (lambda: catalogs.verify("a.sys", targets="win13-x64"), UsageError, "win13-x64"),
    "targets-number": (lambda: catalogs.verify("a.sys", targets=[11]), TypeError, "not int"),
    "policy-unknown": (lambda: catalogs.verify("a.sys", policy="kernle"), UsageError, "kernle"),
    "roots-number": (lambda: catalogs.verify("a.sys", roots=[4]), TypeError, "a root must be a str"),
    "authorities-none": (lambda: signer.timestamp_file("a.sys", []), UsageError, "no timestamp authority"),
    "machine-twice": (
        lambda: catalogs.verify("a.sys", machine=signer.MachineState(NOW), testsigning=True),
        UsageError,
        "can't be combined",
    ),
    "time-naive": (lambda: catalogs.verify("a.sys", at=datetime(2026, 1, 1)), UsageError, "no time zone"),
    "os-empty": (lambda: catalogs.build_catalogs(".", os=[]), UsageError, "names no release"),
    "os-unknown": (lambda: catalogs.build_catalogs(".", os=["win10"]), UsageError, "win10"),
    "version-three": (lambda: catalogs.build_catalogs(".", version=3), UsageError, "version 3"),
    "subject-bytes": (lambda: testcerts.create_test_identity("x", subject=b"CN=A"), TypeError, "not bytes"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call, expected, sentence = WRONG[name]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(expected, match=sentence):
        call()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("digest", ["md5", "SHA-256", "sha3"])
def test_an_unusable_digest_is_refused_before_anything_is_written(digest: str, tmp_path: Path) -> None:
    identity = testcerts.create_test_identity(tmp_path / "certs")
    path = tmp_path / "a.sys"
    path.write_bytes((ROOT / "examples/hello/hello.sys").read_bytes())
    before = path.read_bytes()
    with pytest.raises(UsageError, match="digest of a signature"):
        signer.sign_file(path, identity, digest=digest)
    assert path.read_bytes() == before


def test_a_password_function_is_called_only_when_a_password_is_needed(tmp_path: Path) -> None:
    testcerts.create_test_identity(tmp_path / "certs")
    calls = []

    def password() -> str:
        calls.append(1)
        return "drvsign"

    certs = tmp_path / "certs"
    signer.open_identity(certs / "code-signing.pem", key=certs / "code-signing.key.pem", password=password)
    assert calls == []
    assert signer.open_identity(certs / "code-signing.pfx", password=password).name == "drvsign test" or calls == [1]
    assert calls == [1]


def test_existing_test_certificates_are_kept(tmp_path: Path) -> None:
    first = testcerts.create_test_identity(tmp_path, subject="CN=Contoso")
    assert testcerts.create_test_identity(tmp_path).certificate == first.certificate
    with pytest.raises(UsageError, match="CN=Contoso"):
        testcerts.create_test_identity(tmp_path, subject="CN=Fabrikam")


def test_mypy_strict_finds_the_types_from_a_script_outside_the_tree(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from catalogs import verify\n"
        "from signer import SignedFile, open_identity, sign_file\n"
        "from testcerts import create_test_identity\n"
        "signed: SignedFile = sign_file('a.sys', open_identity('a.pfx', password='x'))\n"
        "reveal_type(signed.digest)\n"
        "reveal_type(verify('driver')[0].accepted)\n"
        "sign_file('a.sys', 'not an identity')\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(script)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert 'Revealed type is "bytes"' in ran.stdout.replace("builtins.", "")
    assert 'Revealed type is "bool"' in ran.stdout.replace("builtins.", "")
    errors = [line for line in ran.stdout.splitlines() if ": error:" in line and str(script.name) in line]
    assert len(errors) == 1 and '"sign_file" has incompatible type "str"' in errors[0]

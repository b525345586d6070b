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
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

import catalogs
import signer
import testcerts
from signer import SignerError, UsageError
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


VERDICT = signer.Verdict("win11-25h2-x64", "rejected", "unsigned", ())
EVIDENCE = signer.gather_evidence(ROOT / "examples/hello/hello.sys")
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
    "path-nul": (lambda: signer.list_signatures("a\0b"), UsageError, "NUL"),
    "paths-none": (
        lambda: catalogs.verify(None),
        TypeError,
        "str or a Path, or several, not NoneType",
    ),
    "paths-bytes": (lambda: catalogs.verify(b"a.sys"), TypeError, "not bytes"),
    "targets-none": (lambda: catalogs.verify("a.sys", targets=None), TypeError, "targets must be a str, or several"),
    "os-number": (lambda: catalogs.build_catalogs(".", os=5), TypeError, "os must be a str, or several, not int"),
    "authorities-bytes": (lambda: signer.timestamp_file("a.sys", b"http://a"), TypeError, "not bytes"),
    "password-surrogate": (lambda: signer.open_identity("a.pfx", password="\udcff"), UsageError, "surrogate"),
    "certificate-no-uri": (lambda: signer.open_identity("a.pfx", certificate="a.cer"), UsageError, "only for a URI"),
    "index-text": (lambda: signer.remove_signatures("a.sys", "0"), TypeError, "index must be an int or None, not str"),
    "index-bool": (lambda: signer.remove_signatures("a.sys", True), TypeError, "not bool"),
    "replace-text": (lambda: signer.timestamp_file("a", "http://a", replace="no"), TypeError, "must be True or False"),
    "append-text": (lambda: signer.attach_signature("a", b"0", append="no"), TypeError, "must be True or False"),
    "lookup-path": (lambda: signer.gather_evidence("a.sys", catalogs="a.cat"), TypeError, "read_catalog"),
    "lookup-none": (lambda: signer.gather_evidence("a.sys", catalogs=None), TypeError, "read_catalog"),
    "verdict-none": (lambda: signer.explain_verdict(None, None), TypeError, "verdict must be a Verdict"),
    "evidence-none": (lambda: signer.explain_verdict(VERDICT, None), TypeError, "evidence must be an Evidence"),
    "explain-policy": (lambda: signer.explain_verdict(VERDICT, EVIDENCE, policy="x"), UsageError, "unknown policy 'x'"),
    "machine-number": (lambda: catalogs.verify("a.sys", machine=5), TypeError, "machine must be a MachineState"),
    "machine-naive": (
        lambda: catalogs.verify("a.sys", machine=signer.MachineState(datetime(2026, 1, 1))),
        UsageError,
        "no time zone",
    ),
    "machine-no-time": (lambda: catalogs.verify("a.sys", machine=signer.MachineState(None)), TypeError, "machine.at"),
    "machine-policy": (
        lambda: catalogs.verify("a.sys", machine=signer.MachineState(NOW, driver_policy="on")),
        UsageError,
        "machine.driver_policy can't be 'on'",
    ),
    "machine-flag": (
        lambda: catalogs.verify("a.sys", machine=signer.MachineState(NOW, testsigning="no")),
        TypeError,
        "machine.testsigning must be one of True, False, not 'no'",
    ),
    "machine-number-for-flag": (
        lambda: catalogs.verify("a.sys", machine=signer.MachineState(NOW, secure_boot=1)),
        TypeError,
        "machine.secure_boot must be one of True, False, None, not 1",
    ),
    "files-missing": (
        lambda: catalogs.build_file_catalog(["gone"], "x.cat"),
        SignerError,
        "gone: file or folder not found",
    ),
    "files-none": (lambda: catalogs.build_file_catalog([], "x.cat"), UsageError, "there are no files to list"),
    "matrix-text": (lambda: catalogs.verify("a.sys", matrix="no"), TypeError, "matrix must be True or False"),
    "testsigning-text": (lambda: catalogs.verify("a.sys", testsigning="no"), TypeError, "must be True or False"),
    "version-bool": (lambda: catalogs.build_catalogs(".", version=True), TypeError, "version must be 1, 2 or None"),
    "page-hashes-text": (lambda: catalogs.build_catalogs(".", page_hashes="no"), TypeError, "must be True or False"),
    "subject-bytes": (lambda: testcerts.create_test_identity("x", subject=b"CN=A"), TypeError, "not bytes"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call, expected, sentence = WRONG[name]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(expected, match=sentence):
        call()
    assert list(tmp_path.iterdir()) == []


HELLO = ROOT / "examples/hello/hello.sys"
BAD_SIGN: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "description-number": ({"description": 5}, TypeError, "description must be a str, not int"),
    "description-surrogate": ({"description": "\udcff"}, UsageError, "surrogate"),
    "url-bytes": ({"url": b"https://a"}, TypeError, "url must be a str, not bytes"),
    "append-text": ({"append": "no"}, TypeError, "append must be True or False"),
    "page-hashes-text": ({"page_hashes": "no"}, TypeError, "page_hashes must be True or False"),
    "page-hashes-sha512": ({"page_hashes": True, "digest": "sha512"}, SignerError, "page hashes"),
    "timestamp-none": ({"timestamp": None}, TypeError, "timestamp must be a str, or several"),
}


@pytest.mark.parametrize("name", BAD_SIGN)
def test_a_wrong_argument_of_sign_file_leaves_the_file_as_it_was(name: str, tmp_path: Path) -> None:
    arguments, expected, sentence = BAD_SIGN[name]
    identity = testcerts.create_test_identity(tmp_path / "certs")
    path = tmp_path / "a.sys"
    path.write_bytes(HELLO.read_bytes())
    with pytest.raises(expected, match=sentence):
        signer.sign_file(path, identity, **arguments)
    assert path.read_bytes() == HELLO.read_bytes()


@pytest.mark.parametrize(("index", "sentence"), [(-1, "signature -1 not found"), (1, "signature 1 not found")])
def test_an_index_out_of_range_removes_nothing(index: int, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "a.sys"
    path.write_bytes(HELLO.read_bytes())
    with pytest.raises(UsageError, match="not signed"):
        signer.remove_signatures(path, index)
    signer.sign_file(path, testcerts.create_test_identity(tmp_path / "certs"))
    before = path.read_bytes()
    with pytest.raises(UsageError, match=sentence) as caught:
        signer.remove_signatures(path, index)
    assert path.read_bytes() == before
    assert caught.value.path == path


@pytest.mark.parametrize("answer", [b"drvsign", 5, "\udcff"])
def test_a_wrong_result_of_a_password_function_is_named(answer: Any, tmp_path: Path) -> None:
    testcerts.create_test_identity(tmp_path)
    with pytest.raises((TypeError, UsageError), match="the result of the password function"):
        signer.open_identity(tmp_path / "code-signing.pfx", password=lambda: answer)


@pytest.mark.parametrize("key", [None, "encrypted.pem"], ids=["pfx", "pem"])
def test_a_password_with_a_nul_character_is_refused(key: str | None, tmp_path: Path) -> None:
    """OpenSSL takes passwords as C strings; its binding panics at a NUL character."""
    testcerts.create_test_identity(tmp_path)
    private = load_pem_private_key((tmp_path / "code-signing.key.pem").read_bytes(), None)
    encrypted = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (tmp_path / "encrypted.pem").write_bytes(encrypted)
    source = tmp_path / ("code-signing.pem" if key else "code-signing.pfx")
    with pytest.raises(SignerError, match="the password contains a NUL character"):
        signer.open_identity(source, key=tmp_path / key if key else None, password="x\0y")


def test_an_error_about_the_content_names_the_file(tmp_path: Path) -> None:
    identity = testcerts.create_test_identity(tmp_path / "certs")
    path = tmp_path / "a.sys"
    path.write_bytes(b"no image")
    with pytest.raises(SignerError, match="not a PE image") as caught:
        signer.sign_file(path, identity)
    assert caught.value.path == path


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

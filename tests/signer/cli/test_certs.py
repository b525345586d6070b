"""`drvsign certs` as a person and a script call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, load_pem_private_key, pkcs12
from typer.testing import CliRunner

from signer.certificates import common_name
from signer.cli.app import app
from signer.storage.files import read
from testcerts.hierarchy import read_hierarchy
from tests.support.files import ROOT
from tests.support.full_disk import full_disk

TIME = 1772366400
QUICK = ("--key", "p256")


@pytest.fixture(autouse=True)
def fixed_time(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(TIME))


def run(*arguments: object, code: int = 0):
    result = CliRunner().invoke(app, ["certs", *map(str, arguments)])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with the hierarchy, a revoked and an expired certificate."""
    folder = tmp_path_factory.mktemp("made") / "certs"
    arguments = ["certs", "create", str(folder), *QUICK, "--profile", "revoked", "--profile", "expired"]
    result = CliRunner().invoke(app, arguments, env={"SOURCE_DATE_EPOCH": str(TIME)})
    assert result.exit_code == 0, result.output
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_create_makes_the_hierarchy_where_the_commands_look_for_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    result = run("create", *QUICK)
    folder = tmp_path / "data" / "drvsign" / "testcerts"
    assert sorted(read_hierarchy(folder).certificates) == ["code-signing", "issuing-ca", "root", "time-stamping"]
    assert "Password of the .pfx files: drvsign" in result.stdout
    assert "drvsign Test Issuing CA" in result.stdout


def test_create_takes_time_subject_days_and_key_from_the_call(tmp_path):
    run("create", tmp_path / "c", "--subject", "CN=Contoso Test,O=Contoso", "--days", 100, "--key", "p384")
    leaf = read_hierarchy(tmp_path / "c").code_signing
    assert leaf.subject.rfc4514_string() == "CN=Contoso Test,O=Contoso"
    assert leaf.not_valid_after_utc.timestamp() == TIME + 100 * 86400
    assert leaf.public_key().key_size == 384


def test_create_says_as_json_what_it_made(tmp_path):
    document = json.loads(run("create", tmp_path / "c", *QUICK, "--profile", "no-eku", "--json").stdout)
    assert document["schema"] == "drvsign.certs/1"
    assert document["pfx_password"] == "drvsign"
    assert {Path(path).name for path in document["files"]} | {".gitignore"} == set(contents(tmp_path / "c"))
    flaws = {one["profile"]: one["flaw"] for one in document["certificates"]}
    assert flaws.pop("no-eku") == "it has no code-signing EKU"
    assert flaws == dict.fromkeys(("root", "issuing-ca", "code-signing", "time-stamping"))


@pytest.mark.parametrize(
    "arguments",
    [(), QUICK, ("--subject", "CN=drvsign Test,O=drvsign test certificates")],
    ids=["nothing-asked", "same-key", "same-subject"],
)
def test_create_again_says_what_is_there_and_changes_nothing(made, arguments):
    before = contents(made)
    result = run("create", made, *arguments)
    assert f"Already in {made}" in result.stdout
    assert "expired.*" in result.stdout
    document = json.loads(run("create", made, *arguments, "--json").stdout)
    assert (document["created"], document["files"]) == (False, [])
    assert "root" in [one["profile"] for one in document["certificates"]]
    assert contents(made) == before


@pytest.mark.parametrize("arguments", [("--key", "p384"), ("--subject", "CN=Fabrikam")], ids=["key", "subject"])
def test_create_refuses_to_pass_off_other_certificates_as_those_asked_for(made, arguments):
    before = contents(made)
    result = run("create", made, *arguments, code=2)
    assert f"{made}: the folder has test certificates" in result.stderr
    assert "--force" in result.stderr
    assert contents(made) == before


def test_create_refuses_to_complete_a_damaged_folder(tmp_path):
    run("create", tmp_path / "c", *QUICK)
    (tmp_path / "c" / "issuing-ca.cer").unlink()
    before = contents(tmp_path / "c")
    assert "root.cer: a test key or certificate exists" in run("create", tmp_path / "c", *QUICK, code=3).stderr
    assert contents(tmp_path / "c") == before


def test_a_profile_is_added_with_the_name_of_the_hierarchy(tmp_path):
    run("create", tmp_path / "c", *QUICK, "--subject", "Contoso Test")
    before = contents(tmp_path / "c")
    run("create", tmp_path / "c", *QUICK, "--profile", "attested")
    after = contents(tmp_path / "c")
    assert {name: after[name] for name in before} == before
    assert read_hierarchy(tmp_path / "c").certificates["attested"].subject.rfc4514_string() == (
        "CN=Contoso Test (attested)"
    )


def test_force_makes_all_anew_even_where_files_are_broken(tmp_path):
    run("create", tmp_path / "c", *QUICK)
    (tmp_path / "c" / "root.cer").write_bytes(b"broken")
    assert "root.cer" in run("create", tmp_path / "c", *QUICK, "--profile", "whql", code=3).stderr
    run("create", tmp_path / "c", *QUICK, "--force")
    assert len(read_hierarchy(tmp_path / "c").certificates) == 4


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--key", "rsa1024"), "unknown kind of key 'rsa1024'"),
        (("--key", "dsa"), "unknown kind of key 'dsa'"),
        (("--profile", "whlq"), "unknown certificate profile 'whlq'"),
        (("--subject", "O=Contoso"), "has no common name"),
        (("--days", "0"), "1 to 36500 days"),
        (("--days", "x"), "--days"),
    ],
    ids=["weak-key", "unknown-key", "unknown-profile", "nameless", "no-days", "not-a-number"],
)
def test_a_wrong_call_ends_with_2_and_makes_nothing(tmp_path, arguments, complaint):
    assert complaint in run("create", tmp_path / "c", *arguments, code=2).stderr
    assert not (tmp_path / "c").exists()


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "c").write_text("mine")
    run("create", tmp_path / "c", *QUICK, code=3)
    assert f"{tmp_path / 'c'}: could not create the folder" in run("create", tmp_path / "c/d", *QUICK, code=3).stderr
    result = run("install-script", tmp_path / "c", code=3)
    assert "c: this is a file, not a folder" in result.stderr
    assert "certs create" not in result.stderr
    assert (tmp_path / "c").read_text() == "mine"


def limited(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command in a process that can't write files of more than 1000 bytes, as on a disk that is nearly full."""
    pytest.importorskip("resource")
    command = [sys.executable, "-m", "signer", "certs", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **full_disk(1000))


def test_a_full_disk_leaves_every_file_as_it_was(tmp_path):
    run("create", tmp_path / "c", *QUICK)
    before = contents(tmp_path / "c")
    for arguments in (("create", tmp_path / "c", *QUICK, "--force"), ("create", tmp_path / "new", *QUICK)):
        done = limited(*arguments)
        assert done.returncode == 3, done.stderr
        assert "error: " in done.stderr
        assert "This path is unchanged" in done.stderr
    assert contents(tmp_path / "c") == before
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o555)
    result = run("create", tmp_path / "c", *QUICK, code=3)
    assert "permission denied" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_show_lists_every_certificate_once_with_its_days_and_state(made):
    lines = run("show", made).stdout.splitlines()
    rows = {line.split("  ")[0].strip(): line for line in lines if line.startswith(" drvsign Test")}
    held = read_hierarchy(made)
    root, issuing = common_name(held.root), common_name(held.issuing_ca)
    assert (root[:-8], issuing[:-8]) == ("drvsign Test Root CA ", "drvsign Test Issuing CA ")
    assert set(rows) == {
        root, issuing, "drvsign Test", "drvsign Test Time Stamping",
        "drvsign Test (revoked)", "drvsign Test (expired)",
    }  # fmt: skip
    assert " 3650 " in rows["drvsign Test"]
    assert " valid " in rows["drvsign Test"]
    assert " code-signing.cer .p7b .pem .pfx" in rows["drvsign Test"]
    assert " -365 " in rows["drvsign Test (expired)"]
    assert " expired " in rows["drvsign Test (expired)"]
    assert " revoked " in rows["drvsign Test (revoked)"]
    lists = [line.split() for line in lines if line.rstrip().endswith(".crl")]
    assert [(words[-5], Path(words[-1]).name) for words in lists] == [("1", "issuing-ca.crl"), ("0", "root.crl")]


def test_show_says_all_of_it_as_json(made):
    document = json.loads(run("show", made, "--json").stdout)
    files = {Path(one["path"]).name: one for one in document["files"]}
    assert document["schema"] == "drvsign.certs/1"
    assert set(files) == {name for name in contents(made) if not name.endswith((".key.pem", ".gitignore"))}
    leaf = files["code-signing.pfx"]["certificates"][0]
    assert files["code-signing.pfx"]["has_key"] is True
    assert files["code-signing.cer"]["has_key"] is False
    assert leaf == files["code-signing.cer"]["certificates"][0]
    assert leaf["sha1"] == leaf["sha1"].upper()
    assert (leaf["days_left"], leaf["state"], leaf["authority"], leaf["key"]) == (3650, "valid", False, "p256")
    assert files["revoked.cer"]["certificates"][0]["state"] == "revoked"
    assert files["root.crl"]["revocations"]["revoked"] == []
    assert len(files["issuing-ca.crl"]["revocations"]["revoked"]) == 1
    assert all(one["error"] is None for one in document["files"])


@pytest.fixture
def locked(made, tmp_path) -> Path:
    """A folder with a certificate, and a PFX that has a password of its own."""
    (tmp_path / "a.cer").write_bytes(read(made / "root.cer"))
    key = load_pem_private_key(read(made / "code-signing.key.pem"), None)
    certificate = read_hierarchy(made).code_signing
    data = pkcs12.serialize_key_and_certificates(b"x", key, certificate, None, BestAvailableEncryption(b"secret"))
    (tmp_path / "b.pfx").write_bytes(data)
    return tmp_path


def test_show_opens_a_pfx_with_the_password_from_where_the_options_say(locked, monkeypatch):
    monkeypatch.setenv("PFX_SECRET", "secret")
    assert "b.pfx" in run("show", locked, "--password-env", "PFX_SECRET").stdout
    (locked / "password.txt").write_text("secret\n")
    assert "b.pfx" in run("show", locked, "--password-file", locked / "password.txt").stdout


def test_show_names_the_files_of_one_folder_without_it_and_others_by_their_paths(made):
    assert str(made) not in run("show", made).stdout
    document = json.loads(run("show", made, "--json").stdout)
    assert str(made / "root.cer") in {one["path"] for one in document["files"]}
    for paths in ([made / "root.cer"], [made, made / "root.cer"]):
        assert str(made / "root.cer") in run("show", *paths).stdout


def test_show_goes_on_after_a_file_that_it_can_not_open_and_ends_with_3(locked):
    result = run("show", locked, code=3)
    assert "a.cer" in result.stdout
    assert "b.pfx: the PFX is protected by a password, and none was given" in result.stderr
    document = json.loads(run("show", locked, "--json", code=3).stdout)
    assert [one["error"] and one["error"]["code"] for one in document["files"]] == [None, "wrong-secret"]


@pytest.mark.parametrize(
    ("name", "code", "complaint"),
    [("gone.cer", 3, "no such file or directory"), ("empty", 2, "no certificates in this folder")],
)
def test_show_names_what_is_not_there(tmp_path, name, code, complaint):
    (tmp_path / "empty").mkdir()
    assert complaint in run("show", tmp_path / name, code=code).stderr


def test_install_script_writes_both_scripts_beside_the_certificates(made, tmp_path):
    result = run("install-script", made)
    assert "Copy one of them to the test machine" in result.stderr
    assert "Copy it to the test machine" in run("install-script", made, "--output", tmp_path / "x.cmd").stderr
    for name in ("install-test-certificates.cmd", "install-test-certificates.ps1"):
        assert str(made / name) in result.stdout
        assert b"TESTSIGNING" in (made / name).read_bytes()
        (made / name).unlink()


@pytest.mark.parametrize(("name", "begins"), [("x.cmd", b"@echo off\r\n"), ("x.PS1", b"\xef\xbb\xbf# Sets up")])
def test_install_script_writes_the_kind_that_the_name_says(made, tmp_path, name, begins):
    document = json.loads(run("install-script", made, "--output", tmp_path / name, "--json").stdout)
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert document["files"] == [str(tmp_path / name)]
    assert [one["store"] for one in document["certificates"]] == ["Root", "CA", "TrustedPublisher"]
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("trust-contoso.cmd", "trust-contoso.cmd /undo"),
        ("trust contoso.cmd", '"trust contoso.cmd" /undo'),
        ("trust.ps1", "powershell -ExecutionPolicy Bypass -File trust.ps1 -Undo"),
        ("100% & ünsafe.cmd", '"100? ? ?nsafe.cmd" /undo'),
    ],
)
def test_install_script_says_how_to_run_it_by_its_own_name(made, tmp_path, name, call):
    run("install-script", made, "--output", tmp_path / name)
    assert f"  {call}\r\n".encode() in (tmp_path / name).read_bytes()


def test_install_script_wants_a_name_that_windows_can_run(made, tmp_path):
    assert ".cmd or .ps1" in run("install-script", made, "--output", tmp_path / "x.txt", code=2).stderr


def test_install_script_without_certificates_says_how_to_make_some(tmp_path):
    assert "drvsign certs create" in run("install-script", tmp_path, code=3).stderr


@pytest.mark.parametrize("name", ["create", "show", "install-script"])
def test_each_help_has_an_example(name):
    assert f"drvsign certs {name}" in run(name, "--help").stdout.partition("Example")[2]

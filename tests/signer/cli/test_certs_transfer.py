"""Moving the test authority: `certs export`, `certs import`, and DRVSIGN_TEST_PFX in CI."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from signer.asn1.oids import EKU_CODE_SIGNING
from signer.certificates import thumbprint
from testcerts.hierarchy import read_hierarchy
from tests.support.hierarchy import issue, rsa_key
from tests.support.images import PeSpec
from tests.support.program import drvsign

PASSWORD = "s3cret"


@pytest.fixture
def exported(work, made_identity, monkeypatch):
    """The PFX of the project's authority, in a folder of another machine: no project and an empty data folder."""
    monkeypatch.setenv("PW", PASSWORD)
    ran = drvsign("certs", "export", "--output", "ci.pfx", "--password-env", "PW")
    assert (ran.code, ran.stdout) == (0, "Written: ci.pfx\n")
    (work / "elsewhere").mkdir()
    (work / "ci.pfx").rename(work / "elsewhere" / "ci.pfx")
    monkeypatch.chdir(work / "elsewhere")
    (work / "testcerts" / "generated").unlink()
    (work / "elsewhere" / "toaster.sys").write_bytes(PeSpec().build())
    return work / "elsewhere" / "ci.pfx"


def signer_root(folder: Path) -> str:
    return thumbprint(read_hierarchy(folder).root)


def user_certs(work: Path) -> Path:
    return work.parent / "data" / "drvsign" / "testcerts"


def test_the_pfx_has_the_signing_key_the_chain_and_no_key_of_an_authority(exported, made_identity):
    opened = pkcs12.load_pkcs12(exported.read_bytes(), PASSWORD.encode())
    original = read_hierarchy(made_identity)
    assert opened.cert.certificate == original.code_signing
    assert [one.certificate for one in opened.additional_certs] == [original.issuing_ca, original.root]
    assert exported.stat().st_mode & 0o777 == 0o600


def test_another_machine_signs_under_the_same_root_after_the_import(exported, work, made_identity):
    ran = drvsign("certs", "import", exported, "--password-env", "PW")
    assert (ran.code, f"Imported into {user_certs(work)}" in ran.stdout) == (0, True)
    assert signer_root(user_certs(work)) == signer_root(made_identity)
    assert not list(user_certs(work).glob("*-ca.key.pem"))
    assert not (user_certs(work) / "root.key.pem").exists()
    assert drvsign("sign", "toaster.sys").code == 0
    target = ("--policy", "authenticode", "--target", "win11-24h2-x64")
    assert drvsign("verify", "toaster.sys", *target, "--certs", made_identity).code == 0
    assert drvsign("certs", "show").code == drvsign("certs", "install-script").code == 0


def test_importing_again_changes_nothing(exported, work):
    drvsign("certs", "import", exported, "--password-env", "PW")
    before = {path: path.read_bytes() for path in user_certs(work).iterdir()}
    ran = drvsign("certs", "import", exported, "--password-env", "PW")
    assert (ran.code, "Already in" in ran.stdout) == (0, True)
    assert {path: path.read_bytes() for path in user_certs(work).iterdir()} == before


def test_another_authority_is_replaced_only_with_force_and_then_kept_aside(exported, work, made_identity):
    assert drvsign("certs", "create", "--key", "p256").code == 0
    old = signer_root(user_certs(work))
    ran = drvsign("certs", "import", exported, "--password-env", "PW")
    assert (ran.code, "another test authority, 'drvsign Test Root CA" in ran.stderr) == (3, True)
    assert signer_root(user_certs(work)) == old
    ran = drvsign("certs", "import", exported, "--password-env", "PW", "--force")
    assert (ran.code, "testcerts.old1" in ran.stderr) == (0, True)
    assert signer_root(user_certs(work)) == signer_root(made_identity)
    assert signer_root(user_certs(work).with_name("testcerts.old1")) == old


def test_a_fresh_runner_signs_with_the_pfx_in_the_environment(exported, work, made_identity, monkeypatch):
    monkeypatch.setenv("DRVSIGN_TEST_PFX", base64.encodebytes(exported.read_bytes()).decode())
    monkeypatch.setenv("DRVSIGN_TEST_PFX_PASSWORD", PASSWORD)
    first, second = drvsign("sign", "toaster.sys"), drvsign("sign", "toaster.sys")
    assert (first.code, second.code) == (0, 0)
    assert "Imported the test identity of DRVSIGN_TEST_PFX" in first.stderr
    assert second.stderr == ""
    target = ("--policy", "authenticode", "--target", "win11-24h2-x64")
    assert drvsign("verify", "toaster.sys", *target, "--roots", "test-signing").code == 0
    assert drvsign("verify", "toaster.sys", *target, "--certs", made_identity).code == 0
    shown = json.loads(drvsign("certs", "show", "--json").stdout)
    assert signer_root(made_identity) in str(shown)


@pytest.mark.parametrize(
    ("value", "password", "complaint", "code"),
    [
        ("not base64!", PASSWORD, "DRVSIGN_TEST_PFX is not base64", 2),
        ("QUJD", PASSWORD, "DRVSIGN_TEST_PFX: the file is not a valid PFX", 3),
        (None, "wrong", "the password of DRVSIGN_TEST_PFX is wrong", 3),
        (None, "", "DRVSIGN_TEST_PFX is protected by a password, and none was given", 3),
    ],
    ids=["not-base64", "not-a-pfx", "wrong-password", "no-password"],
)
def test_a_wrong_variable_is_named_and_no_other_identity_signs(exported, monkeypatch, value, password, complaint, code):
    before = Path("toaster.sys").read_bytes()
    monkeypatch.setenv("DRVSIGN_TEST_PFX", value or base64.b64encode(exported.read_bytes()).decode())
    monkeypatch.setenv("DRVSIGN_TEST_PFX_PASSWORD", password)
    ran = drvsign("sign", "toaster.sys")
    assert (ran.code, complaint in ran.stderr) == (code, True)
    assert Path("toaster.sys").read_bytes() == before


def test_a_wrong_password_of_the_file_is_an_error(exported, monkeypatch):
    monkeypatch.setenv("PW", "wrong")
    ran = drvsign("certs", "import", exported, "--password-env", "PW")
    assert (ran.code, "ci.pfx: the password of the PFX is wrong" in ran.stderr) == (3, True)
    ran = drvsign("certs", "import", exported)
    assert "ci.pfx: the PFX is protected by a password, and none was given" in ran.stderr


def test_a_pfx_that_is_no_test_authority_is_refused(exported, made_identity, work):
    hierarchy = read_hierarchy(made_identity)
    key = hierarchy.identity("time-stamping").key.private
    certificate = hierarchy.certificates["time-stamping"]
    data = pkcs12.serialize_key_and_certificates(b"x", key, certificate, None, BestAvailableEncryption(b"s3cret"))
    exported.write_bytes(data)
    ran = drvsign("certs", "import", exported, "--password-env", "PW")
    assert (ran.code, "does not contain a test authority" in ran.stderr) == (3, True)
    assert not user_certs(work).exists()


def test_the_default_file_is_not_overwritten_and_its_public_password_is_pointed_out(work):
    first = drvsign("certs", "export")
    assert (first.code, "the public password 'drvsign'" in first.stderr) == (0, True)
    before = Path("drvsign-test.pfx").read_bytes()
    second = drvsign("certs", "export")
    assert (second.code, "drvsign-test.pfx: the file exists" in second.stderr) == (3, True)
    assert "drvsign certs export --output FILE" in second.stderr
    drvsign("certs", "create", "my certs")
    assert "drvsign certs export 'my certs' --output FILE" in drvsign("certs", "export", "my certs").stderr
    assert Path("drvsign-test.pfx").read_bytes() == before


def test_an_imported_authority_has_no_timestamps_and_says_so(exported):
    drvsign("certs", "import", exported, "--password-env", "PW")
    ran = drvsign("tsa", "serve", "--port", "0")
    assert (ran.code, "no key for timestamps" in ran.stderr) == (3, True)


def test_sign_says_which_of_several_authorities_it_takes(work, driver, monkeypatch):
    assert drvsign("sign", driver).stderr == ""
    monkeypatch.setenv("DRVSIGN_CERTS", str(work / "other"))
    assert f"created a test identity in {work / 'other'}." in drvsign("sign", driver).stderr
    assert f"Using the test identity in {work / 'other'} (DRVSIGN_CERTS)." in drvsign("sign", driver).stderr
    given = drvsign("sign", driver, "--certs", "testcerts/generated", "-v").stderr
    assert "Using the test identity in testcerts/generated (--certs)." in given


def test_a_folder_that_cannot_be_created_is_an_error(work, driver, monkeypatch):
    (work / "file").write_bytes(b"")
    ran = drvsign("sign", driver, "--certs", work / "file" / "certs")
    assert (ran.code, "file" in ran.stderr) == (3, True)


@pytest.fixture
def namesakes(work, driver):
    """Two authorities of the same name, as another program makes them, and a driver signed under the first."""
    now, roots = datetime.now(UTC), []
    valid = {"start": now - timedelta(days=1), "end": now + timedelta(days=1)}
    for folder in ("first", "second"):
        public = rsa_key(folder).public_key()
        own = [(x509.SubjectKeyIdentifier.from_public_key(public), False)]
        above = [(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False)]
        root = issue("Contoso Root", ca=True, private_key=rsa_key(folder), extensions=own, **valid)
        leaf = issue(
            "Contoso Test", root, usages=[EKU_CODE_SIGNING], extensions=above, private_key=rsa_key("leaf"), **valid
        )
        (work / f"{folder}.pem").write_bytes(root.certificate.public_bytes(Encoding.PEM))
        (work / f"{folder}-leaf.pem").write_bytes(leaf.certificate.public_bytes(Encoding.PEM))
        encoded = leaf.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (work / f"{folder}.key").write_bytes(encoded)
        roots.append(work / f"{folder}.pem")
    return roots


@pytest.mark.parametrize("embedded", [False, True], ids=["without-root", "with-root"])
@pytest.mark.parametrize("policy", ["kernel", "authenticode"])
def test_a_root_of_the_same_name_and_another_key_is_diagnosed(namesakes, driver, work, embedded, policy):
    first, second = namesakes
    chain = first.read_bytes() if embedded else b""
    (work / "chain.pem").write_bytes((work / "first-leaf.pem").read_bytes() + chain)
    assert drvsign("sign", driver, "--cert", "chain.pem", "--key", "first.key").code == 0
    query = ("verify", driver, "--policy", policy, "--target", "win11-24h2-x64", "--roots", "test-signing")
    ran = drvsign(*query, "--root", second)
    assert ran.code == 1
    assert "signed under another test CA named 'Contoso Root': trust it with --root, or install it" in ran.stdout
    trusted = drvsign(*query, "--root", first, *(["--testsigning"] if policy == "kernel" else []))
    assert (trusted.code, "another test CA" in trusted.stdout) == (0, False), trusted.stdout + trusted.stderr


@pytest.mark.parametrize(
    ("words", "way"),
    [
        ("sign toaster.sys --pfx x.pfx", "use --cert and --key"),
        ("sign toaster.sys --identity pfx:x.pfx", "write file:KEY.pem?cert=CERT.cer"),
        ("keys list pfx:x.pfx", "write file:KEY.pem?cert=CERT.cer"),
        ("certs import x.pfx", None),
    ],
)
def test_the_hint_for_a_file_that_is_no_pfx_names_only_what_the_command_takes(work, driver, words, way):
    Path("x.pfx").write_bytes(b"no pfx")
    ran = drvsign(*words.split())
    assert (ran.code, "x.pfx: the file is not a valid PFX" in ran.stderr) == (3, True)
    assert ("PEM" in ran.stderr, (way or "x.pfx") in ran.stderr) == (way is not None, True)

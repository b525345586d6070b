"""The files of a hierarchy: their permissions and content, and that no file is lost."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12

from signer.algorithms import DigestAlgorithm
from signer.certificates import load_all, load_der
from signer.errors import FileError, KeyCertificateMismatch, KeyNotFound
from testcerts import store
from testcerts.encodings import PFX_PASSWORD
from testcerts.hierarchy import read_hierarchy
from testcerts.profiles import ALL_PROFILES, HIERARCHY


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture
def folder(hierarchy, tmp_path) -> Path:
    """A copy of the hierarchy without optional profiles."""
    copy = tmp_path / "certs"
    copy.mkdir()
    for profile in HIERARCHY:
        for path in hierarchy.folder.glob(f"{profile.name}.*"):
            shutil.copy2(path, copy)
    return copy


def test_only_the_owner_can_read_keys_and_everyone_the_other_files(hierarchy):
    for path in hierarchy.folder.iterdir():
        secret = path.name.endswith((".key.pem", ".pfx"))
        assert path.stat().st_mode & 0o777 == (0o600 if secret else 0o644), path.name


def test_a_key_is_never_readable_by_others(order, tmp_path, monkeypatch):
    seen = {}
    write = Path.write_bytes

    def watched(self: Path, data: bytes) -> int:
        seen[self.name.removesuffix(".tmp")] = self.stat().st_mode & 0o077 if self.exists() else 0o077
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", watched)
    store.create(tmp_path / "new", order)
    monkeypatch.undo()
    store.create(tmp_path / "old", order)
    monkeypatch.setattr(Path, "write_bytes", watched)
    store.create(tmp_path / "old", order, force=True)
    keys = {name: mode for name, mode in seen.items() if name.endswith((".key.pem", ".pfx"))}
    assert len(keys) == 12
    assert set(keys.values()) == {0}


def test_each_profile_has_its_files(hierarchy):
    for name, profile in ALL_PROFILES.items():
        suffixes = {path.name.removeprefix(name) for path in hierarchy.folder.glob(f"{name}.*")}
        if profile.certifies:
            assert suffixes == {".cer", ".pem"}
        elif profile.authority:
            assert suffixes == {".cer", ".pem", ".key.pem", ".crl"}
        else:
            assert suffixes == {".cer", ".pem", ".key.pem", ".pfx", ".p7b"}


def test_all_files_of_a_certificate_agree(hierarchy):
    for name in ("code-signing", "time-stamping", "whql", "revoked"):
        certificate = load_der(hierarchy.path(name, ".cer").read_bytes())
        chain = [certificate, hierarchy.issuing_ca, hierarchy.root]
        key = load_pem_private_key(hierarchy.path(name, ".key.pem").read_bytes(), None)
        opened = pkcs12.load_pkcs12(hierarchy.path(name, ".pfx").read_bytes(), PFX_PASSWORD.encode())
        assert load_all(hierarchy.path(name, ".pem").read_bytes()) == chain
        assert set(load_all(hierarchy.path(name, ".p7b").read_bytes())) == set(chain)
        assert key.public_key() == certificate.public_key() == opened.key.public_key()
        assert opened.cert.certificate == certificate
        assert [entry.certificate for entry in opened.additional_certs] == chain[1:]


def test_windows_7_can_read_the_pfx(hierarchy):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    command = ["openssl", "pkcs12", "-info", "-noout", "-passin", f"pass:{PFX_PASSWORD}", "-in"]
    done = subprocess.run([*command, hierarchy.path("code-signing", ".pfx")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "MAC: sha1" in done.stderr
    assert done.stderr.count("pbeWithSHA1And3-KeyTripleDES-CBC") == 2


def test_revocation_lists_name_the_revoked_certificate_only(hierarchy):
    for name in ("root", "issuing-ca", "code-verification-root"):
        crl = x509.load_der_x509_crl(hierarchy.path(name, ".crl").read_bytes())
        assert crl.is_signature_valid(hierarchy.certificates[name].public_key())
        revoked = {hierarchy.certificates["revoked"].serial_number} if name == "issuing-ca" else set()
        assert {entry.serial_number for entry in crl} == revoked


def test_only_a_new_folder_gets_a_gitignore(hierarchy, order, tmp_path):
    assert hierarchy.path("", ".gitignore").read_text().splitlines()[-1] == "*"
    tmp_path.joinpath("notes.txt").write_text("mine")
    store.create(tmp_path, order)
    assert not (tmp_path / ".gitignore").exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_nothing_is_overwritten_without_force(folder, order):
    before = contents(folder)
    with pytest.raises(FileError, match=r"root\.cer: a test key or certificate exists") as caught:
        store.create(folder, order)
    assert "--force" in caught.value.hint
    assert contents(folder) == before


def test_a_single_existing_key_is_not_overwritten(order, tmp_path):
    (tmp_path / "time-stamping.key.pem").write_bytes(b"mine")
    with pytest.raises(FileError, match=r"time-stamping\.key\.pem"):
        store.create(tmp_path, order)
    assert contents(tmp_path) == {"time-stamping.key.pem": b"mine"}


def test_a_profile_is_added_and_nothing_else_changes(folder, order):
    before = contents(folder)
    created = store.create(folder, order, ["whql"])
    assert created.issued == ("whql",)
    after = contents(folder)
    assert {name for name in after if not name.startswith("whql.")} == set(before)
    assert all(after[name] == data for name, data in before.items())
    created.hierarchy.certificates["whql"].verify_directly_issued_by(created.hierarchy.issuing_ca)


def test_an_existing_profile_is_replaced_only_with_force(folder, order):
    store.create(folder, order, ["whql"])
    before = contents(folder)
    with pytest.raises(FileError, match=r"whql\.cer"):
        store.create(folder, order, ["whql"])
    assert contents(folder) == before
    assert store.create(folder, order, ["whql"], force=True).issued == ("whql",)
    after = contents(folder)
    assert after["whql.key.pem"] != before["whql.key.pem"]
    assert after["code-signing.key.pem"] == before["code-signing.key.pem"]


def test_revoking_a_second_certificate_keeps_the_first_on_the_list(folder, order):
    before = {entry.serial_number for entry in x509.load_der_x509_crl((folder / "issuing-ca.crl").read_bytes())}
    first = store.create(folder, order, ["revoked"]).hierarchy.certificates["revoked"]
    second = store.create(folder, order, ["revoked"], force=True).hierarchy.certificates["revoked"]
    crl = x509.load_der_x509_crl((folder / "issuing-ca.crl").read_bytes())
    assert {entry.serial_number for entry in crl} == {*before, first.serial_number, second.serial_number}
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 3


def test_with_force_all_that_the_hierarchy_issued_is_made_anew(folder, order):
    store.create(folder, order, ["cross", "revoked"])
    before = contents(folder)
    created = store.create(folder, order, force=True)
    after = contents(folder)
    assert set(created.issued) == {*(p.name for p in HIERARCHY), "code-verification-root", "cross", "revoked"}
    (former,) = set(after) - set(before)
    assert after[former] == before["root.cer"]
    assert all(after[name] != before[name] for name in before)
    created.hierarchy.certificates["cross"].verify_directly_issued_by(
        created.hierarchy.certificates["code-verification-root"]
    )


def test_the_second_cross_certificate_is_signed_by_the_existing_root(folder, order):
    store.create(folder, order, ["cross"])
    before = contents(folder)
    assert store.create(folder, order, ["cross"], force=True).issued == ("cross",)
    assert contents(folder)["code-verification-root.key.pem"] == before["code-verification-root.key.pem"]


def test_an_authority_without_its_key_cannot_issue(folder, order):
    (folder / "issuing-ca.key.pem").unlink()
    before = contents(folder)
    with pytest.raises(KeyNotFound, match=r"issuing-ca\.key\.pem: the certificate authority's key is missing"):
        store.create(folder, order, ["whql"])
    assert contents(folder) == before


def test_an_authority_with_another_key_cannot_issue(folder, order):
    shutil.copy(folder / "root.key.pem", folder / "issuing-ca.key.pem")
    with pytest.raises(KeyCertificateMismatch, match="Contoso Test Issuing CA"):
        store.create(folder, order, ["whql"])


@pytest.mark.parametrize("data", [b"", b"garbage", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_an_unreadable_key_is_named(folder, order, data):
    (folder / "issuing-ca.key.pem").write_bytes(data)
    with pytest.raises(KeyNotFound, match=r"issuing-ca\.key\.pem"):
        store.create(folder, order, ["whql"])


def test_all_files_are_unchanged_if_one_cannot_be_written(folder, order, monkeypatch):
    before = contents(folder)
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if Path(target).name == "time-stamping.pfx" and self.name.endswith("time-stamping.pfx"):
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(FileError, match="no space left"):
        store.create(folder, order, force=True)
    assert contents(folder) == before


def test_no_folder_remains_if_its_files_cannot_be_written(order, tmp_path, monkeypatch):
    def failing(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", failing)
    with pytest.raises(FileError, match="no space left"):
        store.create(tmp_path / "certs", order)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_hierarchy_has_a_hint(tmp_path):
    with pytest.raises(KeyNotFound, match=r"root\.cer is missing") as caught:
        read_hierarchy(tmp_path)
    assert "certs create" in caught.value.hint


def test_ensure_creates_the_test_identity_once(tmp_path, now):
    first, created = store.ensure(tmp_path / "a" / "generated", now)
    again, created_again = store.ensure(tmp_path / "a" / "generated", now)
    assert (created, created_again) == (True, False)
    assert first == again


def test_ensure_does_not_repair_an_incomplete_hierarchy(folder, now):
    (folder / "root.cer").unlink()
    with pytest.raises(KeyNotFound, match=r"root\.cer is missing"):
        store.ensure(folder, now)


def test_concurrent_calls_of_ensure_return_the_same_identity(tmp_path, now):
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: store.ensure(tmp_path / "generated", now), range(4)))
    assert sum(created for _, created in results) == 1
    assert len({hierarchy.root for hierarchy, _ in results}) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["generated"]


@pytest.mark.parametrize("name", ["code-signing", "time-stamping", "whql", "weak-key", "self-signed"])
def test_an_identity_signs_with_the_key_of_its_profile(hierarchy, name):
    identity = hierarchy.identity(name)
    assert identity.certificate == hierarchy.certificates[name]
    assert identity.chain == (() if name == "self-signed" else (hierarchy.issuing_ca, hierarchy.root))
    digest = DigestAlgorithm.SHA256.hash(b"driver")
    signature = identity.key.sign(digest, DigestAlgorithm.SHA256)
    key, hashed = identity.certificate.public_key(), utils.Prehashed(hashes.SHA256())
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, digest, ec.ECDSA(hashed))
    else:
        key.verify(signature, digest, padding.PKCS1v15(), hashed)


def test_an_identity_without_key_is_named(hierarchy):
    with pytest.raises(KeyNotFound, match=r"cross\.key\.pem: the key does not exist"):
        hierarchy.identity("cross")

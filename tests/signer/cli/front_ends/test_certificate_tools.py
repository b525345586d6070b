"""`makecert`, `pvk2pfx`, `certmgr` and `cert2spc`: certificates and keys that the other tools take."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from signer.certificates import common_name, extended_key_usages, load_all, thumbprint
from signer.keys.local import load_pfx
from signer.keys.pvk import load_pvk
from signer.operations.signatures import is_signed
from tests.support.front_ends import tool
from tests.support.images import PeSpec

CODE_SIGNING = "1.3.6.1.5.5.7.3.3"


def load(name: str) -> x509.Certificate:
    return x509.load_der_x509_certificate(Path(name).read_bytes())


def test_a_self_signed_certificate_in_a_store_and_a_file(stores: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Source of the call: windows-driver-docs, devtest/makecert.md."""
    assert tool("MakeCert", "-r", "-pe", "-ss", "PrivateCertStore", "-n", "CN=Contoso.com(Test)", "testcert.cer") == 0
    assert capsys.readouterr().out == "Succeeded\n"
    certificate = load("testcert.cer")
    assert (common_name(certificate), certificate.issuer) == ("Contoso.com(Test)", certificate.subject)
    assert extended_key_usages(certificate) is None
    assert certificate.not_valid_after_utc.year == 2039
    (key,) = stores.rglob("*.key.pem")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600 or os.name == "nt"
    work = Path("x.sys")
    work.write_bytes(PeSpec().build())
    assert tool("signtool", "sign", "/fd", "SHA256", "/s", "privatecertstore", "/n", "Contoso.com(Test)", work) == 0
    assert is_signed(work.read_bytes())


def test_what_a_certificate_says() -> None:
    words = (
        "-n",
        "CN=Contoso Root, O=Contoso",
        "-cy",
        "authority",
        "-h",
        "1",
        "-#",
        "77",
        "-len",
        "3072",
        "-sky",
        "signature",
    )
    assert tool("makecert", "-r", *words, "-a", "sha512", "-b", "02/28/2025", "-m", "12", "root.cer") == 0
    certificate = load("root.cer")
    assert certificate.serial_number == 77
    assert certificate.not_valid_before_utc == datetime(2025, 2, 28, tzinfo=UTC)
    assert certificate.not_valid_after_utc == datetime(2026, 2, 28, tzinfo=UTC)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (constraints.ca, constraints.path_length) == (True, 1)
    assert isinstance(key := certificate.public_key(), rsa.RSAPublicKey)
    assert key.key_size == 3072
    algorithm = certificate.signature_hash_algorithm
    assert algorithm is not None
    assert algorithm.name == "sha512"


def test_sha1_becomes_sha256_with_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("makecert", "-r", "-n", "CN=X", "-a", "sha1", "x.cer") == 0
    assert "signed with SHA-256" in capsys.readouterr().err
    algorithm = load("x.cer").signature_hash_algorithm
    assert algorithm is not None
    assert algorithm.name == "sha256"


def test_a_chain_in_files_becomes_a_pfx(capsys: pytest.CaptureFixture[str]) -> None:
    assert tool("makecert", "-r", "-n", "CN=Root", "-cy", "authority", "-sv", "root.pvk", "root.cer") == 0
    leaf = ("makecert", "-n", "CN=Leaf", "-ic", "root.cer", "-iv", "root.pvk", "-eku", CODE_SIGNING)
    assert tool(*leaf, "-sv", "leaf.pvk", "leaf.cer") == 0
    certificate, issuer = load("leaf.cer"), load("root.cer")
    certificate.verify_directly_issued_by(issuer)
    assert tool("cert2spc", "leaf.cer", "root.cer", "leaf.spc") == 0
    assert set(load_all(Path("leaf.spc").read_bytes())) == {certificate, issuer}
    assert tool("pvk2pfx", "-pvk", "leaf.pvk", "-spc", "leaf.spc", "-pfx", "leaf.pfx", "-po", "secret") == 0
    assert "-po" in capsys.readouterr().err
    assert tool("pvk2pfx", "-pvk", "leaf.pvk", "-spc", "leaf.spc", "-pfx", "leaf.pfx") == 1
    assert tool("pvk2pfx", "-pvk", "leaf.pvk", "-spc", "leaf.spc", "-pfx", "open.pfx", "-f") == 0
    for name, password in (("leaf.pfx", "secret"), ("open.pfx", None)):
        identity = load_pfx(Path(name).read_bytes(), password)
        assert (identity.certificate, identity.chain) == (certificate, (issuer,))
        assert stat.S_IMODE(Path(name).stat().st_mode) == 0o600 or os.name == "nt"
    assert tool("pvk2pfx", "-pvk", "root.pvk", "-spc", "leaf.cer", "-pfx", "wrong.pfx") == 1
    assert not Path("wrong.pfx").exists()


def test_a_key_file_that_exists_is_used() -> None:
    assert tool("makecert", "-r", "-n", "CN=A", "-sv", "key.pvk", "a.cer") == 0
    before = Path("key.pvk").read_bytes()
    assert tool("makecert", "-r", "-n", "CN=B", "-sv", "key.pvk", "b.cer") == 0
    assert Path("key.pvk").read_bytes() == before
    key = load_pvk(before, None)
    signature = key.sign(b"x", padding.PKCS1v15(), load("a.cer").signature_hash_algorithm)  # type: ignore[arg-type]
    for name in ("a.cer", "b.cer"):
        public = load(name).public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        public.verify(signature, b"x", padding.PKCS1v15(), load(name).signature_hash_algorithm)  # type: ignore[arg-type]


def test_a_certificate_issued_by_one_in_a_store() -> None:
    assert tool("makecert", "-r", "-n", "CN=Contoso Root", "-ss", "Roots", "-cy", "authority", "root.cer") == 0
    leaf = ("makecert", "-n", "CN=Leaf", "-is", "Roots", "-eku", CODE_SIGNING, "-ss", "My")
    assert tool(*leaf, "-in", "contoso", "leaf.cer") == 0
    assert tool(*leaf, "-ic", "root.cer", "other.cer") == 0
    load("leaf.cer").verify_directly_issued_by(load("root.cer"))
    Path("x.sys").write_bytes(PeSpec().build())
    assert (
        tool("signtool", "sign", "/fd", "SHA256", "/r", "Contoso Root", "/sha1", thumbprint(load("leaf.cer")), "x.sys")
        == 0
    )


@pytest.fixture
def two() -> None:
    """The certificates CN=One and CN=Two in the store Build, and one.cer."""
    assert tool("makecert", "-r", "-n", "CN=One", "-ss", "Build", "one.cer") == 0
    assert tool("makecert", "-r", "-n", "CN=Two", "-ss", "Build", "two.cer") == 0


@pytest.mark.usefixtures("two")
def test_the_list_of_a_store_and_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines that windows-drivers-rs' cargo-wdk looks for."""
    capsys.readouterr()
    assert tool("certmgr.exe", "-s", "Build") == 0
    text = capsys.readouterr().out
    assert "==============Certificate # 2 ==========\nSubject::\n" in text
    assert "  [0,0] 2.5.4.3 (CN) One\n" in text
    assert text.endswith("CertMgr Succeeded\n")
    assert tool("certmgr", "-s", "Empty") == 0
    assert "==============No Certificates ==========" in capsys.readouterr().out
    assert tool("certmgr", "/v", "one.cer") == 0
    assert "NotAfter::" in capsys.readouterr().out


@pytest.mark.usefixtures("two")
def test_certificates_are_saved_copied_and_deleted(stores: Path) -> None:
    assert tool("certmgr", "-put", "-c", "-n", "Two", "-s", "Build", "saved.cer") == 0
    assert Path("saved.cer").read_bytes() == Path("two.cer").read_bytes()
    assert tool("certmgr", "-put", "-c", "-s", "Build", "both.cer") == 1
    assert tool("certmgr", "-add", "-all", "-c", "-s", "Build", "both.p7b") == 0
    assert {common_name(one) for one in load_all(Path("both.p7b").read_bytes())} == {"One", "Two"}
    assert tool("certmgr", "/add", "one.cer", "/s", "Other") == 0
    assert [path.parent.name for path in stores.rglob(f"{thumbprint(load('one.cer'))}.pem")] != []
    assert tool("certmgr", "-del", "-s", "Build") == 1
    assert tool("certmgr", "-del", "-c", "-sha1", thumbprint(load("one.cer")), "-s", "Build") == 0
    assert len(list((stores / "build").glob("*.pem"))) == 2  # Two and its key
    assert tool("certmgr", "-del", "-all", "-c", "both.p7b") == 0
    assert tool("certmgr", "-put", "-n", "One", "both.p7b", "x.cer") == 1


def test_no_certificate_of_the_test_authority_is_deleted(made_identity: Path) -> None:
    before = sorted(path.name for path in made_identity.iterdir())
    assert tool("certmgr", "-del", "-all", "-c", "-s", "My") == 1
    assert sorted(path.name for path in made_identity.iterdir()) == before


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("store", ["Root", "TrustedPublisher", "CA", "disallowed"])
def test_no_store_that_a_machine_trusts_is_changed(
    store: str, stores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool("certmgr", "/add", "one.cer", "/s", store) == 1
    printed = capsys.readouterr()
    assert "drvsign certs install-script" in printed.err
    assert printed.err.endswith("CertMgr Failed\n")
    assert not (stores / store.lower()).exists()

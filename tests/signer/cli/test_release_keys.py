"""No test key signs for a release, whoever names it and for whatever command; the files stay as they were."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from signer.asn1.oids import EKU_CODE_SIGNING
from tests.support.hierarchy import Entity, issue, rsa_key
from tests.support.inf_files import BASE, write_package
from tests.support.program import drvsign, state
from tests.support.published import published_by_key

ROOT = issue("Test Root", ca=True, may_sign=True, private_key=rsa_key("Test Root"))
LEAF = issue("Test Signer", ROOT, usages=[EKU_CODE_SIGNING], private_key=rsa_key("Test Signer"))
ALONE = issue("Self-signed", usages=[EKU_CODE_SIGNING], private_key=rsa_key("Self-signed"))
COMMANDS = {
    "sign": ("sign", "echo/sample.sys"),
    "sign a catalog": ("sign", "sample.cat"),
    "sign a copy": ("sign", "echo/sample.sys", "--output", "copy.sys"),
    "sign with both digests": ("sign", "echo/sample.sys", "--dual"),
    "sign apart": ("sign", "echo/sample.sys", "--detached", "sample.p7"),
    "package": ("package", "echo"),
    "package a copy": ("package", "echo", "--output-dir", "out"),
    "package without writing": ("package", "echo", "--dry-run"),
    "catalog": ("catalog", "sign", "sample.cat"),
    "submission": ("submission", "build", "echo", "--output", "echo.cab"),
}


def namesake() -> tuple[Entity, tuple[x509.Certificate, ...]]:
    """Return a signer under a root with the name of a published root; the signature carries the published one too."""
    published = next(iter(published_by_key().values())).load()
    root = issue(published.subject, ca=True, may_sign=True, private_key=rsa_key("Namesake"))
    leaf = issue("Contoso", root, usages=[EKU_CODE_SIGNING], private_key=rsa_key("Contoso"))
    return leaf, (root.certificate, published)


def write_pfx(path: Path, leaf: Entity, *chain: x509.Certificate) -> None:
    key = leaf.private_key
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"x", key, leaf.certificate, chain, NoEncryption()))  # type: ignore[arg-type]


def write_pem(leaf: Entity, *issuers: Entity) -> None:
    """Write the certificates as signer.pem and the key as signer.key.pem."""
    chain = b"".join(one.certificate.public_bytes(Encoding.PEM) for one in (leaf, *issuers))
    Path("signer.pem").write_bytes(chain)
    key = leaf.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    Path("signer.key.pem").write_bytes(key)


def by_default(profile: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return []


def by_environment(profile: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    assert drvsign("certs", "create", "theirs").code == 0
    assert drvsign("certs", "export", "theirs", "--output", "ci.pfx").code == 0
    monkeypatch.setenv("DRVSIGN_TEST_PFX", base64.b64encode(Path("ci.pfx").read_bytes()).decode())
    return []


def by_profile(profile: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    write_pfx(Path("test.pfx"), LEAF, ROOT.certificate)
    profile.append(f'identity = "pfx:{Path("test.pfx").resolve().as_posix()}"')
    return []


def by_folder_of_the_profile(profile: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    assert drvsign("certs", "create", "theirs").code == 0
    profile.append(f'certs = "{Path("theirs").resolve().as_posix()}"')
    return []


def by_pfx(profile: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    write_pfx(Path("test.pfx"), LEAF, ROOT.certificate)
    return ["--pfx", "test.pfx"]


def by_uri(profile: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    write_pfx(Path("test.pfx"), LEAF, ROOT.certificate)
    return ["--identity", "pfx:test.pfx"]


def by_files(profile: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    write_pem(LEAF, ROOT)
    return ["--cert", "signer.pem", "--key", "signer.key.pem"]


def without_its_root(profile: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    write_pem(LEAF)
    return ["--cert", "signer.pem", "--key", "signer.key.pem"]


def self_signed(profile: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    write_pem(ALONE)
    return ["--cert", "signer.pem", "--key", "signer.key.pem"]


def under_a_namesake(profile: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    leaf, chain = namesake()
    write_pfx(Path("test.pfx"), leaf, *chain)
    return ["--pfx", "test.pfx"]


WAYS: list[Callable[[list[str], pytest.MonkeyPatch], list[str]]] = [
    by_default,
    by_environment,
    by_profile,
    by_folder_of_the_profile,
    by_pfx,
    by_uri,
    by_files,
    without_its_root,
    self_signed,
    under_a_namesake,
]


def prepared() -> None:
    """Write a package, and an unsigned catalog beside it, so that nothing finds a signature of another signer."""
    write_package(Path("echo"), BASE)
    assert drvsign("catalog", "build", "echo", "--os", "10_X64").code == 0
    Path("echo/sample.cat").rename("sample.cat")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_test_key_signs_no_release(
    way: Callable[..., list[str]], work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared()
    lines = ["[profile.release]", 'timestamp = ["http://127.0.0.1:9/"]', 'os = ["10_X64"]']
    options = way(lines, monkeypatch)
    for folder in (Path(), Path("echo")):
        (folder / "drvsign.toml").write_text("\n".join(lines) + "\n", "utf-8")
    before = state(work)
    for name, arguments in COMMANDS.items():
        ran = drvsign(*arguments, "--profile", "release", *options)
        assert ran.code == 3, (name, ran.stderr)
        assert "can't be used" in ran.stderr or "not to sign with the profile 'release'" in ran.stderr, ran.stderr
        assert state(work) == before, name

"""`--profile`: what it says, what it refuses, and that nothing changes where it refuses."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs12

from signer.algorithms import DigestAlgorithm
from signer.cli.tsa_server import serving
from signer.keys.local import LocalKey
from signer.trust.roots import kernel_roots
from signer.trust.store import TrustedKey, TrustStore
from signer.verify.gather import gather
from tests.support.identities import certificate, private_key
from tests.support.inf_files import BASE, with_change, write_package
from tests.support.program import drvsign, state
from tests.support.timestamping import ROOT, tsa

RELEASE_ROOT = ("Drvsign Release Root", "rsa2048")
MICROSOFT = ("Drvsign Code Verification Root", "rsa2048")
CHAIN = [certificate(*RELEASE_ROOT)]
LEAF = certificate("Drvsign Release", "rsa2048", RELEASE_ROOT)


def cross_certificate(ends: datetime | None = None) -> x509.Certificate:
    """A certificate for the root's key, as Microsoft issued them to commercial authorities."""
    own = certificate(*RELEASE_ROOT)
    return (
        x509.CertificateBuilder()
        .subject_name(own.subject)
        .issuer_name(certificate(*MICROSOFT).subject)
        .public_key(own.public_key())
        .serial_number(77)
        .not_valid_before(own.not_valid_before_utc)
        .not_valid_after(ends or own.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private_key(MICROSOFT[1], MICROSOFT[0]), hashes.SHA256())
    )


@pytest.fixture
def url() -> Iterator[str]:
    with serving(tsa()) as server:
        yield server.url


@pytest.fixture
def package(work: Path) -> Path:
    write_package(work / "echo", BASE)
    key = private_key("rsa2048", "Drvsign Release")
    pfx = pkcs12.serialize_key_and_certificates(b"release", key, LEAF, CHAIN, NoEncryption())
    (work / "release.pfx").write_bytes(pfx)
    (work / "cross.cer").write_bytes(cross_certificate().public_bytes(Encoding.DER))
    return work / "echo"


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our roots stand where a commercial one and the Code Verification Root do: the real release roots have no key."""
    store = TrustStore.test_signing([*CHAIN, certificate(*ROOT), certificate(*MICROSOFT)])
    (known,) = (root for root in kernel_roots() if root.kind == "code-verification")

    def instead(key: TrustedKey) -> TrustedKey:
        if key.anchor.name == MICROSOFT[0]:
            return replace(key, anchor=replace(key.anchor, kind=known.kind, root_id=known.root_id))
        return replace(key, anchor=replace(key.anchor, kind="commercial"))

    store._by_key = {digest: instead(key) for digest, key in store._by_key.items()}
    store._by_subject = {subject: tuple(map(instead, keys)) for subject, keys in store._by_subject.items()}
    monkeypatch.setattr(TrustStore, "release", classmethod(lambda cls: store))


def write_profile(package: Path, text: str) -> None:
    (package / "drvsign.toml").write_text(text, "utf-8")


def release(url: str, more: str = "") -> str:
    crosses = 'cross-certificates = ["../cross.cer"]'
    head = '[profile.release]\nidentity = "pfx:../release.pfx"\nos = ["7_X64"]'
    return f'{head}\n{crosses}\ntimestamp = ["{url}"]\n{more}\n'


@pytest.mark.usefixtures("trusted")
def test_a_release_is_signed_timestamped_catalogued_and_verified(package: Path, url: str) -> None:
    write_profile(package, release(url, 'targets = ["win7-x64"]\npage-hashes = true\ndescription = "Echo"'))
    ran = drvsign("package", package, "--profile", "release")
    assert ran.code == 0, ran.stderr
    assert "accepted by win7-x64" in ran.stderr
    (driver,) = gather((package / "sample.sys").read_bytes(), "image", "sample.sys").signatures
    (catalog,) = gather((package / "sample.cat").read_bytes(), "catalog", "sample.cat").signatures
    for signature in (driver, catalog):
        assert signature.intact
        assert signature.timestamp is not None and signature.timestamp.intact
        assert signature.signer == LEAF
    assert (driver.page_hashes, driver.program_name) == ("sha256", "Echo")


@pytest.mark.usefixtures("trusted")
def test_a_rehearsal_uses_key_and_authority_and_writes_nothing(package: Path, url: str) -> None:
    write_profile(package, release(url, 'targets = ["win7-x64"]'))
    before = state(package)
    ran = drvsign("package", package, "--profile", "release", "--dry-run", "--json")
    assert ran.code == 0, ran.stderr
    assert "signed a throw-away digest (sha256)" in ran.stderr
    assert f"Timestamped by {url}" in ran.stderr
    assert state(package) == before
    assert [(Path(one["path"]).name, one["action"]) for one in ran.document["files"]] == [
        ("sample.sys", "planned"),
        ("sample.cat", "planned"),
    ]
    rows = [
        (one["kind"], row["target"], row["verdict"])
        for one in ran.document["verdict"]["files"]
        for row in one["targets"]
    ]
    assert rows == [("package", "win7-x64", "accepted"), ("image", "win7-x64", "accepted")]
    signed = drvsign("package", package, "--profile", "release", "--json").document
    assert [one["digest"] for one in ran.document["files"][:1]] == [one["digest"] for one in signed["files"][:1]]
    rehearsed, real = ({**one["verdict"], "files": len(one["verdict"]["files"])} for one in (ran.document, signed))
    assert rehearsed == real


@pytest.mark.usefixtures("trusted")
def test_a_rehearsal_uses_the_key_once_and_asks_for_one_timestamp(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed: list[bytes] = []
    sign = LocalKey.sign

    def counted(key: LocalKey, digest: bytes, algorithm: DigestAlgorithm) -> bytes:
        signed.append(digest)
        return sign(key, digest, algorithm)

    asked: list[str] = []
    with serving(tsa(), log=asked.append) as server:
        write_profile(package, release(server.url, 'targets = ["win7-x64"]'))
        monkeypatch.setattr(LocalKey, "sign", counted)
        assert drvsign("package", package, "--profile", "release", "--dry-run").code == 0
    (digest,) = [one for one in signed if one == hashlib.sha256(b"drvsign package --dry-run").digest()]
    assert signed[0] == digest
    assert len(asked) == 1


def test_a_rehearsal_judges_the_package_that_it_built(package: Path) -> None:
    """The INF has nothing for a target: only the package shows it, not the certificate."""
    write_profile(package, '[profile.test]\ntrust = "test-signing"\ntargets = ["win11-24h2-x64", "win7-x64"]')
    inf = package / "sample.inf"
    inf.write_text(inf.read_text("utf-8").replace("NTamd64", "NTamd64.10.0"), "utf-8")
    before = state(package)
    ran = drvsign("package", package, "--profile", "test", "--dry-run", "--json")
    assert (ran.code, state(package)) == (1, before), ran.stderr
    assert [row["verdict"] for row in ran.document["verdict"]["files"][0]["targets"]] == ["accepted", "not-applicable"]
    assert ran.errors == drvsign("package", package, "--profile", "test").errors


def test_a_rehearsal_names_the_catalog_of_the_inf(package: Path) -> None:
    ran = drvsign("package", package, "--dry-run", "--json")
    assert ran.code == 0, ran.stderr
    whole, driver = ran.document["verdict"]["files"]
    assert whole["path"] == str(package)
    assert [one["catalog"] for one in (*whole["signatures"], *driver["signatures"])] == [
        "sample.cat",
        None,
        "sample.cat",
    ]
    assert all(one["intact"] for one in (*whole["signatures"], *driver["signatures"]))


def test_a_rehearsal_reports_another_error_than_the_signature_value(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the value of the throw-away signature is believed; the digest of the file is compared."""
    monkeypatch.setattr("catalogs.catalog.file.Catalog.contains", lambda *_: False)
    ran = drvsign("package", package, "--dry-run")
    assert (ran.code, "not-catalogued" in ran.stderr) == (3, True)


@pytest.mark.parametrize("options", [(), ("--output-dir", "out")], ids=["in-place", "copies"])
def test_a_rehearsal_writes_no_test_identity(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    (Path("testcerts") / "generated").unlink()
    before = state(tmp_path)
    ran = drvsign("package", package, "--dry-run", *options)
    assert ran.code == 0, ran.stderr
    assert "throw-away one" in ran.stderr and "accepted" in ran.stdout
    assert state(tmp_path) == before
    pfx = tmp_path / "ci.pfx"
    assert drvsign("certs", "export", "--output", pfx).code == 3, "there is no authority to export"
    assert drvsign("certs", "create", tmp_path / "theirs").code == 0
    assert drvsign("certs", "export", tmp_path / "theirs", "--output", pfx).code == 0
    monkeypatch.setenv("DRVSIGN_TEST_PFX", base64.b64encode(pfx.read_bytes()).decode())
    before = state(tmp_path)
    ran = drvsign("package", package, "--dry-run", *options)
    assert (ran.code, state(tmp_path)) == (0, before)
    assert "throw-away one" not in ran.stderr


def test_a_rehearsal_of_copies_leaves_the_originals_signature_alone(package: Path) -> None:
    """With --output-dir the driver may have another signer's signature, as when it is signed."""
    key = ["--pfx", "release.pfx"]
    assert drvsign("sign", package / "sample.sys", *key).code == 0
    refused = drvsign("package", package, "--dry-run")
    assert (refused.code, "--skip-signed" in refused.stderr) == (3, True)
    ran = drvsign("package", package, "--dry-run", "--output-dir", "out", "--json")
    assert (ran.code, [one["path"] for one in ran.document["files"]]) == (0, ["out/sample.sys", "out/sample.cat"])


@pytest.mark.usefixtures("trusted", "no_pauses")
@pytest.mark.parametrize("fault", ["authority", "target", "inf"])
def test_a_rehearsal_fails_where_signing_would(package: Path, url: str, fault: str) -> None:
    targets = '["win11-25h2-x64"]' if fault == "target" else '["win7-x64"]'
    write_profile(package, release("http://127.0.0.1:9/" if fault == "authority" else url, f"targets = {targets}"))
    if fault == "inf":
        (package / "sample.sys").unlink()
    before = state(package)
    assert drvsign("package", package, "--profile", "release", "--dry-run").code == 3
    assert state(package) == before


def test_a_rehearsal_with_a_key_of_another_certificate_fails(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The signature is checked, so that a key that signs something else is noticed."""
    monkeypatch.setattr(LocalKey, "sign", lambda *_: bytes(256))
    ran = drvsign("package", package, "--dry-run")
    assert (ran.code, "throw-away digest does not match" in ran.stderr) == (3, True)


@pytest.mark.usefixtures("trusted")
def test_a_target_that_can_not_be_satisfied_is_said_before_anything_is_signed(package: Path, url: str) -> None:
    write_profile(package, release(url, 'targets = ["win7-x64", "win11-25h2-x64"]'))
    before = state(package)
    ran = drvsign("package", package, "--profile", "release")
    assert ran.code == 3
    assert "Windows 11" in ran.stderr and "release-target" in ran.stderr
    assert "Timestamped" not in ran.stderr
    assert state(package) == before


@pytest.mark.usefixtures("trusted")
def test_an_expired_cross_certificate_signs_for_nobody(package: Path, url: str, work: Path) -> None:
    expired = cross_certificate(datetime(2025, 1, 1, tzinfo=UTC))
    (work / "cross.cer").write_bytes(expired.public_bytes(Encoding.DER))
    write_profile(package, release(url, 'targets = ["win7-x64"]'))
    ran = drvsign("package", package, "--profile", "release")
    assert ran.code == 3
    assert "after the cross-certificate" in ran.stderr


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--digest", "sha1"], "release-digest"),
        (["--cert", "cert.pem", "--key", "key.pem"], "release-identity"),
    ],
)
def test_what_an_option_changes_is_refused_too(
    package: Path, url: str, work: Path, options: list[str], code: str
) -> None:
    for name, source in (("cert.pem", "code-signing.pem"), ("key.pem", "code-signing.key.pem")):
        (work / name).write_bytes((work / "testcerts" / "generated" / source).read_bytes())
    write_profile(package, release(url))
    before = state(package)
    ran = drvsign("package", package, "--profile", "release", *options)
    assert ran.code == 3
    assert code in ran.stderr
    assert state(package) == before


@pytest.mark.usefixtures("trusted")
def test_no_timestamp_is_refused_by_sign_as_well(package: Path) -> None:
    write_profile(package, '[profile.release]\nidentity = "pfx:../release.pfx"\n')
    config = package / "drvsign.toml"
    before = state(package)
    ran = drvsign("sign", package / "sample.sys", "--profile", "release", "--config", config, "--json")
    assert ran.code == 3
    assert ran.document["error"]["code"] == "release-refused"
    assert "release-timestamp" in ran.stderr
    assert state(package) == before


@pytest.mark.usefixtures("trusted")
def test_a_release_replaces_the_developer_s_test_signature(package: Path, url: str) -> None:
    assert drvsign("sign", package / "sample.sys").code == 0
    write_profile(package, release(url))
    ran = drvsign("package", package, "--profile", "release")
    assert ran.code == 0, ran.stderr
    signer = drvsign("inspect", package / "sample.sys").stdout
    assert "drvsign Test" not in signer


@pytest.mark.usefixtures("trusted")
def test_a_driver_with_the_signature_of_another_test_authority_is_not_released(package: Path, url: str) -> None:
    assert drvsign("certs", "create", "colleague").code == 0
    other = ["--cert", "colleague/code-signing.pem", "--key", "colleague/code-signing.key.pem"]
    assert drvsign("sign", package / "sample.sys", *other).code == 0
    write_profile(package, release(url))
    before = state(package)
    ran = drvsign("package", package, "--profile", "release")
    assert ran.code == 3
    assert "foreign-signature: signed by drvsign Test" in ran.stderr
    assert state(package) == before


def test_the_test_identity_signs_no_release(package: Path, work: Path) -> None:
    write_profile(package, "[profile.release]\n")
    ran = drvsign("package", package, "--profile", "release")
    assert ran.code == 3
    assert "a release needs a signer" in ran.stderr
    assert not (package / "sample.cat").exists()


def test_a_profile_for_tests_signs_with_the_test_identity(package: Path) -> None:
    text = '[profile.test]\ntrust = "test-signing"\nos = ["10_X64"]\ntargets = ["win11-25h2-x64"]\n'
    write_profile(package, text)
    ran = drvsign("package", package, "--profile", "test")
    assert ran.code == 0, ran.stderr
    assert "accepted by win11-25h2-x64" in ran.stderr


def test_a_target_of_another_architecture_is_not_passed_over_in_silence(package: Path) -> None:
    targets = 'targets = ["win11-25h2-x64", "win11-25h2-arm64"]'
    write_profile(package, f'[profile.test]\ntrust = "test-signing"\nos = ["10_X64"]\n{targets}\n')
    ran = drvsign("package", package, "--profile", "test")
    assert ran.code == 0, ran.stderr
    assert "sample.cat: accepted by win11-25h2-x64." in ran.stderr
    assert "warning: sample.cat: the package installs nothing on win11-25h2-arm64; not checked" in ran.stderr


def test_a_target_that_the_inf_installs_nothing_on_rejects_the_package(package: Path) -> None:
    """`package` and `verify` give one answer: the models are for Windows 10 1709 and later."""
    models = ("Models,NTamd64", "[Models.NTamd64]")
    later = with_change(*((old, old.replace("NTamd64", "NTamd64.10.0...16299")) for old in models))
    write_package(package, later)
    write_profile(package, '[profile.test]\ntrust = "test-signing"\nos = ["10_X64"]\ntargets = ["win10-1507-x64"]\n')
    before = state(package)
    ran = drvsign("package", package, "--profile", "test")
    assert ran.code == 1
    assert "has no models for Windows 10 version 1507 x64" in ran.stderr
    assert state(package) == before


@pytest.mark.usefixtures("trusted")
def test_a_cabinet_for_the_portal_is_signed_as_the_profile_says(package: Path, url: str, work: Path) -> None:
    write_profile(package, release(url, 'targets = ["win11-25h2-x64"]'))
    ran = drvsign("submission", "build", package, "-o", work / "echo.cab", "--profile", "release")
    assert ran.code == 0, "Microsoft signs for the targets: " + ran.stderr
    (signature,) = gather((work / "echo.cab").read_bytes(), "cabinet", "echo.cab").signatures
    assert signature.signer == LEAF
    assert signature.timestamp is not None and signature.timestamp.intact
    write_profile(package, "[profile.release]\n")
    ran = drvsign("submission", "build", package, "-o", work / "other.cab", "--profile", "release")
    assert (ran.code, (work / "other.cab").exists()) == (3, False)


def test_sign_finds_the_profile_beside_the_driver(package: Path) -> None:
    write_profile(package, '[profile.test]\ntrust = "test-signing"\nurl = "http://beside"\n')
    assert drvsign("sign", package / "sample.sys", "--profile", "test").code == 0
    (signature,) = gather((package / "sample.sys").read_bytes(), "image", "sample.sys").signatures
    assert signature.url == "http://beside"


def test_options_count_before_the_environment_and_that_before_the_profile(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_profile(package, '[profile.test]\ntrust = "test-signing"\ndescription = "profile"\nurl = "http://profile"\n')
    monkeypatch.setenv("DRVSIGN_DESCRIPTION", "environment")
    monkeypatch.setenv("DRVSIGN_PROFILE", "test")

    def said() -> tuple[str | None, str | None]:
        (signature,) = gather((package / "sample.sys").read_bytes(), "image", "sample.sys").signatures
        return signature.program_name, signature.url

    assert drvsign("package", package).code == 0
    assert said() == ("environment", "http://profile")
    assert drvsign("package", package, "--description", "option").code == 0
    assert said() == ("option", "http://profile")


def test_the_nearest_file_counts(package: Path, work: Path) -> None:
    (work / "drvsign.toml").write_text('[profile.test]\ntrust = "test-signing"\nurl = "http://above"\n')
    assert drvsign("package", package, "--profile", "test").code == 0
    (signature,) = gather((package / "sample.sys").read_bytes(), "image", "sample.sys").signatures
    assert signature.url == "http://above"


@pytest.mark.parametrize(
    ("text", "arguments", "code", "message"),
    [
        ("[profile.release]\n", ["--profile", "relase"], 3, "Did you mean release?"),
        ("[profile.test]\ndigset = 1\n", ["--profile", "test"], 3, "drvsign.toml:2"),
        ("[profile.test]\n", ["--config", "echo/drvsign.toml"], 2, "--config requires --profile"),
        ("", ["--profile", "test", "--config", "nowhere.toml"], 3, "nowhere.toml"),
        ('[profile.test]\ntrust = "test-signing"\ntargets = ["win13-x64"]\n', ["--profile", "test"], 2, "win13"),
        ('[profile.test]\ntrust = "test-signing"\nos = ["13_X64"]\n', ["--profile", "test"], 2, "13_X64"),
    ],
)
def test_what_is_wrong_with_a_profile_is_said(
    package: Path, text: str, arguments: list[str], code: int, message: str
) -> None:
    write_profile(package, text)
    before = state(package)
    ran = drvsign("package", package, *arguments)
    assert (ran.code, message in ran.stderr) == (code, True), ran.stderr
    assert state(package) == before


def test_without_a_file_the_profile_is_not_found(package: Path) -> None:
    ran = drvsign("package", package, "--profile", "release")
    assert ran.code == 3
    assert "no drvsign.toml" in ran.stderr


def test_a_file_that_does_not_exist_can_be_created_with_init(package: Path) -> None:
    ran = drvsign("package", package, "--config", "gone.toml", "--profile", "release")
    assert (ran.code, "gone.toml: file not found" in ran.stderr, "drvsign init" in ran.stderr) == (3, True, True)


def test_a_profile_names_the_folder_of_the_test_certificates_and_the_variable_counts_before_it(driver, monkeypatch):
    (driver.parent / "drvsign.toml").write_text('[profile.lab]\ntrust = "test-signing"\ncerts = "lab"\n')
    assert f"created a test identity in {driver.parent / 'lab'}." in drvsign("sign", driver, "--profile", "lab").stderr
    monkeypatch.setenv("DRVSIGN_CERTS", str(driver.parent / "ci"))
    ran = drvsign("sign", driver, "--profile", "lab", "--replace")
    assert f"created a test identity in {driver.parent / 'ci'}." in ran.stderr


def test_a_profile_for_tests_trusts_the_root_of_the_certs_folder_that_the_call_names(work):
    """The check before the files are replaced uses the root of the identity that signs."""
    write_package(work / "driver", BASE)
    (work / "drvsign.toml").write_text('[profile.lab]\ntrust = "test-signing"\ntargets = ["win11-24h2-x64"]\n')
    ran = drvsign("package", "driver", "--profile", "lab", "--certs", work / "lab")
    assert (ran.code, "accepted by win11-24h2-x64" in ran.stderr) == (0, True)
    assert f"--certs {work / 'lab'}" in ran.stderr


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('targets = ["win11"]', "unknown target 'win11'"),
        ('os = ["10_X46"]', "unknown Windows release '10_X46'"),
        ('arch = "x46"', "unknown architecture 'x46'"),
        ('driver-version = "one"', "not a version: 'one'"),
        ('driver-date = "soon"', "not a date: 'soon'"),
    ],
)
def test_an_unknown_name_in_a_profile_is_said_with_the_path_of_the_file(package: Path, line: str, says: str) -> None:
    (package / "drvsign.toml").write_text(f'[profile.test]\ntrust = "test-signing"\n{line}\n')
    before = state(package)
    ran = drvsign("package", package, "--profile", "test")
    assert (ran.code, ran.errors[0]) == (2, f"error: {(package / 'drvsign.toml').resolve()}: {says}")
    assert state(package) == before

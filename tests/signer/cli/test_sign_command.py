"""`drvsign sign` and `drvsign strip`: what they write, what they print, what they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

from signer.algorithms import DigestAlgorithm
from signer.operations.signatures import signatures
from signer.pe import lief_process
from signer.pkcs7 import indirect_data
from signer.pkcs7.parse import parse
from tests.support.identities import certificate, identity, private_key
from tests.support.images import PeSpec
from tests.support.program import drvsign, state

FILE_KEYS = {"path", "action", "digest_algorithm", "digest", "signer", "error"}


def algorithms(path: Path) -> list[str]:
    """The image digest's algorithm in each signature."""
    return [str(indirect_data.parse(parse(der).content).algorithm) for der in signatures(path.read_bytes())]


def test_a_driver_is_signed_with_the_test_identity(driver):
    ran = drvsign("sign", driver, "--json")
    assert ran.code == 0
    assert ran.document["schema"] == "drvsign.result/1"
    (entry,) = ran.document["files"]
    assert set(entry) == FILE_KEYS
    assert (entry["action"], entry["digest_algorithm"], entry["error"]) == ("signed", "sha256", None)
    (der,) = signatures(driver.read_bytes())
    assert indirect_data.parse(parse(der).content).digest.hex() == entry["digest"]


def test_a_test_identity_is_made_on_first_use_with_a_notice(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    Path("a.sys").write_bytes(PeSpec().build())
    first, second = drvsign("sign", "a.sys"), drvsign("sign", "a.sys")
    assert (first.code, second.code) == (0, 0)
    folder = tmp_path / "data" / "drvsign" / "testcerts"
    assert f"created a test identity in {folder}." in first.stderr
    assert second.stderr == ""
    assert (folder / "code-signing.pfx").is_file()
    assert not Path("testcerts").exists()


@pytest.mark.parametrize("with_issuer", [True, False], ids=["with-issuer", "alone"])
def test_a_certificate_that_comes_without_its_issuer_s_is_told(driver, made_identity, tmp_path, with_issuer):
    """Nobody who lacks the issuing CA's certificate could verify the signature."""
    alone = tmp_path / "signer.pem"
    names = ["code-signing.cer", "issuing-ca.cer"] if with_issuer else ["code-signing.cer"]
    certificates = [x509.load_der_x509_certificate((made_identity / name).read_bytes()) for name in names]
    alone.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))
    ran = drvsign("sign", driver, "--cert", alone, "--key", made_identity / "code-signing.key.pem")
    assert ran.code == 0
    assert ("came without its issuer" in ran.stderr) is not with_issuer


def test_strip_gives_the_unsigned_image_back(driver):
    before = driver.read_bytes()
    drvsign("sign", driver)
    assert driver.read_bytes() != before
    assert drvsign("strip", driver).code == 0
    after = bytearray(driver.read_bytes())
    after[0x80 + 24 + 64 : 0x80 + 24 + 68] = bytes(4)  # the checksum, which is right now
    assert bytes(after) == before


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), ["sha256"]),
        (("--digest", "sha384"), ["sha384"]),
        (("--digest", "sha1"), ["sha1"]),
        (("--dual",), ["sha1", "sha256"]),
        (("--dual", "--digest", "sha512"), ["sha1", "sha512"]),
    ],
    ids=["default", "sha384", "sha1", "dual", "dual-sha512"],
)
def test_the_digests_that_are_asked_for(driver, options, expected):
    assert drvsign("sign", driver, *options).code == 0
    assert algorithms(driver) == expected


def test_sha1_is_signed_with_a_warning(driver):
    assert "warning: SHA-1" in drvsign("sign", driver, "--digest", "sha1").stderr


def test_append_nests_and_sign_replaces(driver):
    drvsign("sign", driver, "--digest", "sha1")
    drvsign("sign", driver, "--append")
    drvsign("sign", driver, "--append", "--digest", "sha384")
    assert algorithms(driver) == ["sha1", "sha256", "sha384"]
    drvsign("sign", driver)
    assert algorithms(driver) == ["sha256"]


@pytest.mark.parametrize(
    ("index", "left"), [(0, ["sha256", "sha384"]), (1, ["sha1", "sha384"]), (2, ["sha1", "sha256"])]
)
def test_one_signature_is_stripped_and_the_others_stay(driver, index, left):
    for options in (("--digest", "sha1"), ("--append",), ("--append", "--digest", "sha384")):
        drvsign("sign", driver, *options)
    before = [parse(der).signers[0].signature for der in signatures(driver.read_bytes())]
    assert drvsign("strip", driver, "--index", index).code == 0
    assert algorithms(driver) == left
    del before[index]
    assert [parse(der).signers[0].signature for der in signatures(driver.read_bytes())] == before


def test_stripping_a_signature_that_is_not_there_is_refused(driver):
    drvsign("sign", driver)
    ran = drvsign("strip", driver, "--index", 3)
    assert ran.code == 3
    assert "signature 3 not found: the file has 1" in ran.stderr


def test_skip_signed_leaves_signed_files_alone(work, driver):
    drvsign("sign", driver)
    before = driver.read_bytes()
    other = work / "other.sys"
    other.write_bytes(PeSpec(fill=7).build())
    ran = drvsign("sign", driver, other, "--skip-signed", "--json")
    assert [entry["action"] for entry in ran.document["files"]] == ["skipped", "signed"]
    assert driver.read_bytes() == before


def test_page_hashes_are_signed(driver):
    assert drvsign("sign", driver, "--page-hashes").code == 0
    (der,) = signatures(driver.read_bytes())
    assert indirect_data.parse(parse(der).content).page_hashes is not None


def test_a_detached_signature_leaves_the_image_as_it_was(driver):
    before = driver.read_bytes()
    assert drvsign("sign", driver, "--detached", "toaster.p7").code == 0
    assert driver.read_bytes() == before
    assert parse(Path("toaster.p7").read_bytes()).signers


def test_output_goes_to_another_file_or_folder(work, driver):
    before = driver.read_bytes()
    assert drvsign("sign", driver, "--output", "signed.sys").code == 0
    (work / "in" / "sub").mkdir(parents=True)
    (work / "in" / "sub" / "a.sys").write_bytes(before)
    assert drvsign("sign", "in", "--output-dir", "out").code == 0
    assert driver.read_bytes() == before
    assert Path("signed.sys").read_bytes() == Path("out/sub/a.sys").read_bytes()


def test_a_failure_on_one_file_does_not_touch_the_others(work, driver):
    (work / "broken.sys").write_bytes(driver.read_bytes()[:0x300])
    (work / "last.sys").write_bytes(PeSpec(fill=9).build())
    ran = drvsign("sign", "toaster.sys", "broken.sys", "gone.sys", "last.sys", "--json", "--keep-going")
    assert ran.code == 3
    assert [entry["action"] for entry in ran.document["files"]] == ["signed", "failed", "failed", "signed"]
    assert set(ran.document["files"][1]["error"]) == {"code", "message", "hint"}
    assert len(ran.errors) == 2


def test_a_pattern_that_the_shell_left_alone_is_resolved(work):
    for name in ("a.sys", "b.sys"):
        (work / name).write_bytes(PeSpec().build())
    assert drvsign("sign", "*.sys").stdout.count("signed") == 2


def test_one_file_by_two_names_is_signed_once(work, driver):
    (work / "link.sys").symlink_to(driver)
    assert len(drvsign("sign", driver, "link.sys", "./toaster.sys", "--json").document["files"]) == 1


@pytest.fixture
def pfx(work: Path) -> Path:
    """An identity in a PFX whose password is "secret"."""
    path, who = work / "signer.pfx", identity()
    key = private_key("rsa2048", "Drvsign Unit Test")
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"test", key, who.certificate, list(who.chain), BestAvailableEncryption(b"secret")
        )
    )
    return path


@pytest.mark.parametrize("way", ["env", "file", "uri"])
def test_a_pfx_signs_with_its_password_from_elsewhere(work, driver, pfx, monkeypatch, way):
    monkeypatch.setenv("PFX_PASSWORD", "secret")
    (work / "password").write_text("secret\n")
    options = {
        "env": ("--pfx", pfx, "--password-env", "PFX_PASSWORD"),
        "file": ("--pfx", pfx, "--password-file", "password"),
        "uri": ("--identity", f"pfx:{pfx}", "--password-env", "PFX_PASSWORD"),
    }[way]
    ran = drvsign("sign", driver, *options, "--json")
    assert ran.document["files"][0]["signer"] == "Drvsign Unit Test"


def test_a_certificate_that_is_not_for_signing_code_is_refused(work, driver):
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    root = certificate("Drvsign Unit Root", "p256")
    (work / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    key = private_key("p256", "Drvsign Unit Root")
    (work / "root.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    before = state(work)
    ran = drvsign("sign", driver, "--cert", "root.pem", "--key", "root.key")
    assert ran.code == 3
    assert ran.errors[0].startswith("error: root.pem: the certificate 'Drvsign Unit Root' is not for code signing")
    assert state(work) == before
    assert drvsign("sign", driver, "--cert", "root.pem", "--key", "root.key", "--any-usage").code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("toaster.sys", "--digest", "md4"), "unknown digest algorithm 'md4'"),
        (("toaster.sys", "--digest", "md5"), "MD5 can't be used"),
        (("toaster.sys", "--digest", "sha512", "--page-hashes"), "page hashes can't be sha512"),
        (("toaster.sys", "--pfx", "a.pfx", "--cert", "b.cer", "--key", "c.key"), "exactly one signing identity"),
        (("toaster.sys", "--cert", "b.cer"), "must be used together"),
        (("toaster.sys", "--append", "--dual"), "can't be combined"),
        (("toaster.sys", "--dual", "--digest", "sha1"), "other than sha1"),
        (("toaster.sys", "--output", "a", "--output-dir", "b"), "can't be combined"),
        (("toaster.sys", "other.sys", "--output", "a"), "can't be written to one --output file"),
        (("toaster.sys", "--detached", "a", "--output", "b"), "changes no file"),
        (("toaster.sys", "--password-env", "A", "--password-file", "B"), "only one --password option"),
        (("empty",), "no images, catalogs or cabinets in this folder"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_calls_that_can_not_mean_anything_end_with_2_and_change_nothing(work, driver, arguments, says):
    (work / "other.sys").write_bytes(driver.read_bytes())
    (work / "empty").mkdir()
    before = state(work)
    ran = drvsign("sign", *arguments)
    assert ran.code == 2
    assert says in ran.stderr
    assert state(work) == before


def test_digest_prints_what_the_signature_is_over(driver):
    entry = drvsign("sign", driver, "--json").document["files"][0]
    ran = drvsign("digest", driver, "--json", "--page-hashes")
    (found,) = ran.document["files"]
    assert found["digests"]["sha256"] == entry["digest"]
    assert [row["offset"] for row in found["page_hashes"]["sha256"]] == [0, 0x400, 0x600]
    assert f"sha256  {entry['digest']}  {driver}" in drvsign("digest", driver).stdout


def test_digest_of_a_file_that_is_no_image_is_that_of_all_its_bytes(work):
    (work / "a.inf").write_text("[Version]\n")
    found = drvsign("digest", "a.inf", "--digest", "sha1", "--json").document["files"][0]
    assert found["digests"] == {"sha1": DigestAlgorithm.SHA1.hash(b"[Version]\n").hex()}


def test_a_link_stays_a_link_and_what_it_points_to_is_signed(work, driver):
    link = work / "link.sys"
    link.symlink_to(driver.name)
    assert drvsign("sign", link).code == 0
    assert link.is_symlink()
    assert len(signatures(driver.read_bytes())) == 1


def test_a_folder_s_driver_that_is_none_is_left_out_with_a_warning(work, driver):
    folder = work / "batch"
    folder.mkdir()
    (folder / "good.sys").write_bytes(driver.read_bytes())
    (folder / "pointer.sys").write_text("version https://git-lfs.github.com/spec/v1")
    (folder / "notes.txt").write_text("nothing to sign")
    ran = drvsign("sign", folder)
    assert (ran.code, ran.stdout.split("  ")[0]) == (0, f"signed {folder / 'good.sys'}")
    warnings = [line for line in ran.stderr.splitlines() if line.startswith("warning: ")]
    assert [line.split(": ")[1] for line in warnings] == [str(folder / "pointer.sys")]


@pytest.mark.parametrize("padding", [0, 1 << 18, 1 << 21], ids=["kept", "read", "mapped"])
@pytest.mark.parametrize("how", ["in-place", "elsewhere", "detached"])
def test_an_image_that_two_parsers_read_differently_is_refused_among_others(
    driver, tmp_path, monkeypatch, padding, how
):
    """lief's opinion comes after the image was hashed and signed, and before anything is written."""
    odd = tmp_path / "odd.sys"
    odd.write_bytes(PeSpec(sections=[(".odd", 0x400, 0x200)], overlay=bytes(padding)).build())
    answers = lief_process._answers

    def disagree(process, requests):
        for headers, answer in zip(requests, answers(process, requests), strict=True):
            yield {**answer, "checksum": 77} if b".odd" in headers else answer

    monkeypatch.setattr(lief_process, "_answers", disagree)
    before = odd.read_bytes()
    if how == "detached":
        ran = drvsign("sign", odd, "--detached", tmp_path / "odd.p7", "--json")
    else:
        elsewhere = ["--output-dir", tmp_path / "new"] if how == "elsewhere" else []
        ran = drvsign("sign", driver, odd, *elsewhere, "--json")
    assert ran.code == 3
    entry = ran.document["files"][-1]
    assert (entry["action"], entry["error"]["code"]) == ("failed", "image")
    assert "two parsers disagree about the image's checksum" in entry["error"]["message"]
    assert [one["action"] for one in ran.document["files"][:-1]] == ([] if how == "detached" else ["signed"])
    assert odd.read_bytes() == before
    assert not {path.name for path in tmp_path.rglob("*odd*")} - {"odd.sys"}

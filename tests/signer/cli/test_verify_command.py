"""`drvsign verify`: verdicts, exit codes, and what it prints."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from signer.policy.targets import targets_for
from tests.support.files import corpus_files
from tests.support.identities import certificate, private_key
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import MakeOnce, drvsign, state
from tests.support.si_policy_encoder import encode, signed

TEST = ("--roots", "test-signing", "--testsigning")
X64 = ("--target", "win11-24h2-x64")
SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
FILE_KEYS = {"path", "kind", "accepted", "decided", "signatures", "targets", "findings", "events"}
SIGNATURE_KEYS = {
    "index",
    "source",
    "catalog",
    "digest_algorithm",
    "intact",
    "signer",
    "program_name",
    "url",
    "class",
    "page_hashes",
    "page_hashes_intact",
    "timestamp",
    "chain",
    "root",
}
SIGNER_KEYS = {"subject", "common_name", "issuer", "serial", "sha1", "sha256"}


@pytest.fixture
def package(work: Path, make_once: MakeOnce) -> Path:
    """A package that is signed with the test identity."""
    make_once(_make_package)
    return work / "driver"


def _make_package() -> None:
    folder = Path("driver")
    folder.mkdir()
    (folder / "hello.inf").write_bytes(HELLO.replace("\n", "\r\n").encode())
    (folder / "hello.sys").write_bytes(PeSpec().build())
    assert drvsign("package", folder, "--os", "10_X64").code == 0


def of_subsystem(number: int) -> bytes:
    """Return an image of this PE subsystem: 1 is native, 2 Windows GUI, 3 Windows console."""
    data = bytearray(PeSpec().build())
    place = int.from_bytes(data[0x3C:0x40], "little") + 24 + 68
    assert data[place : place + 2] == b"\x01\0"
    data[place] = number
    return bytes(data)


def flip(path: Path, offset: int) -> None:
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(data)


def verdict(path: Path, *arguments: str) -> tuple[int, dict]:
    ran = drvsign("verify", path, "--policy", "kernel", *arguments, "--json")
    return ran.code, ran.document


def test_a_test_signed_package_installs_and_loads_on_a_test_machine(package):
    code, document = verdict(package, *X64, *TEST)
    assert (code, document["accepted"], document["decided"]) == (0, True, True)
    assert [(entry["kind"], Path(entry["path"]).name) for entry in document["files"]] == [
        ("package", "driver"),
        ("image", "hello.sys"),
    ]


def test_the_document_has_the_keys_of_the_contract(package):
    _, document = verdict(package, *X64, *TEST)
    assert set(document) == {"schema", "accepted", "decided", "publishers", "files"}
    assert document["schema"] == "drvsign.verdict/1"
    for entry in document["files"]:
        assert set(entry) == FILE_KEYS
        for target in entry["targets"]:
            assert set(target) == {"target", "verdict", "rule", "findings", "events", "status"}
        for finding in entry["findings"]:
            assert set(finding) == {"code", "severity", "message", "source", "hint"}
        for signature in entry["signatures"]:
            assert set(signature) == SIGNATURE_KEYS
            assert set(signature["signer"]) == SIGNER_KEYS
            assert all(set(link) == {"subject", "sha1", "not_before", "not_after"} for link in signature["chain"])
    image = document["files"][1]
    assert [one["source"] for one in image["signatures"]] == ["embedded", "catalog"]
    assert image["signatures"][1]["catalog"] == "hello.cat"
    assert image["signatures"][0]["class"] == "test"
    assert image["signatures"][0]["root"].startswith("drvsign Test Root CA ")


def test_the_same_package_is_rejected_by_a_machine_that_is_not_set_up_for_tests(package):
    ran = drvsign("verify", package, "--policy", "kernel", *X64)
    assert ran.code == 1
    assert "test-signed" in ran.stdout
    assert "--roots test-signing" in ran.stdout
    missing = (
        r"its issuer 'drvsign Test Root CA \w{8}' is not among the trusted roots; Windows does not trust it by default"
    )
    assert re.search(missing, ran.stdout)
    assert drvsign("verify", package, "--policy", "kernel", *X64, "--roots", "test-signing").code == 1


def test_a_catalog_that_lists_sha1_is_told_from_a_signature_with_sha1(package):
    assert drvsign("package", package, "--os", "7_X64,10_X64").code == 0
    ran = drvsign("verify", package, "--policy", "kernel", *X64, *TEST)
    assert ran.code == 0
    assert "warning: the catalog 'hello.cat' lists this file only by its SHA-1 hash\n" in ran.stdout
    assert "drvsign package --catalog-version 2" in ran.stdout
    assert "uses SHA-1" not in ran.stdout


def test_why_it_is_rejected_stands_before_warnings(driver):
    assert drvsign("sign", driver, "--digest", "sha1").code == 0
    ran = drvsign("verify", driver, "--policy", "kernel", *X64)
    words = [line.split(":")[0].strip() for line in ran.stdout.splitlines()]
    found = [word for word in words if word in ("error", "warning")]
    assert found == sorted(found)
    assert set(found) == {"error", "warning"}


def test_package_says_what_windows_makes_of_it_and_json_stays_one_document(package):
    ran = drvsign("package", package, "--os", "10_X64")
    assert "accepted" in ran.stdout
    assert "hello.sys  on win11-26h2-x64" in ran.stdout
    assert drvsign("package", package, "--os", "10_X64", "--json").document["schema"] == "drvsign.result/1"


def test_pnp_asks_for_the_installation_only(package):
    ran = drvsign("verify", package, "--policy", "pnp", *X64, "--roots", "test-signing", "--json")
    assert ran.code == 0
    assert [entry["kind"] for entry in ran.document["files"]] == ["package"]


@pytest.mark.parametrize(
    ("spoil", "code", "says"),
    [
        ("inf", "not-catalogued", "'hello.inf' is in no signed catalog"),
        ("sys", "not-catalogued", "'hello.sys' is in no signed catalog"),
        ("line-ends", "line-ends", "only its newlines differ"),
        ("no-catalog", "catalog-missing", "the catalog 'hello.cat' of 'hello.inf' does not exist"),
        ("unsigned-catalog", "catalog-unsigned", "is not signed"),
        ("missing-file", "file-missing", "hello.sys"),
    ],
)
def test_a_package_that_was_changed_is_rejected_and_says_what_is_wrong(package, spoil, code, says):
    inf, sys, cat = (package / f"hello.{suffix}" for suffix in ("inf", "sys", "cat"))
    if spoil == "inf":
        inf.write_bytes(inf.read_bytes().replace(b"1.2.3.4", b"1.2.3.5"))
    elif spoil == "sys":
        flip(sys, 0x410)
    elif spoil == "line-ends":
        inf.write_bytes(inf.read_bytes().replace(b"\r\n", b"\n"))
    elif spoil == "no-catalog":
        cat.unlink()
    elif spoil == "unsigned-catalog":
        drvsign("catalog", "build", package, "--os", "10_X64")
    else:
        sys.unlink()
    exit_code, document = verdict(package, *X64, *TEST)
    assert exit_code == 1
    findings = document["files"][0]["findings"]
    assert [says in finding["message"] for finding in findings if finding["code"] == code] == [True], findings
    assert document["files"][0]["accepted"] is False


@pytest.mark.parametrize("target", ["win11-24h2-arm64", "win10-1703-x64"])
def test_a_package_that_is_applicable_to_no_target_is_rejected(package, target):
    """Neither the installation nor the driver is checked on a release that the INF has no models for."""
    code, document = verdict(package, "--target", target, *TEST)
    (entry,) = document["files"]
    assert [(row["verdict"], row["rule"]) for row in entry["targets"]] == [("not-applicable", "inf-not-for-target")]
    assert (code, entry["accepted"], document["accepted"]) == (1, False, False)


def test_targets_that_the_inf_has_no_models_for_do_not_count(package):
    code, document = verdict(package, "--target", "win7-x64", *X64, *TEST)
    verdicts = [[row["verdict"] for row in entry["targets"]] for entry in document["files"]]
    assert (code, document["accepted"], verdicts) == (0, True, [["not-applicable", "accepted"], ["accepted"]])


def test_without_a_policy_each_file_has_its_own(package, work):
    """A package and a kernel-mode image are checked for the kernel, user-mode code and catalogs by authenticode."""
    (work / "tool.dll").write_bytes(of_subsystem(3))
    (work / "export.dll").write_bytes(PeSpec().build())
    assert drvsign("sign", work / "tool.dll", work / "export.dll").code == 0
    files = ("tool.dll", "export.dll", package / "hello.sys", package / "hello.cat", package)
    ran = drvsign("verify", *files, *X64, "--test-machine")
    assert ran.code == 0
    for name, how in [
        ("tool.dll", "authenticode"),
        ("export.dll", "kernel"),
        ("hello.sys", "kernel"),
        ("hello.cat", "authenticode"),
    ]:
        assert f"{name}  on win11-24h2-x64  ({how}, rule " in ran.stdout
    assert f"{package}  on win11-24h2-x64  (installation)" in ran.stdout


def test_a_test_machine_is_the_three_options_together(package):
    """On a machine with Secure Boot, the test-signed driver is rejected; an option that is given counts."""
    assert verdict(package, *X64, "--test-machine")[1] == verdict(package, *X64, *TEST, "--no-secure-boot")[1]
    assert verdict(package, *X64, "--test-machine", "--secure-boot")[0] == 1


def test_the_kernel_policy_does_not_apply_to_a_user_mode_image(work):
    (work / "tool.dll").write_bytes(of_subsystem(2))
    assert drvsign("sign", work / "tool.dll").code == 0
    code, document = verdict(work / "tool.dll", *X64, "--test-machine")
    (entry,) = document["files"]
    assert [(row["verdict"], row["events"], row["status"]) for row in entry["targets"]] == [
        ("not-applicable", [], None)
    ]
    (finding,) = entry["findings"]
    assert (code, finding["code"]) == (1, "user-mode-image")
    assert "its subsystem is Windows GUI" in finding["message"]


@pytest.mark.parametrize(
    ("target", "rule"),
    [
        ("win10-1703-x64", "inf-not-for-target"),  # the INF's models are decorated NTamd64.10.0...16299
        ("win7-x64", "inf-not-for-target"),
        ("win10-1709-x64", "publisher"),
        ("server2016-x64", "inf-not-for-target"),
        ("server2019-x64", "publisher"),
    ],
)
def test_a_release_that_the_inf_is_not_for_installs_nothing(package, target, rule):
    ran = drvsign("verify", package, "--policy", "pnp", "--target", target, *TEST, "--json")
    assert [row["rule"] for row in ran.document["files"][0]["targets"]] == [rule]
    for finding in ran.document["files"][0]["findings"]:
        if finding["code"] == "inf-not-for-target":
            assert finding["message"].endswith("its sections are decorated for NTamd64.10.0...16299")


def test_an_inf_stands_for_its_package(package):
    ran = drvsign("verify", package / "hello.inf", "--policy", "kernel", *X64, *TEST, "--json")
    assert ran.code == 0
    assert ran.document["files"][0]["kind"] == "package"


def test_a_catalog_covers_files_that_it_is_named_for(package):
    assert drvsign("strip", package / "hello.sys").code == 0
    alone = drvsign("verify", package / "hello.sys", "--policy", "kernel", *X64, *TEST)
    assert (alone.code, "is not signed: it has no embedded signature" in alone.stdout) == (1, True)
    named = ("--catalog", package / "hello.cat")
    assert drvsign("verify", package / "hello.sys", "--policy", "kernel", *X64, *TEST, *named).code == 0


def test_a_folder_without_an_inf_is_walked_and_its_catalogs_count(package):
    (package / "hello.inf").unlink()
    drvsign("strip", package / "hello.sys")
    ran = drvsign("verify", package, "--policy", "authenticode", *X64, *TEST, "--json")
    assert ran.code == 0
    assert sorted(entry["kind"] for entry in ran.document["files"]) == ["catalog", "image"]


def test_files_beside_packages_are_verified_as_well(package, work):
    (work / "driver" / "more").mkdir()
    (work / "driver" / "more" / "inside.sys").write_bytes(PeSpec().build())
    (work / "beside.sys").write_bytes(PeSpec(fill=5).build())
    ran = drvsign("verify", work, "--policy", "kernel", *X64, *TEST, "--json")
    assert ran.code == 1
    found = {Path(entry["path"]).name: entry["accepted"] for entry in ran.document["files"]}
    assert found == {"work": True, "hello.sys": True, "beside.sys": False}


def test_the_matrix_has_a_row_for_each_release_of_the_architecture(driver):
    drvsign("sign", driver)
    ran = drvsign("verify", driver, "--policy", "kernel", "--matrix", *TEST, "--json")
    targets = [row["target"] for row in ran.document["files"][0]["targets"]]
    assert len(targets) > 25
    assert all(target.endswith("-x64") for target in targets), "S mode only when it is named"
    every = drvsign("verify", driver, "--policy", "kernel", "--all-releases", *TEST, "--json")
    found = [row["target"] for row in every.document["files"][0]["targets"]]
    assert set(found) == {target.name for target in targets_for("x64")} > set(targets)


def rows(text: str) -> list[tuple[str, str]]:
    """Return the releases and the verdict of each row of the matrices in a text."""
    found = [re.split("  +", line.strip())[:2] for line in text.splitlines() if line.startswith((" win", " server"))]
    return [(label, outcome) for label, outcome in found]


def test_a_matrix_of_a_good_package_has_the_releases_of_its_inf_and_catalog(package):
    """The catalog is for clients; the INF for 1709 and later. Neither other releases nor S mode count."""
    ran = drvsign("verify", package, "--matrix", "--test-machine")
    expected = [("win10-1709 … win11-26h2 x64", "accepted"), ("win10-iot … win11-iot x64", "accepted")]
    assert (ran.code, rows(ran.stdout)) == (0, expected * 2)
    document = drvsign("verify", package, "--matrix", "--test-machine", "--json").document
    verdicts = {row["target"]: (row["verdict"], row["rule"]) for row in document["files"][0]["targets"]}
    assert (document["accepted"], document["decided"]) == (True, True)
    assert verdicts["win10-1703-x64"] == ("not-applicable", "inf-not-for-target")
    assert verdicts["server2022-x64"] == ("not-applicable", "catalog-not-for-target")
    assert not any(target.endswith("-smode") for target in verdicts)
    other = [row for row in document["files"][1]["targets"] if row["target"].startswith("server")]
    assert other == [], "a driver is not checked where the package does not apply"


def test_the_document_of_package_has_the_verdict_and_every_problem(package, work):
    """The verdict is that of `verify` for the same target; a warning is a problem, and so is each error."""
    inf = package / "hello.inf"
    ran = drvsign("package", package, "--os", "10_X64", "--json")
    _, expected = verdict(package, "--test-machine")
    assert ran.document["verdict"]["accepted"] is True
    for made, checked in zip(ran.document["verdict"]["files"], expected["files"], strict=True):
        assert (made["path"], made["targets"]) == (checked["path"], checked["targets"])
    assert ran.document["problems"] == []
    inf.write_bytes(inf.read_bytes().replace(b"hello.sys", b"gone.sys"))
    failed = drvsign("package", package, "--os", "10_X64", "--json")
    assert failed.code == 3
    codes = [problem["code"] for problem in failed.document["problems"] if problem["severity"] == "error"]
    assert codes and set(codes) <= {one["error"]["code"] for one in failed.document["files"]}


def test_all_releases_checks_also_what_the_catalog_is_not_for(package):
    ran = drvsign("verify", package, "--all-releases", "--test-machine")
    found = rows(ran.stdout)
    assert ("server2019 … server2025 x64", "accepted") in found
    assert ("server2008 … server2016 x64", "not-applicable") in found
    assert ("win10-1709 … win11-26h2 x64-smode", "unknown") in found


@pytest.mark.parametrize("os", ["7_X64,10_X64", "Server2025_X64", "10_26H1_X64"])
def test_the_command_that_package_prints_accepts_the_package(work, package, os):
    """For a legacy INF, a server-only one, and one for the newest release."""
    inf = package / "hello.inf"
    inf.write_bytes(inf.read_bytes().replace(b"NTamd64.10.0...16299", b"NTamd64"))
    ran = drvsign("package", package, "--os", os)
    (line,) = [line for line in ran.stderr.splitlines() if line.startswith("To check all releases: drvsign ")]
    checked = drvsign(*shlex.split(line.partition("drvsign ")[2]))
    assert (checked.code, "rejected" in checked.stdout) == (0, False), checked.stdout


@pytest.mark.parametrize(
    "options",
    [
        ["--pfx", "own.pfx", "--password-env", "OWN_PASSWORD"],
        ["--identity", "pfx:own.pfx", "--password-file", "password.txt"],
        ["--cert", "chain.pem", "--key", "own.key"],
        ["--identity", "file:own.key?cert=chain.pem"],
    ],
    ids=["pfx", "pfx-uri", "pair", "file-uri"],
)
def test_the_command_that_package_prints_trusts_the_root_of_the_named_identity(work, package, monkeypatch, options):
    """The root is the user's own: only the file with the certificate has it."""
    root = ("Own Root", "rsa2048")
    key, leaf = private_key("rsa2048", "Own Signer"), certificate("Own Signer", "rsa2048", root)
    chain = [leaf, certificate(*root)]
    Path("own.pfx").write_bytes(
        pkcs12.serialize_key_and_certificates(b"own", key, leaf, chain[1:], BestAvailableEncryption(b"geheim"))
    )
    Path("password.txt").write_text("geheim\n")
    Path("chain.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in chain))
    Path("own.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    monkeypatch.setenv("OWN_PASSWORD", "geheim")
    ran = drvsign("package", package, *options)
    (line,) = [line for line in ran.stderr.splitlines() if line.startswith("To check all releases: drvsign ")]
    checked = drvsign(*shlex.split(line.partition("drvsign ")[2]))
    assert (checked.code, "rejected" in checked.stdout) == (0, False), checked.stdout + checked.stderr
    Path("chain.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
    ran = drvsign("package", package, "--cert", "chain.pem", "--key", "own.key", "--replace")
    assert "give the root of the chain: drvsign verify" in ran.stderr


def test_a_pfx_as_root_needs_its_password_and_a_root(work, package, monkeypatch):
    key, leaf = private_key("rsa2048", "Own Signer"), certificate("Own Signer", "rsa2048", ("Own Root", "rsa2048"))
    encryption = BestAvailableEncryption(b"geheim")
    Path("leaf.pfx").write_bytes(pkcs12.serialize_key_and_certificates(b"own", key, leaf, None, encryption))
    monkeypatch.setenv("OWN_PASSWORD", "wrong")
    verify = ["verify", package / "hello.sys", "--test-machine", "--root", "leaf.pfx"]
    for options in ([], ["--password-env", "OWN_PASSWORD"]):
        ran = drvsign(*verify, *options)
        assert (ran.code, "password" in ran.stderr) == (3, True)
    monkeypatch.setenv("OWN_PASSWORD", "geheim")
    ran = drvsign(*verify, "--password-env", "OWN_PASSWORD")
    assert (ran.code, "does not contain a root" in ran.stderr) == (3, True)


def test_package_ends_with_0_and_warns_quietly_if_the_result_is_rejected(work, package):
    """No root of the chain is known: the package is signed, and Windows would not install it."""
    root = ("Own Root", "rsa2048")
    key = private_key("rsa2048", "Own Signer")
    Path("leaf.pem").write_bytes(certificate("Own Signer", "rsa2048", root).public_bytes(Encoding.PEM))
    Path("own.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    call = ["package", package, "--cert", "leaf.pem", "--key", "own.key", "--replace"]
    loud, quiet = drvsign(*call), drvsign(*call, "--quiet")
    assert (loud.code, "rejected" in loud.stdout) == (0, True)
    assert (quiet.code, quiet.stdout) == (0, "")
    assert "is signed, but rejected by win11-26h2-x64: drvsign verify says why" in quiet.stderr


def test_without_a_target_the_default_is_said(driver):
    drvsign("sign", driver)
    assert "on win11-26h2-x64" in drvsign("verify", driver, "--policy", "kernel", *TEST).stdout


def test_events_are_written_as_json_lines(driver, work):
    ran = drvsign("verify", driver, "--policy", "kernel", *X64, "--events", "events.jsonl", "--json")
    events = [json.loads(line) for line in Path("events.jsonl").read_text().splitlines()]
    assert [event["id"] for event in events] == ran.document["files"][0]["targets"][0]["events"]
    assert all({"path", "id", "channel", "level", "message", "data"} == set(event) for event in events)
    assert {event["data"]["target"] for event in events} == {"win11-24h2-x64"}
    assert [{"path": str(driver), **event} for event in ran.document["files"][0]["events"]] == events


def test_events_that_can_not_be_written_leave_one_document(driver, work):
    ran = drvsign("verify", driver, "--policy", "kernel", *X64, "--events", "gone/events.jsonl", "--json")
    assert (ran.code, len(ran.errors)) == (3, 1)
    assert ran.document["schema"] == "drvsign.error/1"


def test_a_signature_that_can_not_be_read_has_every_key_of_a_signer(driver):
    drvsign("sign", driver)
    data = bytearray(driver.read_bytes())
    data[data.index(SIGNED_DATA) + len(SIGNED_DATA) + 1] ^= 0x55
    driver.write_bytes(data)
    code, document = verdict(driver, *X64)
    (signature,) = document["files"][0]["signatures"]
    assert (code, signature["intact"]) == (1, False)
    assert (signature["digest_algorithm"], signature["class"]) == ("unknown", "unknown")
    assert signature["signer"] == dict.fromkeys(SIGNER_KEYS, "")
    assert signature["chain"] == []


def test_one_file_that_can_not_be_read_does_not_hide_the_others(driver, work):
    drvsign("sign", driver)
    Path("cut.sys").write_bytes(driver.read_bytes()[:0x300])
    Path("junk.cat").write_bytes(b"junk")
    before = state(work)
    ran = drvsign("verify", driver, "cut.sys", "junk.cat", "gone.sys", "--policy", "kernel", *X64, *TEST, "--json")
    assert ran.code == 3
    assert [entry["accepted"] for entry in ran.document["files"]] == [True, False, False, False]
    assert ran.document["decided"] is False
    assert len(ran.errors) == 3
    assert state(work) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--policy",), "Choose one of kernel, pnp, protected-media, authenticode."),
        (("--policy", "kernle"), "'kernle' is unknown; choose one of kernel, pnp, protected-media, authenticode"),
        (("--test-machine", "--roots", "release"), "Remove --roots release"),
        (("--policy", "kernel", "--target", "win11-24h2"), "win11-24h2-x64"),
        (("--policy", "kernel", "--target", "win13-x64"), "unknown target 'win13-x64'"),
        (("--policy", "kernel", "--matrix", *X64), "can't be combined"),
        (("--policy", "kernel", "--roots", "mine"), "--roots can't be 'mine'"),
        (("--policy", "kernel", "--root", "a.cer"), "--roots test-signing"),
        (("--policy", "kernel", "--at", "tomorrow"), "'tomorrow' is not a time"),
        (("--policy", "kernel", "--driver-policy", "on"), "--driver-policy can't be 'on'"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_calls_that_can_not_mean_anything_end_with_2(driver, arguments, says):
    ran = drvsign("verify", driver, *arguments)
    assert ran.code == 2
    assert says in ran.stderr


def test_what_nothing_public_decides_ends_with_3(corpus):
    path = corpus_files("drivers/*vJoy__hidkmdf64.sys")[0]
    ran = drvsign("verify", path, "--policy", "kernel", *X64, "--at", "2026-06-01", "--json")
    assert ran.code == 3
    assert (ran.document["accepted"], ran.document["decided"]) == (False, False)
    settled = drvsign("verify", path, "--policy", "kernel", *X64, "--driver-policy", "off", "--no-secure-boot")
    assert settled.code == 0


ALLOW_ALL_OF = """<?xml version="1.0" encoding="utf-8"?>
<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy"><VersionEx>10.0.0.1</VersionEx><EKUs/>
<FileRules><{kind} ID="ID_1" Hash="{digest}"/></FileRules><Signers/>
<SigningScenarios><SigningScenario Value="131" ID="ID_2"><ProductSigners>
<FileRulesRef><FileRuleRef RuleID="ID_1"/></FileRulesRef>
</ProductSigners></SigningScenario></SigningScenarios></SiPolicy>
"""


def test_an_allow_list_decides_what_is_unknown_without_it(corpus, work):
    path = corpus_files("drivers/*vJoy__hidkmdf64.sys")[0]
    digest = drvsign("digest", path, "--digest", "sha256", "--json").document["files"][0]["digests"]["sha256"]
    at = ("--policy", "kernel", *X64, "--at", "2026-06-01", "--upgraded")
    assert drvsign("verify", path, *at).code == 3
    Path("allow.xml").write_text(ALLOW_ALL_OF.format(kind="Allow", digest=digest))
    assert drvsign("verify", path, *at, "--allow-list", "allow.xml").code == 0
    Path("other.xml").write_text(ALLOW_ALL_OF.format(kind="Allow", digest="00" * 32))
    assert drvsign("verify", path, *at, "--allow-list", "other.xml").code == 1
    Path("junk.xml").write_text("junk")
    ran = drvsign("verify", path, *at, "--allow-list", "junk.xml")
    assert (ran.code, len(ran.errors), "junk.xml" in ran.stderr) == (3, 1, True)


ENFORCED, BLOCKS = "{8F9CB695-5D48-48D6-A329-7202B44607E3}", "{D2BDA982-CCF6-4344-AC5B-0B44427B6816}"


def named(kind: str, digest: str, guid: str) -> bytes:
    """The binary form of a list with one rule, under a number of Microsoft's."""
    xml = ALLOW_ALL_OF.format(kind=kind, digest=digest)
    return encode(xml.replace("<EKUs/>", f"<PolicyID>{guid}</PolicyID>").encode())


def test_an_allow_list_is_read_as_the_machine_has_it(corpus, work):
    path = corpus_files("drivers/*vJoy__hidkmdf64.sys")[0]
    digest = drvsign("digest", path, "--digest", "sha256", "--json").document["files"][0]["digests"]["sha256"]
    at = ("--policy", "kernel", *X64, "--at", "2026-06-01", "--upgraded")
    listed = Path(f"{ENFORCED}.cip")
    listed.write_bytes(named("Allow", digest, ENFORCED))
    ran = drvsign("verify", path, *at, "--allow-list", listed)
    assert ran.code == 0
    assert f"Allow list: an App Control policy without a name, version 10.0.0.1, {ENFORCED}." in ran.stderr
    Path("list.p7b").write_bytes(signed(named("Allow", "00" * 32, ENFORCED)))
    ran = drvsign("verify", path, *at, "--allow-list", "list.p7b")
    assert ran.code == 1
    assert "its signature was not verified" in ran.stderr
    assert "the driver is not on the given allow list" in ran.stdout
    assert "0xC0E90002 STATUS_SYSTEM_INTEGRITY_POLICY_VIOLATION" in ran.stdout and "events 3077, 3089" in ran.stdout
    ran = drvsign("verify", path, *at, "--driver-policy", "evaluation", "--allow-list", "list.p7b")
    assert ran.code == 0
    assert "events 3076, 3089" in ran.stdout
    listed.write_bytes(listed.read_bytes()[:-1])
    ran = drvsign("verify", path, *at, "--allow-list", listed)
    assert ran.code == 3
    assert f"{listed} at offset 0x" in ran.stderr and "the policy ends in the middle of" in ran.stderr


def test_a_list_is_not_taken_for_the_other(driver, work):
    Path("block.p7b").write_bytes(named("Allow", "00" * 32, BLOCKS))
    Path("allow.cip").write_bytes(named("Allow", "00" * 32, ENFORCED))
    Path("mine.cip").write_bytes(named("Allow", "00" * 32, "{00000000-0000-0000-0000-000000000001}"))
    ran = drvsign("verify", driver, "--policy", "kernel", *X64, "--allow-list", "block.p7b")
    assert ran.code == 2
    assert "block.p7b is Microsoft's driver block list" in ran.stderr and "Give it with --block-list" in ran.stderr
    ran = drvsign("verify", driver, "--policy", "kernel", *X64, "--block-list", "allow.cip")
    assert ran.code == 2
    assert "allow.cip is the Windows Driver Policy" in ran.stderr and "Give it with --allow-list" in ran.stderr
    ran = drvsign("verify", driver, "--policy", "kernel", *X64, "--allow-list", "mine.cip")
    assert "warning: mine.cip is not the Windows Driver Policy" in ran.stderr and "its rules apply anyway" in ran.stderr


def test_a_block_list_blocks(driver, work):
    drvsign("sign", driver)
    digest = drvsign("digest", driver, "--digest", "sha256", "--json").document["files"][0]["digests"]["sha256"]
    Path("block.xml").write_text(ALLOW_ALL_OF.format(kind="Deny", digest=digest))
    blocked = ("--policy", "kernel", *X64, *TEST, "--block-list", "block.xml")
    ran = drvsign("verify", driver, *blocked)
    assert ran.code == 1
    assert f"is on the given driver block list: 'ID_1' (hash {digest.upper()})" in ran.stdout
    assert drvsign("verify", driver, *blocked, "--block-list-off").code == 0
    Path("driversipolicy.p7b").write_bytes(signed(named("Deny", digest, BLOCKS)))
    ran = drvsign("verify", driver, *blocked[:-1], "driversipolicy.p7b")
    assert ran.code == 1
    assert "0xC0000603 STATUS_IMAGE_CERT_REVOKED" in ran.stdout and "events 3077, 3089" in ran.stdout


def test_an_event_has_the_hashes_and_version_strings_of_the_file(corpus):
    """A driver with a SHA-1 signature only: its SHA-256 hashes come from the file."""
    path = corpus_files("drivers/*vJoy__hidkmdf64.sys")[0]
    at = ("--policy", "kernel", *X64, "--at", "2026-06-01", "--driver-policy", "evaluation")
    data = drvsign("verify", path, *at, "--json").document["files"][0]["events"][0]["data"]
    digests = drvsign("digest", path, "--digest", "sha256", "--json").document["files"][0]["digests"]
    assert data["SHA256 Hash"] == digests["sha256"].upper()
    assert data["SHA256 Flat Hash"] == hashlib.sha256(path.read_bytes()).hexdigest().upper()
    assert (data["OriginalFileName"], data["FileVersion"]) == ("HIDKMDF.SYS", "6.0.6000.16386")
    shown = drvsign("verify", path, *at, "-v").stdout
    assert f"SHA256 Flat Hash = {data['SHA256 Flat Hash']}" in shown and "Length =" not in shown


def test_more_is_said_with_verbose(package):
    ran = drvsign("verify", package, "--policy", "kernel", *X64, *TEST, "-v")
    assert "In setupapi.dev.log:" in ran.stdout
    assert "Key      = hello.inf" in ran.stdout
    assert "signature 0: drvsign Test (catalog hello.cat, test, intact, no timestamp)" in ran.stdout
    assert "In setupapi.dev.log:" not in drvsign("verify", package, "--policy", "kernel", *X64, *TEST).stdout


def test_a_portal_signature_names_the_company_behind_it(corpus):
    path = corpus_files("drivers/Velocidex+WinPmem__winpmem_x64.sys")[0]
    ran = drvsign("verify", path, "--policy", "kernel", *X64, "-v")
    assert "Microsoft Windows Hardware Compatibility Publisher for Binalyze (nested, attested, intact" in ran.stdout


def test_authenticode_asks_about_the_catalog_and_the_images_of_a_package(package):
    ran = drvsign("verify", package, "--policy", "authenticode", *X64, "--roots", "test-signing", "--json")
    assert ran.code == 0
    assert [entry["kind"] for entry in ran.document["files"]] == ["catalog", "image"]


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("ralphje+signify__pciide.sys", ["windows"]),
        ("pydivert-2.1.0__WinDivert64.sys", ["cross-signed", "attested"]),
        ("namazso+physmem_drivers__dbutil_2_3.sys", ["cross-signed"]),
        ("Velocidex+WinPmem__winpmem_x64_test.sys", ["self-signed"]),
    ],
)
def test_the_class_of_a_signature_does_not_depend_on_the_roots(name, classes):
    found = corpus_files(f"drivers/{name}")
    if not found:
        pytest.skip("the corpus is not here")
    for roots in ("release", "test-signing"):
        _, document = verdict(found[0], "--target", "win10-22h2-x64", "--roots", roots)
        assert [one["class"] for one in document["files"][0]["signatures"]] == classes, roots
    assert not document["accepted"], "no test root vouches for any of them"


def test_the_chain_of_a_cross_signed_driver_is_the_kernels_or_that_of_user_mode():
    found = corpus_files("drivers/namazso+physmem_drivers__cpuz141.sys")
    if not found:
        pytest.skip("the corpus is not here")
    roots = {}
    for policy in ("kernel", "authenticode"):
        ran = drvsign("verify", found[0], "--policy", policy, "--json")
        roots[policy] = [one["root"] for one in ran.document["files"][0]["signatures"]]
    assert roots["kernel"][:2] == ["Microsoft Code Verification Root"] * 2
    assert roots["authenticode"][1] == "DigiCert High Assurance EV Root CA"
    assert roots["kernel"][2] == roots["authenticode"][2] == "Microsoft Root Certificate Authority 2010"


POLICIES = ("kernel", "pnp", "protected-media", "authenticode")


@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_at_all_is_not_accepted(work, policy):
    (work / "list.txt").write_text("\n")
    ran = drvsign("verify", f"@{work / 'list.txt'}", "--policy", policy)
    assert ran.code == 2
    assert "the list contains no paths" in ran.stderr


@pytest.mark.parametrize("policy", POLICIES[:3])
def test_an_inf_that_names_no_catalog_is_an_unsigned_package(package, policy):
    inf = package / "hello.inf"
    inf.write_bytes(inf.read_bytes().replace(b"CatalogFile=hello.cat\r\n", b""))
    ran = drvsign("verify", package, "--policy", policy, *X64, *TEST, "--json")
    first = ran.document["files"][0]
    assert (ran.code, ran.document["accepted"]) == (1, False)
    assert first["kind"] == "package"
    assert first["targets"][0]["rule"] == "catalog-file"
    assert first["targets"][0]["status"] == "0xE000022F"
    assert "no-catalog-file" in first["targets"][0]["findings"]


def test_an_inf_without_a_catalog_does_not_hide_behind_one_that_has_one(package):
    text = (package / "hello.inf").read_bytes()
    (package / "other.inf").write_bytes(text.replace(b"CatalogFile=hello.cat\r\n", b""))
    code, document = verdict(package, *X64, *TEST)
    said = {Path(entry["path"]).name: entry["targets"][0]["rule"] for entry in document["files"]}
    assert (code, document["accepted"]) == (1, False)
    assert said["other.inf"] == "catalog-file"


def test_an_inf_that_cannot_be_read_does_not_hide_either(package):
    (package / "other.inf").write_bytes(b"[Version\r\n" * 3)
    code, document = verdict(package, *X64, *TEST)
    assert (code, document["accepted"], document["decided"]) != (0, True, True)
    assert any(Path(entry["path"]).name == "other.inf" for entry in document["files"])


def test_a_package_with_a_driver_for_another_kernel_alone_is_not_accepted(work):
    folder = work / "driver"
    folder.mkdir()
    (folder / "hello.inf").write_bytes(HELLO.replace("\n", "\r\n").encode())
    (folder / "hello.sys").write_bytes(PeSpec(machine="x86").build())
    drvsign("package", folder, "--os", "10_X64")
    code, document = verdict(folder, *X64, *TEST)
    assert (code, document["accepted"]) == (1, False)
    assert document["files"][1]["targets"][0]["rule"] == "architecture"


@pytest.mark.parametrize("policy", POLICIES)
def test_a_package_that_is_for_no_target_is_rejected(policy):
    found = corpus_files("packages-media/qcaud8626/*.inf")
    if not found:
        pytest.skip("the corpus is not here")
    ran = drvsign("verify", found[0].parent, "--policy", policy, "--json")
    assert (ran.code, ran.document["accepted"]) == (1, False)
    assert ran.document["files"]


def test_a_catalog_that_nobody_signed_is_the_reason_and_not_what_follows_from_it(work):
    folder = work / "driver"
    folder.mkdir()
    (folder / "hello.inf").write_bytes(HELLO.replace("\n", "\r\n").encode())
    (folder / "hello.sys").write_bytes(PeSpec().build())
    assert drvsign("catalog", "build", folder, "--os", "10_X64").code == 0
    code, document = verdict(folder, *X64, *TEST)
    row = document["files"][0]["targets"][0]
    assert (code, row["rule"], row["status"]) == (1, "catalog-unsigned", "0xE0000247")
    assert row["findings"][0] == "catalog-unsigned"


def test_a_link_that_leads_nowhere_fails_alone_in_a_folder(work):
    (work / "many").mkdir()
    (work / "many" / "a.sys").write_bytes(PeSpec().build())
    (work / "many" / "lost.sys").symlink_to("nowhere.sys")
    code, document = verdict(work / "many")
    assert code in (1, 3)
    assert [Path(file["path"]).name for file in document["files"]] == ["a.sys", "lost.sys"]
    assert [file["decided"] for file in document["files"]] == [True, False]

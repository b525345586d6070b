"""The command line's contract: every command, option, target, exit code and JSON key that scripts may count on."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from signer.cli.app import COMMANDS
from signer.policy.targets import Target, release_names
from tests.support.images import PeSpec
from tests.support.inf_files import HELLO
from tests.support.program import Ran, drvsign

IDENTITY = "--pfx --cert --key --identity --password-env --password-file --password-fd"
STAMP = "--timestamp --legacy-timestamp"
SIGN = (
    f"{IDENTITY} {STAMP} --digest --page-hashes --append --timestamp-digest --description --url --cross-cert"
    " --commercial --skip-signed --output --output-dir --detached --jobs"
)
OPTIONS = {
    "certs create": "--subject --key --days --profile --force",
    "certs show": "",
    "certs install-script": "--output",
    "sign": SIGN,
    "timestamp": STAMP,
    "strip": "--index --output",
    "extract": "--output",
    "attach": "--signature --append --output",
    "digest": "--digest --page-hashes",
    "inspect": "",
    "catalog build": "--os --catalog-version --page-hashes --output --now",
    "catalog sign": SIGN,
    "catalog show": "",
    "catalog diff": "",
    "catalog check": "",
    "package": f"{IDENTITY} --os --page-hashes",
    "verify": "--policy --target --matrix --roots --root --catalog --secure-boot --no-secure-boot --testsigning --hvci"
    " --boot-start --upgraded --driver-policy --allow-list --at --events",
    "explain": "--package --driver --brief --how --target --secure-boot --no-secure-boot --testsigning --hvci"
    " --driver-policy",
    "inf show": "",
    "inf lint": "",
    "tsa serve": "--port --time",
    "submission build": "",
    "submission check": "",
}
EVERYWHERE = {"--help", "--json", "-q", "-v"}

RESULT = {"path", "action", "digest_algorithm", "digest", "signer", "error"}
ERROR = {"code", "message", "hint"}
MEMBER = {"tag", "file", "kind", "digest_algorithm", "digest", "os_attribute", "page_hashes", "attributes"}
TARGET = {"target", "verdict", "rule", "findings", "events", "status"}
FINDING = {"code", "severity", "message", "source", "hint"}
EVENT = {"id", "channel", "level", "message", "data"}
LINK = {"subject", "sha1", "not_before", "not_after"}
HEX, TIME = re.compile(r"[0-9a-f]+"), re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|\+00:00)")
RELEASES = (
    "vista win7 win8 win8.1 win10-1507 win10-1511 win10-1607 win10-1703 win10-1709 win10-1803 win10-1809"
    " win10-1903 win10-1909 win10-2004 win10-20h2 win10-21h1 win10-21h2 win10-22h2 win10-iot win11-21h2"
    " win11-22h2 win11-23h2 win11-24h2 win11-25h2 win11-26h1 win11-26h2 win11-iot server2008 server2008r2"
    " server2012 server2012r2 server2016 server2019 server2022 server23h2 server2025"
)


def loaded(name: str) -> Any:
    """The command of this name, as Typer has it."""
    first, *rest = name.split()
    if first not in COMMANDS:
        pytest.skip(f"{first} is not built")
    found = typer.main.get_command(import_module(COMMANDS[first]).app)
    for part in rest:
        found = found.commands[part]
    return found


@pytest.fixture
def package(work: Path) -> Path:
    """A package that nobody signed."""
    folder = work / "driver"
    folder.mkdir()
    (folder / "hello.inf").write_bytes(HELLO.replace("\n", "\r\n").encode())
    (folder / "hello.sys").write_bytes(PeSpec().build())
    return folder


def verify(path: Path, *arguments: str) -> Ran:
    target = () if "--matrix" in arguments else ("--target", "win11-24h2-x64")
    return drvsign("verify", path, *target, *arguments, "--json")


@pytest.mark.parametrize("name", OPTIONS)
def test_every_command_has_its_options(name: str) -> None:
    command = loaded(name)
    known = {text for parameter in command.params for text in (*parameter.opts, *parameter.secondary_opts)}
    assert set(OPTIONS[name].split()) <= known
    assert known | {"--help"} >= EVERYWHERE
    assert f"drvsign {name}" in command.epilog


@pytest.mark.parametrize("name", OPTIONS)
def test_every_command_has_help(name: str) -> None:
    loaded(name)
    ran = drvsign(*name.split(), "--help")
    assert ran.code == 0
    assert "drvsign" in ran.stdout


def test_every_release_is_known_on_its_architectures() -> None:
    assert [name for name in release_names() if name in RELEASES.split()] == RELEASES.split()
    names = "vista-x86 win7-x64 win10-1709-arm64 server2008-ia64 server2008r2-ia64 win11-26h1-arm64 win11-26h1-x64"
    for name in (*names.split(), "win10-1809-x64-smode"):
        assert Target.parse(name).name == name


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "nothing",
        "sign",
        "sign --digest md5 x.sys",
        "verify x.sys --policy",
        "verify --policy none x.sys",
        "strip --index",
    ],
)
def test_a_wrong_call_ends_in_2(work: Path, arguments: str) -> None:
    (work / "x.sys").write_bytes(PeSpec().build())
    assert drvsign(*arguments.split()).code == 2


@pytest.mark.parametrize(
    "arguments",
    ["sign gone.sys", "verify --policy kernel gone.sys", "catalog show gone.cat", "package gone", "inspect x.txt"],
)
def test_what_can_t_be_done_ends_in_3_with_one_document(work: Path, arguments: str) -> None:
    (work / "x.txt").write_bytes(b"text")
    ran = drvsign(*arguments.split(), "--json")
    assert ran.code == 3
    assert isinstance(ran.document, dict)
    assert ran.errors


def test_results_have_their_keys(package: Path, work: Path) -> None:
    (work / "bad.sys").write_bytes(PeSpec().build()[:900])
    calls = {
        ("catalog", "build", package, "--os", "10_X64"): {"built"},
        ("package", package, "--os", "10_X64"): {"built", "signed"},
        ("sign", package / "hello.sys", package / "hello.cat"): {"signed"},
        ("sign", package / "hello.sys", "--skip-signed"): {"skipped"},
        ("sign", package / "hello.sys", work / "bad.sys"): {"signed", "failed"},
    }
    for call, actions in calls.items():
        document = drvsign(*call, "--json").document
        assert set(document) == {"schema", "files"} | ({"verdict", "problems"} if call[0] == "package" else set())
        assert document["schema"] == "drvsign.result/1"
        assert {file["action"] for file in document["files"]} == actions
        for file in document["files"]:
            assert set(file) == RESULT
            assert (file["error"] is not None) == (file["action"] == "failed")
            assert file["error"] is None or set(file["error"]) == ERROR
            assert file["digest"] is None or HEX.fullmatch(file["digest"])


@pytest.mark.parametrize("command", ["package", "catalog build"])
@pytest.mark.parametrize(
    ("spoil", "codes"),
    [
        ("no-folder", ["file"]),
        ("no-driver", ["package", "22.9.1"]),
        ("no-inf", ["package", "no-inf"]),
        ("two-mistakes", ["package", "22.9.6", "22.9.1"]),
    ],
)
def test_a_package_that_stops_as_a_whole_has_a_result_too(
    package: Path, command: str, spoil: str, codes: list[str]
) -> None:
    inf = package / "hello.inf"
    if spoil in ("no-driver", "two-mistakes"):
        (package / "hello.sys").unlink()
    if spoil == "two-mistakes":
        inf.write_bytes(re.sub(rb"DriverVer *=[^\r]*", b"DriverVer = 2024", inf.read_bytes()))
    if spoil == "no-inf":
        inf.unlink()
    path = package if spoil != "no-folder" else package / "gone"
    ran = drvsign(*command.split(), path, "--os", "10_X64", "--json")
    assert (ran.code, len(ran.errors)) == (3, 1)
    more = {"problems"} if command == "package" and spoil != "no-folder" else set()
    assert (set(ran.document), ran.document["schema"]) == ({"schema", "files"} | more, "drvsign.result/1")
    assert [one["code"] for one in ran.document.get("problems", [])] == (codes[1:] if more else [])
    files = ran.document["files"]
    assert [file["error"]["code"] for file in files] == codes
    assert {file["action"] for file in files} == {"failed"}
    assert all(set(file) == RESULT and set(file["error"]) == ERROR for file in files)
    assert files[0]["path"] == str(path)


@pytest.mark.parametrize("version", [1, 2])
def test_a_catalog_s_document_has_its_keys(package: Path, version: int) -> None:
    drvsign("catalog", "build", package, "--os", "10_X64", "--catalog-version", version)
    document = drvsign("catalog", "show", package / "hello.cat", "--json").document
    assert set(document) == {"schema", "version", "list_identifier", "this_update", "attributes", "members"}
    assert (document["schema"], document["version"]) == ("drvsign.catalog/1", version)
    assert HEX.fullmatch(document["list_identifier"])
    assert TIME.fullmatch(document["this_update"])
    assert ["OS", "_v100_X64"] in document["attributes"]
    assert len(document["members"]) == 2 * version
    for member in document["members"]:
        assert set(member) == MEMBER
        assert member["kind"] in ("image", "cabinet", "flat")
        assert HEX.fullmatch(member["tag"])
        assert ["File", member["file"]] in member["attributes"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("--policy kernel --roots test-signing --testsigning", 0),
        ("--policy kernel", 1),
        ("--policy authenticode --roots test-signing", 0),
        ("--policy pnp --matrix", 1),
        ("--policy protected-media", 1),
        ("--policy kernel --at 2026-01-01T00:00:00Z --hvci --boot-start --upgraded --driver-policy off", 1),
    ],
)
def test_a_verdict_has_its_keys(package: Path, work: Path, arguments: str, code: int) -> None:
    assert drvsign("package", package, "--os", "10_X64").code == 0
    ran = verify(package / "hello.sys", *arguments.split(), "--catalog", package / "hello.cat", "--events", "e.jsonl")
    assert ran.code == code, ran.stderr
    document = ran.document
    assert set(document) == {"schema", "accepted", "decided", "publishers", "files"}
    assert document["schema"] == "drvsign.verdict/1"
    assert (document["accepted"], document["decided"]) == (code == 0, True)
    (file,) = document["files"]
    assert set(file) == {"path", "kind", "accepted", "decided", "signatures", "targets", "findings", "events"}
    assert file["kind"] == "image"
    assert [one["source"] for one in file["signatures"]] == ["embedded", "catalog"]
    for signature in file["signatures"]:
        assert set(signature) == {
            *("index", "source", "catalog", "digest_algorithm", "intact", "signer", "program_name", "url", "class"),
            *("page_hashes", "page_hashes_intact", "timestamp", "chain", "root"),
        }
        assert set(signature["signer"]) == {"subject", "common_name", "issuer", "serial", "sha1", "sha256"}
        assert all(HEX.fullmatch(signature["signer"][key]) for key in ("serial", "sha1", "sha256"))
        assert all(set(link) == LINK for link in signature["chain"])
        assert signature["intact"] is True
    for target in file["targets"]:
        assert set(target) == TARGET
        assert target["verdict"] in ("accepted", "rejected", "unknown")
        assert all(isinstance(one, str) for one in (*target["findings"], target["rule"]))
        assert all(isinstance(one, int) for one in target["events"])
    assert all(set(finding) == FINDING for finding in file["findings"])
    assert all(set(event) == EVENT for event in file["events"])
    assert all(set(json.loads(line)) == {"path", *EVENT} for line in (work / "e.jsonl").read_text("utf-8").splitlines())


@pytest.mark.parametrize("policy", ["kernel", "pnp"])
def test_kinds_are_told_apart(package: Path, policy: str) -> None:
    assert drvsign("package", package, "--os", "10_X64").code == 0
    kinds = {package: "package", package / "hello.cat": "catalog", package / "hello.sys": "image"}
    for path, kind in kinds.items():
        files = verify(path, "--policy", policy).document["files"]
        assert kind in {file["kind"] for file in files}


def test_paths_are_files_folders_and_lists(package: Path, work: Path) -> None:
    (work / "list.txt").write_text(f"{package / 'hello.sys'}\n", "utf-8")
    for path in (package / "hello.sys", package, "@list.txt"):
        document = drvsign("sign", path, "--json").document
        assert [Path(file["path"]).name for file in document["files"]] == ["hello.sys"]

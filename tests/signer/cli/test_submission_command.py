"""`drvsign submission`, from the command line."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from signer.verify.gather import gather
from tests.support.identities import public_pfx
from tests.support.inf_files import BASE, write_package
from tests.support.program import MakeOnce, drvsign, state


@pytest.fixture
def package(work: Path, make_once: MakeOnce) -> Path:
    make_once(_make_package)
    return work / "Echo"


def _make_package() -> None:
    write_package(Path("Echo"), BASE, "sample.sys", "sample.pdb")
    assert drvsign("package", "Echo").code == 0


@pytest.fixture
def signer(work: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Options of a signer that does not look like a test."""
    (work / "contoso.pfx").write_bytes(public_pfx(b"secret"))
    monkeypatch.setenv("PFX_PASSWORD", "secret")
    return ("--pfx", str(work / "contoso.pfx"), "--password-env", "PFX_PASSWORD")


def test_without_a_signer_nothing_is_built(package: Path, work: Path) -> None:
    before = state(work)
    ran = drvsign("submission", "build", package, "-o", work / "echo.cab")
    assert (ran.code, "--unsigned" in ran.stderr) == (2, True)
    assert state(work) == before


def test_a_test_certificate_is_refused_by_build_and_by_check(package: Path, work: Path) -> None:
    before = state(work)
    test = ("--certs", work / "testcerts" / "generated")
    ran = drvsign("submission", "build", package, "-o", work / "echo.cab", *test, "--json")
    assert (ran.code, ran.document["error"]["code"]) == (1, "cabinet-signer")
    assert state(work) == before
    assert drvsign("submission", "build", package, "-o", work / "echo.cab", "--unsigned").code == 0
    assert drvsign("sign", work / "echo.cab", *test).code == 0
    checked = drvsign("submission", "check", work / "echo.cab", "--json")
    (submission,) = checked.document["submissions"]
    errors = [one["code"] for one in submission["problems"] if one["severity"] == "error"]
    assert (checked.code, checked.document["accepted"], errors) == (1, False, ["cabinet-signer"])


def test_a_submission_is_built_signed_and_passes_its_check(package: Path, work: Path, signer: tuple[str, ...]) -> None:
    ran = drvsign("submission", "build", package, "-o", work / "echo.cab", *signer, "--json")
    assert ran.code == 0
    assert [(file["path"][-8:], file["action"]) for file in ran.document["files"]] == [
        ("echo.cab", "signed"),
        ("echo.ddf", "built"),
    ]
    evidence = gather((work / "echo.cab").read_bytes(), "cabinet", "x")
    assert [(one.intact, str(one.digest_algorithm)) for one in evidence.signatures] == [(True, "sha256")]
    checked = drvsign("submission", "check", work / "echo.cab", package, "--json")
    assert checked.code == 0
    document = checked.document
    assert document["schema"] == "drvsign.submission/1"
    assert document["accepted"] is True
    assert [one["packages"][0]["folder"] for one in document["submissions"]] == ["Echo", "Echo"]


@pytest.mark.parametrize("folder", ["Echo", "Echo/", "Echo/../Echo"])
def test_without_a_name_the_cabinet_lies_beside_its_folder(package: Path, work: Path, folder: str) -> None:
    inside = state(package)
    assert drvsign("submission", "build", folder, "--unsigned").code == 0
    assert (work / "Echo.cab").is_file()
    assert (work / "Echo.ddf").is_file()
    assert state(package) == inside


def test_a_folder_that_is_only_here_gives_its_cabinet_its_name(
    package: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(package)
    assert drvsign("submission", "build", ".", "--unsigned").code == 0
    assert (work / "Echo.cab").is_file()


def test_other_programs_find_the_signed_cabinet_sound(package: Path, work: Path, signer: tuple[str, ...]) -> None:
    assert drvsign("submission", "build", package, "-o", work / "echo.cab", *signer).code == 0
    program = shutil.which("cabextract")
    if program is None:
        pytest.skip("cabextract is not installed")
    subprocess.run([program, "-t", str(work / "echo.cab")], check=True, capture_output=True)


def test_with_a_date_the_cabinet_is_the_same_every_time(
    package: Path, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1735689600")
    for name in ("one.cab", "two.cab"):
        drvsign("submission", "build", package, "-o", work / name, "--unsigned")
        (package / "sample.pdb").touch()
    assert (work / "one.cab").read_bytes() == (work / "two.cab").read_bytes()


def test_nothing_is_made_where_a_rule_is_broken(package: Path, work: Path) -> None:
    bad = package.rename(work / "Echo & Co")
    before = state(work)
    ran = drvsign("submission", "build", bad, "-o", work / "echo.cab", "--unsigned")
    assert ran.code == 3
    assert "special characters: '&'" in ran.stderr
    assert state(work) == before
    checked = drvsign("submission", "check", bad)
    assert checked.code == 1
    assert "folder-name-characters" in checked.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["check", "nowhere"], 3, "no such file"),
        (["check", "Echo/sample.inf"], 2, "neither a folder nor a cabinet"),
        (["build", "Echo", "-o", "x.cab", "--digest", "sha1"], 2, "SHA-256"),
        (["build", "Echo", "-o", "x.cab", "--page-hashes"], 2, "apply only to images"),
        (["build", "Echo", "-o", "nowhere/x.cab", "--unsigned"], 3, "nowhere"),
    ],
)
def test_what_can_not_be_done_is_said(package: Path, arguments: list[str], code: int, text: str) -> None:
    ran = drvsign("submission", *arguments)
    assert (ran.code, text in ran.stderr) == (code, True), ran.stderr


def test_a_cabinet_that_is_cut_off_is_said_to_be(package: Path, work: Path) -> None:
    drvsign("submission", "build", package, "-o", work / "echo.cab", "--unsigned")
    (work / "echo.cab").write_bytes((work / "echo.cab").read_bytes()[:-10])
    ran = drvsign("submission", "check", work / "echo.cab")
    assert ran.code == 3
    assert "echo.cab" in ran.errors[0]


def test_a_renamed_cabinet_replaces_the_one_that_the_depfile_records(package: Path, work: Path) -> None:
    build = ("submission", "build", package, "--unsigned", "--depfile", "x.d", "-o")
    for name in ("old.cab", "new.cab"):
        ran = drvsign(*build, name)
        assert ran.code == 0
    assert "removed old.cab: the cabinet is now new.cab" in ran.stderr
    assert sorted(path.name for path in work.iterdir() if path.suffix in (".cab", ".ddf")) == ["new.cab", "new.ddf"]


def test_a_recorded_cabinet_of_another_signer_stays(package: Path, work: Path, signer: tuple[str, ...]) -> None:
    assert drvsign("submission", "build", package, "--depfile", "x.d", "-o", "old.cab", *signer).code == 0
    assert drvsign("submission", "build", package, "--depfile", "x.d", "-o", "new.cab", "--unsigned").code == 0
    assert (work / "old.cab").is_file()


def test_a_cabinet_for_a_device_has_no_directives_beside_it(package: Path, work: Path) -> None:
    fifo = work / "pipe.cab"
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no FIFOs")
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE) as reader:
        assert drvsign("submission", "build", package, "--unsigned", "-o", fifo).code == 0
        assert reader.communicate()[0][:4] == b"MSCF"
    assert (fifo.is_fifo(), (work / "pipe.ddf").exists()) == (True, False)


DDF = """\
.OPTION EXPLICIT
.Set CabinetNameTemplate=Echo.cab
.Set CompressionType=LZX
.Set DestinationDir=Echo
Echo\\sample.inf
Echo\\sample.sys
Echo\\sample.pdb
Echo\\sample.cat
"""


def test_a_ddf_is_built_where_makecab_writes_it_and_stays(package: Path, work: Path) -> None:
    ddf = work / "Echo.ddf"
    ddf.write_text(DDF)
    (package / "sample.cat").write_bytes(b"catalog")
    (package / "left.txt").write_bytes(b"not in the .ddf")
    ran = drvsign("submission", "build", "Echo.ddf", "--unsigned", "--depfile", "x.d", "-v")
    assert (ran.code, ran.stdout) == (0, "built Disk1/Echo.cab  (1 package, 4 files, unsigned)\n")
    assert "ignored compressiontype: the portal requires MSZIP" in ran.stderr
    assert ddf.read_text() == DDF, "no directives are written over it"
    assert "Echo.ddf" in (work / "x.d").read_text()
    program = shutil.which("cabextract")
    if program is not None:
        listed = subprocess.run([program, "-l", "Disk1/Echo.cab"], check=True, capture_output=True, text=True).stdout
        names = ["Echo/sample.inf", "Echo/sample.sys", "Echo/sample.pdb", "Echo/sample.cat"]
        assert [line.rpartition("| ")[2] for line in listed.splitlines() if "Echo/" in line] == names
    assert drvsign("submission", "check", "Echo.ddf").code == 0
    ddf.write_text(DDF.replace("Echo\\sample.inf\n", ""))
    assert drvsign("submission", "check", "Echo.ddf").code == 1


def test_the_directives_of_a_build_build_the_same_cabinet(package: Path, work: Path) -> None:
    assert drvsign("submission", "build", "Echo", "-o", "one.cab", "--unsigned").code == 0
    (work / "one.ddf").rename(work / "copy.ddf")
    assert drvsign("submission", "build", "copy.ddf", "-o", "two.cab", "--unsigned").code == 0
    assert (work / "one.cab").read_bytes() == (work / "two.cab").read_bytes()


WRONG_DDF = {
    "two of them": (("Echo.ddf", "Echo.ddf"), 2, "Name the .ddf alone"),
    "with a folder": (("Echo.ddf", "Echo"), 2, "Name the .ddf alone"),
    "a missing one": (("no.ddf",), 3, "no.ddf: file not found"),
    "a variable for a folder": (("Echo", "--define", "a=b"), 2, "--define applies only to a .ddf"),
    "a variable without a value": (("Echo.ddf", "--define", "a"), 2, "Write --define SourceDir=build"),
    "a missing file": (("Echo.ddf", "--define", "SourceDir=x"), 3, "Echo.ddf:5: x\\Echo\\sample.inf: file not found"),
}


@pytest.mark.parametrize(("words", "code", "message"), WRONG_DDF.values(), ids=WRONG_DDF)
def test_a_wrong_call_with_a_ddf_says_what_to_write(
    package: Path, work: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    (work / "Echo.ddf").write_text(DDF)
    ran = drvsign("submission", "build", *words, "--unsigned")
    assert (ran.code, message in ran.stderr) == (code, True), ran.stderr

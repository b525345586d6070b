"""Command lines of Inf2Cat, StampInf and MakeCat, and what all front ends share."""

from __future__ import annotations

from pathlib import Path

import pytest

import catalogs
from signer.cli.front_ends.inf2cat import FAILED
from signer.cli.front_ends.tools import TOOLS
from signer.operations.signatures import is_signed
from tests.support.front_ends import PASSWORD, tool
from tests.support.inf_files import BASE
from tests.support.program import drvsign


def test_a_build_stamps_catalogues_and_signs(package: Path, pfx: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inf, cat, sys_ = (package / f"sample.{suffix}" for suffix in ("inf", "cat", "sys"))
    assert tool("stampinf", "-f", inf, "-d", "11/26/2025", "-a", "amd64", "-v", "1.0.0.1") == 0
    assert "Stamping [Version] section with DriverVer=11/26/2025,1.0.0.1" in capsys.readouterr().out
    assert "Models,NTamd64" in inf.read_text()
    assert tool("signtool", "sign", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD, sys_) == 0
    assert tool("Inf2Cat.exe", f"/driver:{package}", "/os:10_X64", "/verbose") == 0
    printed = capsys.readouterr().out
    assert f"Successfully signed: {sys_}\n" in printed
    assert "Signability test complete.\n\nErrors:\nNone\n\nWarnings:\nNone\n\nCatalog generation complete.\n" in printed
    assert {member.file for member in catalogs.read_catalog(cat).members} == {"sample.inf", "sample.sys"}
    assert tool("signtool", "sign", "-fd", "sha256", "-f", pfx, "-p", PASSWORD, "/v", cat) == 0
    assert "Number of files successfully Signed: 1" in capsys.readouterr().out
    assert is_signed(cat.read_bytes())
    assert is_signed(sys_.read_bytes())


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (BrokenPipeError(32, "Broken pipe"), ""),
        (PermissionError(13, "Permission denied"), "permission denied"),
        (ValueError("a bug"), "a bug"),
    ],
    ids=["a reader that ended", "an error of the system", "a bug"],
)
def test_no_exception_is_a_traceback(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], raised: Exception, said: str
) -> None:
    def fail(*_: object) -> None:
        raise raised

    monkeypatch.setattr("signer.cli.front_ends.stampinf.say", fail)
    monkeypatch.setattr("signer.cli.streams.forget", lambda _: None)
    assert tool("stampinf", "-f", work / "x.inf") == 3
    printed = capsys.readouterr().err
    assert (said in printed, bool(printed)) == (True, bool(said))


def test_makecat_builds_the_catalog_of_a_cdf_file(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["[CatalogHeader]", "Name=loose.cat", "[CatalogFiles]", "<HASH>driver=sample.sys", ""]
    package.joinpath("loose.cdf").write_text("\r\n".join(lines), newline="")
    assert tool("makecat", "-v", package / "loose.cdf") == 0
    assert capsys.readouterr().out == f"processed: {package / 'loose.cat'}\nSucceeded\n"
    assert len(catalogs.read_catalog(package / "loose.cat").members) == 1
    package.joinpath("sample.sys").unlink()
    assert tool("makecat", package / "loose.cdf") == 1
    assert "MakeCat Error: " in capsys.readouterr().err


def test_inf2cat_lists_the_errors_and_builds_nothing(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package.joinpath("sample.inf").write_text(BASE.replace("05/01/2024", "05/01/2099"), newline="")
    assert tool("inf2cat", f"/drv:{package}", "/os:10_X64") == FAILED
    printed = capsys.readouterr().out
    assert printed.startswith("Signability test failed.\n\nErrors:\n22.9.7: ")
    assert not package.joinpath("sample.cat").exists()


def test_inf2cat_says_why_a_catalog_is_not_built(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package.joinpath("sample.inf").write_text(BASE, newline="")
    package.joinpath("sample.cat").mkdir()
    assert tool("inf2cat", f"/driver:{package}", "/os:10_X64") == FAILED
    assert "Inf2Cat Error: " in capsys.readouterr().err


def test_the_hint_about_a_catalog_of_another_signer_names_no_switch_that_a_tool_lacks(
    package: Path, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package.joinpath("loose.cdf").write_text("[CatalogHeader]\nName=sample.cat\n[CatalogFiles]\n<HASH>a=sample.sys\n")
    assert tool("makecat", package / "loose.cdf") == 0
    assert drvsign("sign", package / "sample.cat", "--certs", work / "others").code == 0
    assert tool("stampinf", "-f", package / "sample.inf", "-d", "11/26/2025", "-a", "amd64", "-v", "1.0.0.1") == 0
    for words in (["makecat", package / "loose.cdf"], ["inf2cat", f"/driver:{package}", "/os:10_X64"]):
        capsys.readouterr()
        assert tool(*words) != 0
        assert "\tDelete it first, or replace it with drvsign catalog build and --replace." in capsys.readouterr().err


def test_inf2cat_without_a_catalog_checks_only(package: Path) -> None:
    package.joinpath("sample.inf").write_text(BASE, newline="")
    assert tool("inf2cat", f"/driver:{package}", "/os:10_X64", "/nocat") == 0
    assert not package.joinpath("sample.cat").exists()


def test_stampinf_names_the_lines_that_change(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inf = work / "x.inf"
    inf.write_text("[Version]\nCatalogFile = a.cat ; ours\n[Models.NT$ARCH$]\n")
    assert tool("stampinf", "-f", inf, "-d", "11/26/2025", "-a", "amd64", "-v", "1.0", "-c", "other.cat", "-n") == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        "REPLACE       Line 2: CatalogFile = a.cat ; ours",
        "WITH          Line 2: CatalogFile = other.cat ; ours",
        "WITH          Line 2: DriverVer = 11/26/2025,1.0",
        "REPLACE       Line 3: [Models.NT$ARCH$]",
        "WITH          Line 3: [Models.NTamd64]",
        "changed file size by 30",
    ]


def test_stampinf_reads_the_version_in_ntverp(package: Path) -> None:
    inf, parts = (
        package / "sample.inf",
        ("PRODUCTMAJORVERSION", "PRODUCTMINORVERSION", "PRODUCTBUILD", "PRODUCTBUILD_QFE"),
    )
    (package / "Ntverp.h").write_text("".join(f"#define VER_{name} {number}\n" for number, name in enumerate(parts, 5)))
    assert tool("stampinf", "-f", inf, "-d", "11/26/2025", "-a", "amd64", "-i", package) == 0
    assert "DriverVer = 11/26/2025,5.6.7.8" in inf.read_text()
    (package / "Ntverp.h").unlink()
    assert tool("stampinf", "-f", inf, "-i", package) == 3


def test_shims_call_their_tools(work: Path) -> None:
    ran = drvsign("shims", work / "bin", "--json")
    assert ran.code == 0
    assert {Path(path).stem for path in ran.document["files"]} >= set(TOOLS)
    assert drvsign("shims", work / "bin").code == 0  # its own files are replaced
    for path in ran.document["files"]:
        assert f"-m signer --as {Path(path).stem.lower()} " in Path(path).read_text()


def test_shims_replace_no_other_program(work: Path) -> None:
    work.joinpath("bin").mkdir()
    for name in ("signtool", "signtool.cmd"):
        work.joinpath("bin", name).write_text("another program")
    ran = drvsign("shims", work / "bin")
    assert ran.code == 3
    assert {path.read_text() for path in work.joinpath("bin").iterdir()} == {"another program"}

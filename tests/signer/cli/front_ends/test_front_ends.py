"""Command lines of Microsoft's tools: what each switch does, the lines and the exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import catalogs
from signer.cli.front_ends.inf2cat import FAILED
from signer.cli.front_ends.inf2cat import SWITCHES as INF2CAT
from signer.cli.front_ends.makecat import SWITCHES as MAKECAT
from signer.cli.front_ends.signtool import COMMANDS
from signer.cli.front_ends.stampinf import SWITCHES as STAMPINF
from signer.cli.front_ends.tools import TOOLS, run_tool
from signer.operations.signatures import is_signed
from tests.support.images import PeSpec
from tests.support.inf_files import BASE
from tests.support.program import drvsign

PASSWORD = "drvsign"


@pytest.fixture
def package(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose INF is a template, and the test authority in certs/."""
    for name in ("Platform", "STAMPINF_DATE", "STAMPINF_VERSION", "PRIVATE_DRIVER_PACKAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764201600")  # 2025-11-27
    folder = work / "package"
    folder.mkdir()
    folder.joinpath("sample.inf").write_text(BASE.replace("NTamd64", "NT$ARCH$"), newline="")
    folder.joinpath("sample.sys").write_bytes(PeSpec().build())
    return folder


@pytest.fixture
def pfx(work: Path) -> Path:
    assert drvsign("certs", "create", work / "certs").code == 0
    return work / "certs" / "code-signing.pfx"


def tool(*words: object) -> int:
    return run_tool([str(word) for word in words])


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


def test_inf2cat_lists_the_errors_and_builds_nothing(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package.joinpath("sample.inf").write_text(BASE.replace("05/01/2024", "05/01/2099"), newline="")
    assert tool("inf2cat", f"/drv:{package}", "/os:10_X64") == FAILED
    printed = capsys.readouterr().out
    assert printed.startswith("Signability test failed.\n\nErrors:\n22.9.7: ")
    assert not package.joinpath("sample.cat").exists()


def test_inf2cat_without_a_catalog_checks_only(package: Path) -> None:
    package.joinpath("sample.inf").write_text(BASE, newline="")
    assert tool("inf2cat", f"/driver:{package}", "/os:10_X64", "/nocat") == 0
    assert not package.joinpath("sample.cat").exists()


def test_signtool_does_not_replace_foreign_signatures(package: Path, pfx: Path, work: Path) -> None:
    target = package / "sample.sys"
    assert drvsign("sign", target, "--certs", work / "others").code == 0
    before = target.read_bytes()
    assert tool("signtool", "sign", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD, target) == 1
    assert target.read_bytes() == before
    assert tool("signtool", "sign", "/as", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD, target) == 0


def test_signtool_warns_about_a_password_on_the_command_line(
    package: Path, pfx: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool("signtool", "sign", "/q", "/fd", "SHA256", "/f", pfx, "/p", PASSWORD, package / "sample.sys") == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "password of /p" in printed.err


def test_signtool_verifies(package: Path, pfx: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = package / "sample.sys"
    assert tool("signtool", "verify", "/pa", target) == 1
    assert f"SignTool Error: {target}: " in capsys.readouterr().err


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


def test_the_page_lists_every_switch() -> None:
    page = (Path(__file__).parents[4] / "docs" / "migrate.md").read_text(encoding="utf-8")
    tables = {"signtool " + name: table for name, table in COMMANDS.items()}
    tables |= {"inf2cat": INF2CAT, "stampinf": STAMPINF, "makecat": MAKECAT}
    for tool_name, known in tables.items():
        section = page.partition(f"## {tool_name}\n")[2].partition("\n## ")[0].lower()
        rows = dict(re.findall(r"^\| `[/-]([a-z0-9]+)[^`]*` \| (yes|no|ignored) \|", section, re.MULTILINE))
        kinds = {name: "no" if one.refused else "ignored" if one.ignored else "yes" for name, one in known.items()}
        assert rows == kinds


REFUSALS = {
    "no digest": (["signtool", "sign", "/f", "x.pfx", "x.sys"], 1, "/fd SHA256"),
    "no timestamp digest": (["signtool", "sign", "/fd", "SHA256", "/f", "x.pfx", "/tr", "http://x", "x.sys"], 1, "/td"),
    "two kinds of timestamps": (
        ["signtool", "sign", "/fd", "SHA256", "/f", "x.pfx", "/t", "http://x", "/tr", "http://x", "x.sys"],
        1,
        "Remove /t",
    ),
    "the certificate store": (["signtool", "sign", "/n", "Contoso", "x.sys"], 1, "certificate store"),
    "no key": (["signtool", "sign", "/a", "/fd", "SHA256", "x.sys"], 1, "certificate store"),
    "an unknown switch": (["signtool", "sign", "/zz", "x.sys"], 1, "unknown switch /zz"),
    "a switch without its value": (["signtool", "sign", "x.sys", "/f"], 1, "/f requires a value"),
    "a value for a switch without one": (["signtool", "sign", "/as:1", "x.sys"], 1, "/as takes no value"),
    "no command": (["signtool"], 1, "sign, timestamp, verify"),
    "a command that only Windows has": (["signtool", "catdb", "x.cat"], 1, "Windows only"),
    "no file": (["signtool", "verify", "/pa"], 1, "no file"),
    "Inf2Cat without releases": (["inf2cat", "/driver:."], 2, "/os:10_X64"),
    "an unknown release": (["inf2cat", "/driver:.", "/os:Nonsense"], 2, "Nonsense"),
    "a deprecated switch": (["inf2cat", "/driver:.", "/os:10_X64", "/drm"], 2, "[SignatureAttributes]"),
    "StampInf without a file": (["stampinf", "-d", "*"], 2, "-f FILE"),
    "MakeCat without a file": (["makecat", "-v"], 2, "FILE.cdf"),
    "MakeCat with an INF": (["makecat", "x.inf"], 2, "drvsign catalog build DIR"),
    "MakeCat with errors": (["makecat", "-n", "x.cdf"], 2, "correct the .cdf file"),
    "an unknown tool": (["makecab"], 2, "signtool"),
    "no tool": ([], 2, "signtool"),
}


@pytest.mark.parametrize(("words", "code", "said"), REFUSALS.values(), ids=REFUSALS)
def test_a_wrong_call_says_what_to_write(
    work: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    work.joinpath("x.sys").write_bytes(PeSpec().build())
    assert run_tool(words) == code
    printed = capsys.readouterr()
    assert (said in printed.err, printed.out) == (True, "")


def test_a_response_file_has_more_words(package: Path, pfx: Path, work: Path) -> None:
    work.joinpath("options.rsp").write_text(f'/fd SHA256 /f "{pfx}"\n/p {PASSWORD}\n')
    assert tool("signtool", "sign", f"@{work / 'options.rsp'}", package / "sample.sys") == 0
    assert is_signed(package.joinpath("sample.sys").read_bytes())


def test_response_files_that_name_each_other_end(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work.joinpath("a.rsp").write_text(f"@{work / 'a.rsp'}")
    assert tool("signtool", "sign", f"@{work / 'a.rsp'}") == 1
    assert "name each other" in capsys.readouterr().err


def test_shims_call_their_tools(work: Path) -> None:
    ran = drvsign("shims", work / "bin", "--json")
    assert ran.code == 0
    assert [Path(path).stem for path in ran.document["files"]] == list(TOOLS)
    assert drvsign("shims", work / "bin").code == 0  # its own files are replaced
    for path in ran.document["files"]:
        assert f"-m signer --as {Path(path).stem} " in Path(path).read_text()


def test_shims_replace_no_other_program(work: Path) -> None:
    work.joinpath("bin").mkdir()
    for name in ("signtool", "signtool.cmd"):
        work.joinpath("bin", name).write_text("another program")
    ran = drvsign("shims", work / "bin")
    assert ran.code == 3
    assert {path.read_text() for path in work.joinpath("bin").iterdir()} == {"another program"}

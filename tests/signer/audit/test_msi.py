"""MSIs: the tables say which files of the cabinets are drivers, and where they are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from signer.audit import msi as msi_module
from signer.audit import msi_database
from signer.audit.msi import MAX_PATH, msi_members
from signer.audit.msi_database import MsiDatabase
from signer.errors import FileError, MalformedInput, SignerError
from tests.support.cabinets import cabinet
from tests.support.lzx_cabinets import lzx_cabinet
from tests.support.msi_files import FOLDERS, Rows, database, msi

pytest.importorskip("olefile", reason="olefile is not installed")

FILES = {"INF": "HELLO.INF|hello driver.inf", "SYS": "hello.sys", "TXT": "readme.txt"}
CABINET = cabinet({"INF": b"[Version]", "SYS": b"MZ", "TXT": b"text", "other.sys": b"in no table"})
DEEP: Rows = (
    ("TARGETDIR", "", "SourceDir"),
    ("PF", "TARGETDIR", "PFiles|Program Files:source"),
    ("HERE", "PF", "."),
    ("APP", "HERE", "CONTOS~1|Contoso"),
    ("LOOP", "LOOP", "loop"),
)


def members(path: Path, data: bytes) -> dict[str, bytes]:
    path.write_bytes(data)
    return {one.name: b"".join(one.pieces) for one in msi_members(path)}


PATHS: dict[str, tuple[bytes, dict[str, bytes]]] = {
    "long names in the root": (
        msi(FILES, {"x.cab": CABINET}),
        {"hello driver.inf": b"[Version]", "hello.sys": b"MZ"},
    ),
    "folders": (
        msi(FILES, {"x.cab": CABINET}, DEEP),
        {"Program Files/Contoso/hello driver.inf": b"[Version]", "Program Files/Contoso/hello.sys": b"MZ"},
    ),
    "a folder that is its own parent": (msi({"SYS": "LOOP:a.sys"}, {"x.cab": CABINET}, DEEP), {"a.sys": b"MZ"}),
    "a folder that no table has": (msi({"SYS": "NONE:a.sys"}, {"x.cab": CABINET}, DEEP), {"a.sys": b"MZ"}),
    "references of 3 bytes": (msi({"SYS": "a.sys"}, {"x.cab": CABINET}, wide=True), {"a.sys": b"MZ"}),
    "names in UTF-8": (
        database(
            {
                "Media": [(1, 1, "#x.cab")],
                "File": [("SYS", "C", "тест.sys", 2, 1)],
                "Component": [("C", "TARGETDIR", 0)],
                "Directory": FOLDERS,
            },
            {"x.cab": CABINET},
            page=65001,
        ),
        {"тест.sys": b"MZ"},
    ),
    "a string of more than 64 KiB before": (
        msi({"TXT": "x" * 70_000 + ".txt", "SYS": "a.sys"}, {"x.cab": CABINET}),
        {"a.sys": b"MZ"},
    ),
    "two cabinets": (
        msi({"SYS": "a.sys", "TWO": "b.sys"}, {"x.cab": CABINET, "y.cab": cabinet({"TWO": b"two"})}),
        {"a.sys": b"MZ", "b.sys": b"two"},
    ),
    "a large cabinet": (
        msi({"SYS": "a.sys"}, {"x.cab": cabinet({"SYS": bytes(range(256)) * 100})}),
        {"a.sys": bytes(range(256)) * 100},
    ),
    "an MSI without files": (msi({}, {}), {}),
    "an MSI without tables": (database({}, {}), {}),
}


@pytest.mark.parametrize(("data", "expected"), PATHS.values(), ids=PATHS.keys())
def test_driver_files_have_the_paths_of_the_tables(tmp_path: Path, data: bytes, expected: dict[str, bytes]) -> None:
    assert members(tmp_path / "x.msi", data) == expected


def test_a_cabinet_can_be_compressed_with_lzx(tmp_path: Path) -> None:
    pytest.importorskip("archi", reason="archi is not installed")
    assert members(tmp_path / "x.msi", msi({"SYS": "a.sys"}, {"x.cab": lzx_cabinet({"SYS": b"driver" * 9})})) == {
        "a.sys": b"driver" * 9
    }


def test_a_cabinet_can_be_beside_the_msi(tmp_path: Path) -> None:
    (tmp_path / "data1.cab").write_bytes(CABINET)
    assert members(tmp_path / "x.msi", msi({"SYS": "a.sys"}, {}, media=["data1.cab"])) == {"a.sys": b"MZ"}


DAMAGED: dict[str, tuple[bytes, str]] = {
    "an empty file": (b"", "the MSI is damaged, or is not an MSI"),
    "the header alone": (msi(FILES, {"x.cab": CABINET})[:512], "the MSI is damaged"),
    "a cut MSI": (msi(FILES, {"x.cab": bytes(9000)})[:6000], "the MSI is damaged"),
    "a stream that is larger than the file": (
        msi(FILES, {"x.cab": b"\xab" * 5000}).replace(b"\x88\x13\x00\x00\x00", b"\x88\x13\x00\xff\x00"),
        "the MSI is damaged",
    ),
    "no cabinets": (msi(FILES, {}), "the MSI has no cabinets: its files are in the folder beside it"),
    "a cabinet that is not there": (msi(FILES, {}, media=["#x.cab"]), "has no stream with its cabinet 'x.cab'"),
    "a cabinet that is not beside it": (msi(FILES, {}, media=["x.cab"]), "the cabinet 'x.cab' of the MSI is not"),
    "a cabinet in another folder": (msi(FILES, {}, media=["../x.cab"]), "the cabinet '../x.cab' of the MSI is not"),
    "a cabinet with a name that no file has": (msi(FILES, {}, media=["x" * 300]), "of the MSI is not beside it"),
    "a damaged cabinet": (msi(FILES, {"x.cab": b"MSCF"}), "not a cabinet"),
    "a code page that does not exist": (
        msi(FILES, {"x.cab": CABINET}).replace(b"\xe4\x04\x00\x00", b"\x99\x99\x00\x00"),
        "the MSI is damaged",
    ),
}


@pytest.mark.parametrize(("data", "message"), DAMAGED.values(), ids=DAMAGED.keys())
def test_what_can_t_be_read_is_an_error(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "up").mkdir()
    (tmp_path / "x.cab").write_bytes(CABINET)
    with pytest.raises(SignerError, match=message.replace("(", r"\(").replace(".", r"\.")):
        members(tmp_path / "up" / "x.msi", data)


def nested(depth: int, name: str) -> Rows:
    """Rows of nested folders; the innermost is DEEP."""
    rows = [(f"F{number}", f"F{number - 1}" if number else "TARGETDIR", name) for number in range(depth - 1)]
    return (("TARGETDIR", "", "SourceDir"), ("OTHER", "TARGETDIR", "o"), *rows, ("DEEP", rows[-1][0], name))


NO_PATH: dict[str, tuple[Rows, str]] = {
    "folders in a circle": ((("DEEP", "B", "a"), ("B", "DEEP", "b")), "nested more than 100 deep, or in a circle"),
    "folders in a circle without a name": ((("DEEP", "B", "."), ("B", "DEEP", ".")), "or in a circle"),
    "101 folders": (nested(101, "a"), "nested more than 100 deep"),
    "long names": (nested(90, "a" * 60_000), "more than 1,024 characters"),
    "a path that is a character too long": (nested(2, "a" * 508), "more than 1,024 characters"),
}


@pytest.mark.parametrize(("folders", "reason"), NO_PATH.values(), ids=NO_PATH.keys())
def test_a_file_whose_path_can_t_be_used_is_left_out_alone(tmp_path: Path, folders: Rows, reason: str) -> None:
    data = msi({"SYS": "DEEP:long.sys", "INF": "OTHER:b.inf"}, {"x.cab": CABINET}, folders)
    (tmp_path / "x.msi").write_bytes(data)
    left, found = msi_members(tmp_path / "x.msi")
    assert reason in left.fault
    assert len(left.name) <= 2 * MAX_PATH
    assert (found.fault, b"".join(found.pieces)) == ("", b"[Version]")


def test_paths_of_the_longest_kind_are_read(tmp_path: Path) -> None:
    deep = msi({"SYS": "DEEP:a.sys"}, {"x.cab": CABINET}, nested(100, "a"))
    assert members(tmp_path / "x.msi", deep) == {"a/" * 100 + "a.sys": b"MZ"}
    long = msi({"SYS": "DEEP:longer.sys"}, {"x.cab": CABINET}, nested(2, "a" * 506))
    assert [len(name) for name in members(tmp_path / "y.msi", long)] == [MAX_PATH]


def test_strings_beyond_the_limit_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msi_database, "MAX_STRINGS", 16)
    with pytest.raises(MalformedInput, match="the tables of the MSI have more than 16 strings"):
        members(tmp_path / "x.msi", msi({f"F{number}": "a.sys" for number in range(17)}, {"x.cab": CABINET}))


def test_an_error_says_how_to_unpack_the_msi(tmp_path: Path) -> None:
    with pytest.raises(MalformedInput) as caught:
        members(tmp_path / "x y.msi", b"")
    assert f"msiextract -C FOLDER '{tmp_path}/x y.msi'" in (caught.value.hint or "")


def test_rows_beyond_the_limit_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msi_database, "MAX_ROWS", 16)  # the table of columns has as many
    data = msi({f"F{number}": "a.sys" for number in range(17)}, {"x.cab": CABINET})
    with pytest.raises(MalformedInput, match="a table of the MSI has more than 16 rows"):
        members(tmp_path / "x.msi", data)


def test_folders_up_to_the_limit_are_read(tmp_path: Path) -> None:
    chain = [("D0", "", "root"), *((f"D{n}", f"D{n - 1}", "d") for n in range(1, msi_module.MAX_DEPTH + 1))]
    found = members(tmp_path / "x.msi", msi({"SYS": f"D{msi_module.MAX_DEPTH}:a.sys"}, {"x.cab": CABINET}, chain))
    assert list(found) == ["d/" * msi_module.MAX_DEPTH + "a.sys"]


def test_without_the_library_the_error_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "olefile", None)
    with pytest.raises(FileError, match="reading an MSI requires the library olefile") as caught:
        members(tmp_path / "x.msi", msi(FILES, {"x.cab": CABINET}))
    assert "pip install 'drvsign[archives]'. Unpack it with: msiextract" in (caught.value.hint or "")


WXS = """<?xml version="1.0"?>
<Wix xmlns="http://schemas.microsoft.com/wix/2006/wi">
<Product Name="Hello" Id="*" UpgradeCode="12345678-1234-1234-1234-123456789012" Language="1033" Codepage="1252"
 Version="1.0.0" Manufacturer="Contoso">
<Package Id="*" Manufacturer="Contoso" InstallerVersion="200" Languages="1033" Compressed="yes"/>
<Media Id="1" Cabinet="data.cab" EmbedCab="yes"/>
<Directory Id="TARGETDIR" Name="SourceDir"><Directory Id="APP" Name="Contoso Driver">
<Component Id="C1" Guid="12345678-1234-1234-1234-123456789013">
<File Id="FILE_INF" Name="hello.inf" Source="hello.inf"/><File Id="FILE_SYS" Name="hello.sys" Source="hello.sys"/>
</Component></Directory></Directory>
<Feature Id="F" Title="T" Level="1"><ComponentRef Id="C1"/></Feature>
</Product></Wix>
"""


@pytest.fixture
def made_by_wixl(tmp_path: Path) -> Path:
    if shutil.which("wixl") is None or shutil.which("msiinfo") is None:
        pytest.skip("wixl and msitools are not installed")
    (tmp_path / "x.wxs").write_text(WXS)
    (tmp_path / "hello.inf").write_bytes(b"[Version]")
    (tmp_path / "hello.sys").write_bytes(bytes(range(256)) * 200)
    subprocess.run(["wixl", "-o", "x.msi", "x.wxs"], cwd=tmp_path, check=True)
    return tmp_path / "x.msi"


def test_an_msi_of_wixl_is_read(made_by_wixl: Path) -> None:
    assert {one.name: b"".join(one.pieces) for one in msi_members(made_by_wixl)} == {
        "Contoso Driver/hello.inf": b"[Version]",
        "Contoso Driver/hello.sys": bytes(range(256)) * 200,
    }


@pytest.mark.parametrize("table", ["Media", "File", "Component", "Directory", "Property", "InstallExecuteSequence"])
def test_tables_are_those_that_msitools_reads(made_by_wixl: Path, table: str) -> None:
    printed = subprocess.run(["msiinfo", "export", made_by_wixl, table], capture_output=True, text=True, check=True)
    names, _, _, *expected = (line.split("\t") for line in printed.stdout.splitlines())
    with MsiDatabase(made_by_wixl) as found:
        assert [[str(value) for value in row] for row in found.rows(table, *names)] == expected

"""Directive files of makecab: which files they name, every directive and variable, and errors with their line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalogs.submission.ddf import DIRECTIVES, MAX_LINE, VARIABLES, Directives, parse
from catalogs.submission.from_directives import submission_from
from signer.errors import FileError, MalformedInput, SignerError, UsageError
from tests.support.files import ROOT
from tests.support.inf_files import BASE, write_package

PAGE = (ROOT / "docs" / "ddf.md").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the cases name."""
    (tmp_path / "Sub Dir").mkdir()
    for name in ("a.sys", "b.sys", "Sub Dir/c.sys", "Sub Dir/semi;colon.sys"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def read(folder: Path, *lines: str, **defined: str) -> Directives:
    return parse("\r\n".join(lines), folder / "x.ddf", defined)


def names(found: Directives) -> list[tuple[str, str]]:
    root = found.source.parent
    return [(file.path.relative_to(root).as_posix(), file.name) for file in found.files]


FILES = {
    "a file in the root": (["a.sys"], [("a.sys", "a.sys")]),
    "a folder": ([".Set DestinationDir=Echo", "a.sys"], [("a.sys", "Echo\\a.sys")]),
    "a folder with a backslash": ([".Set DestinationDir=Echo\\x64\\", "a.sys"], [("a.sys", "Echo\\x64\\a.sys")]),
    "a folder in quotes": (['.Set DestinationDir="Echo Two"', "a.sys"], [("a.sys", "Echo Two\\a.sys")]),
    "a folder and the root again": (
        [".Set DestinationDir=E", "a.sys", ".Set DestinationDir=", "b.sys"],
        [("a.sys", "E\\a.sys"), ("b.sys", "b.sys")],
    ),
    "another name": (["a.sys other.sys"], [("a.sys", "other.sys")]),
    "another name with a folder": ([".set destinationdir=E", "a.sys x\\o.sys"], [("a.sys", "E\\x\\o.sys")]),
    "quotes": (['"Sub Dir\\c.sys" "o p.sys"'], [("Sub Dir/c.sys", "o p.sys")]),
    "single quotes": (["'Sub Dir\\c.sys'"], [("Sub Dir/c.sys", "c.sys")]),
    "another case": (['"SUB DIR\\C.SYS"'], [("Sub Dir/c.sys", "C.SYS")]),
    "a slash": (['"Sub Dir/c.sys"'], [("Sub Dir/c.sys", "c.sys")]),
    "a comment": (["a.sys ; the driver"], [("a.sys", "a.sys")]),
    "a semicolon in quotes": (['"Sub Dir\\semi;colon.sys";c'], [("Sub Dir/semi;colon.sys", "semi;colon.sys")]),
    "parameters of a file": (["a.sys /inf=no /unique=yes /x=y"], [("a.sys", "a.sys")]),
    "a variable": ([".Define D=Sub Dir", '"%D%\\c.sys"'], [("Sub Dir/c.sys", "c.sys")]),
    "a variable in a variable": ([".Set A=a", ".Set B=%A%.sys", ".Set A=b", "%b%"], [("a.sys", "a.sys")]),
    "a percent sign": (["a.sys 100%%.sys"], [("a.sys", "100%.sys")]),
    "SourceDir": (['.Set SourceDir="Sub Dir"', "c.sys"], [("Sub Dir/c.sys", "c.sys")]),
    "lines of .InfBegin": ([".InfBegin Disk", "not a file", ".set x", ".InfEnd", "a.sys"], [("a.sys", "a.sys")]),
    "file references": (
        [".Set GenerateInf=OFF", "a.sys", ".Set GenerateInf=ON", "a.sys /x=y", "nothing"], [("a.sys", "a.sys")]
    ),
    "another compression folder": (["a.sys", ".New Folder", "b.sys"], [("a.sys", "a.sys"), ("b.sys", "b.sys")]),
    "a new cabinet before the files": ([".New Cabinet", "a.sys"], [("a.sys", "a.sys")]),
    "Cabinet=OFF and ON": ([".Set Cabinet=OFF", ".Set Cabinet=ON", "a.sys"], [("a.sys", "a.sys")]),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), FILES.values(), ids=FILES)
def test_files(folder: Path, lines: list[str], expected: list[tuple[str, str]]) -> None:
    assert names(read(folder, *lines)) == expected


TARGETS = {
    "the default": ([], "Disk1/1.cab"),
    "a name": ([".Set CabinetNameTemplate=Echo.cab"], "Disk1/Echo.cab"),
    "a number in the name": ([".Set CabinetNameTemplate=E*.cab"], "Disk1/E1.cab"),
    "the first name": ([".Set CabinetName1=a.cab", ".Set CabinetName2=b.cab"], "Disk1/a.cab"),
    "a folder": ([".Set DiskDirectoryTemplate=out\\cabs"], "out/cabs/1.cab"),
    "the first folder": ([".Set DiskDirectory1=out"], "out/1.cab"),
    "no folder": ([".Set DiskDirectory1=.", ".Set CabinetNameTemplate=Echo.cab"], "Echo.cab"),
}


@pytest.mark.parametrize(("lines", "expected"), TARGETS.values(), ids=TARGETS)
def test_the_path_of_the_cabinet(folder: Path, lines: list[str], expected: str) -> None:
    assert read(folder, *lines, "a.sys").target == folder / expected


def test_a_cabinet_on_a_windows_drive_needs_output(folder: Path) -> None:
    with pytest.raises(UsageError) as raised:
        _ = read(folder, ".Set DiskDirectory1=C:\\out", "a.sys").target
    assert "--output" in (raised.value.hint or "")


def test_a_variable_of_the_call_replaces_its_default(folder: Path) -> None:
    lines = (".Option Explicit", ".Define Name=a", "%Name%.sys")
    assert names(read(folder, *lines)) == [("a.sys", "a.sys")]
    assert names(read(folder, *lines, Name="b")) == [("b.sys", "b.sys")]
    assert names(read(folder, "c.sys", SourceDir="Sub Dir")) == [("Sub Dir/c.sys", "c.sys")]


ERRORS = {
    "no files": ([".Set Cabinet=ON"], None, "the .ddf names no files"),
    "a missing file": (["a.sys", "no.sys"], 2, "no.sys: file not found"),
    "a folder as a file": (['"Sub Dir"'], 1, "file not found"),
    "a name that no disk can have": (["a.sys", "x" * 300], 2, f"{'x' * 300}: "),
    "a Windows drive": (["C:\\Echo\\a.sys"], 1, "is on a Windows drive"),
    "a network share": (["\\\\server\\share\\a.sys"], 1, "is on a Windows drive"),
    "an open quote": (['"a.sys'], 1, "missing closing quote"),
    "three names": (["a.sys b.sys c.sys"], 1, "not a file"),
    "an empty name": (['a.sys ""'], 1, "not a file"),
    "a name that is only a separator": (['"a.sys"\\'], 1, "not a file"),
    "a name that ends with a separator": (["a.sys Echo/"], 1, "not a file"),
    "a file that ends with a separator": (["a.sys\\"], 1, "not a file"),
    "an unknown directive": ([".Frob x"], 1, "unknown directive .frob"),
    "an unknown option": ([".Option Strict"], 1, ".Option Strict is not a directive"),
    "an unknown kind of .New": ([".New Thing"], 1, ".New Thing is not a directive"),
    "an unknown variable": (["%x%.sys"], 1, "the variable x is not defined"),
    "a variable that .Option Explicit requires": ([".Option Explicit", ".Set x=1", "a.sys"], 2, "is not defined"),
    "a deleted variable": ([".Define x=a", ".Delete x", "%x%.sys"], 3, "is not defined"),
    "deleting nothing": ([".Delete x"], 1, "there is no variable x to delete"),
    "deleting a variable of makecab": ([".Delete Cabinet"], 1, "there is no variable Cabinet to delete"),
    "defining a variable of makecab": ([".Define Cabinet=ON"], 1, "cabinet is a variable of makecab"),
    "no assignment": ([".Set Cabinet"], 1, "not NAME=VALUE"),
    "no name": ([".Set =1"], 1, "not NAME=VALUE"),
    "another cabinet": (["a.sys", ".New Cabinet"], 2, "a submission is one cabinet"),
    "another disk": (["a.sys", ".New Disk"], 2, "a submission is one cabinet"),
    "files outside of the cabinet": ([".Set Cabinet=OFF", "a.sys"], 2, "the file is not in the cabinet"),
    "no cabinet": ([".Set DoNotCopyFiles=ON", "a.sys"], 1, "makecab writes no cabinet"),
    "a switch that is neither ON nor OFF": ([".Set Compress=1", "a.sys"], 1, "compress is '1', not ON or OFF"),
    "GenerateInf=OFF after a file": (["a.sys", ".Set GenerateInf=OFF"], 2, "follows the first file"),
    "an open .InfBegin": (["a.sys", ".InfBegin Disk", "text"], 3, ".InfBegin has no .InfEnd"),
    "a long line": ([f".Set x={'y' * MAX_LINE}"], 1, "longer than 4,096"),
    "variables that double": ([".Set x=0123456789", *[".Set x=%x%%x%"] * 40], 10, "longer than 4,096"),
}


@pytest.mark.parametrize(("lines", "line", "message"), ERRORS.values(), ids=ERRORS)
def test_errors_name_their_line(folder: Path, lines: list[str], line: int | None, message: str) -> None:
    with pytest.raises(SignerError) as raised:
        read(folder, *lines)
    assert isinstance(raised.value, (MalformedInput, FileError))
    assert message in raised.value.message
    assert (raised.value.path, raised.value.line) == (folder / "x.ddf", line)
    assert raised.value.hint


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_a_variable_without_effect_is_named(folder: Path, name: str) -> None:
    spelled = name.replace("#", "1").replace("*", "header2")
    value = {"donotcopyfiles": "off", "sourcedir": "."}.get(name, "on")
    found = read(folder, f".Set {spelled.upper()}={value}", "a.sys")
    assert [one for one in found.ignored if VARIABLES[name]] == [f"{spelled}: {VARIABLES[name]}"] * bool(
        VARIABLES[name]
    )


def test_the_page_and_the_tables_list_the_same_directives_and_variables() -> None:
    table = PAGE.partition("| directive")[2] + PAGE.partition("| variable")[2]
    for name in (*DIRECTIVES, *VARIABLES):
        assert f"`{'.' if name in DIRECTIVES else ''}{name}`" in table.lower(), name


def with_package(folder: Path, *lines: str) -> Directives:
    write_package(folder / "drv", BASE)
    (folder / "drv" / "sample.cat").write_bytes(b"catalog")
    (folder / "drv" / "sample.pdb").write_bytes(b"symbols")
    return read(folder, ".Set DestinationDir=Echo", *lines)


ALL = ("drv\\sample.inf", "drv\\sample.sys", "drv\\sample.cat", "drv\\sample.pdb")
PROBLEMS = {
    "a whole package": (ALL, []),
    "a file that no INF names": ((*ALL, "a.sys notes.txt"), [("not-in-inf", "Echo/notes.txt")]),
    "a file that the INF names is missing": ((ALL[0], *ALL[2:]), [("file-missing", "Echo/sample.inf")]),
    "no symbols": (ALL[:3], [("symbols-missing", "Echo/sample.sys")]),
    "no catalog": ((*ALL[:2], ALL[3]), [("catalog-missing", "Echo/sample.inf")]),
    "no INF": (ALL[1:], [("no-inf", "Echo")]),
    "a file in the root": ((*ALL, ".Set DestinationDir=", "a.sys"), [("root-file", "a.sys")]),
    "the same name twice": ((*ALL, "drv\\sample.sys SAMPLE.sys"), [("name-twice", "Echo/SAMPLE.sys")]),
    "a folder in two spellings": ((ALL[0], ".Set DestinationDir=ECHO", *ALL[1:]), []),
    "a name that leads outside": ((*ALL, "a.sys ..\\..\\b"), [("name", "Echo/../../b")]),
}


@pytest.mark.parametrize(("lines", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_the_rules_of_the_portal_apply(folder: Path, lines: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    submission = submission_from(with_package(folder, *lines))
    found = [(one.code, str(one.path)) for one in submission.problems]
    if expected and expected[0][0] in ("file-missing", "no-inf"):
        assert any(path == expected[0][1] for _, path in found), found
    else:
        assert [one for one in found if one[0] not in ("1203", "22.9.1")] == expected


def test_every_file_is_submitted_in_the_order_of_the_ddf(folder: Path) -> None:
    submission = submission_from(with_package(folder, "a.sys notes.txt", *reversed(ALL)))
    assert [file.name for file in submission.files] == [
        "Echo\\notes.txt", "Echo\\sample.pdb", "Echo\\sample.cat", "Echo\\sample.sys", "Echo\\sample.inf"
    ]  # fmt: skip
    assert submission.files[0].path == folder / "a.sys"


def test_a_path_with_detours_is_found_by_name(folder: Path) -> None:
    r"""Windows removes `X\..` from a path without a look at X. Thousands of such parts took ten seconds."""
    lines = ["none\\..\\a.sys", "Sub Dir\\" + "x\\..\\" * 500 + "c.sys", f"..\\{folder.name}\\B.SYS"]
    found = read(folder, *(f'"{line}" d{number}.sys' for number, line in enumerate(lines)))
    assert [file.path.resolve().relative_to(folder.resolve()).as_posix() for file in found.files] == [
        *("a.sys", "Sub Dir/c.sys", "b.sys")
    ]


def test_a_folder_is_listed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[Path] = []
    iterdir = Path.iterdir

    def counted(path: Path) -> Iterator[Path]:
        listed.append(path)
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", counted)
    spellings = ("A.SYS", "A.sys", "a.SYS")
    assert len(read(folder, *(f"{one} d{at}{n}.sys" for at, one in enumerate(spellings) for n in range(9))).files) == 27
    assert len(listed) == 1

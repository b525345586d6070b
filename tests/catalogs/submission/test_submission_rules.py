"""Every rule of the portal, violated one at a time, in folders and in cabinets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.submission.cabinet import build, check, directives
from catalogs.submission.names import check_names, parts_of
from catalogs.submission.package import Submission, read_submission
from signer.algorithms import DigestAlgorithm
from signer.cab.read import Listing
from signer.cab.write import NewFile, write
from signer.errors import FileError, MalformedInput, PackageError
from signer.operations.sign import sign_file
from signer.pkcs7.signed_data import SigningOptions
from tests.support.cabinets import cabinet
from tests.support.files import corpus_files, corpus_id
from tests.support.identities import identity, public_identity
from tests.support.images import PeSpec
from tests.support.inf_files import BASE, with_change, write_package

TIME = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
X86 = BASE.replace("NTamd64", "NTx86")


def codes(submission: Submission, severity: str = "error") -> list[str]:
    return sorted({problem.code for problem in submission.problems if problem.severity.value == severity})


def signed(data: bytes, algorithm: DigestAlgorithm = DigestAlgorithm.SHA256) -> bytes:
    return sign_file(data, public_identity(), SigningOptions(algorithm)).changes.patches[0][1]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "Echo"
    write_package(folder, BASE, "sample.sys", "sample.pdb", "sample.cat")
    return folder


def test_a_valid_package_has_no_problem(package: Path) -> None:
    submission = read_submission([package])
    assert submission.problems == ()
    names = [file.name for file in submission.files]
    assert names == ["Echo\\sample.inf", "Echo\\sample.sys", "Echo\\sample.cat", "Echo\\sample.pdb"]
    assert submission.packages[0].architectures == {"amd64"}


def test_its_cabinet_has_no_problem_except_the_missing_timestamp(package: Path, tmp_path: Path) -> None:
    data = signed(build(read_submission([package]), time=TIME))
    found = check(data, tmp_path / "unpacked")
    assert [problem.code for problem in found.problems] == ["cabinet-timestamp"]
    contents = {file.name: data for file, data in Listing.parse(data).contents()}
    assert contents["Echo\\sample.sys"] == (package / "sample.sys").read_bytes()


def test_subfolders_with_an_inf_are_packages(tmp_path: Path) -> None:
    for name in ("bus", "function"):
        write_package(tmp_path / "all" / name)
    assert [package.name for package in read_submission([tmp_path / "all"]).packages] == ["bus", "function"]


def test_the_directives_name_each_folder_and_file(package: Path, tmp_path: Path) -> None:
    write_package(package, BASE.replace("sample.sys = 1", "sample.sys = 1,x64"), "x64/sample.sys")
    (package / "sample.sys").unlink()
    lines = directives(read_submission([package]), tmp_path / "out" / "echo.cab").split("\r\n")
    assert ".Set CompressionType=MSZIP" in lines
    assert lines[lines.index(".Set CabinetNameTemplate=echo.cab") + 1 :] == [
        ".Set DestinationDir=Echo",
        '"..\\Echo\\sample.inf"',
        ".Set DestinationDir=Echo\\x64",
        '"..\\Echo\\x64\\sample.sys"',
        ".Set DestinationDir=Echo",
        '"..\\Echo\\sample.cat"',
        '"..\\Echo\\sample.pdb"',
        "",
    ]


def other_architectures(package: Path) -> list[Path]:
    write_package(package.parent / "Old", X86)
    (package.parent / "Old" / "sample.sys").write_bytes(PeSpec("x86").build())
    return [package, package.parent / "Old"]


def same_name_twice(package: Path) -> list[Path]:
    write_package(package.parent / "again" / "ECHO")
    return [package, package.parent / "again" / "ECHO"]


def renamed(name: str) -> Callable[[Path], list[Path]]:
    def change(package: Path) -> list[Path]:
        return [package.rename(package.parent / name)]

    return change


def two_packages_in_one_folder(package: Path) -> list[Path]:
    write_package(package / "second", BASE.replace("sample.cat", "second.cat"))
    return [package]


def a_file_missing(package: Path) -> list[Path]:
    (package / "sample.sys").unlink()
    return [package]


def no_catalog_directive(package: Path) -> list[Path]:
    write_package(package, with_change(("CatalogFile = sample.cat\n", "")))
    return [package]


def a_long_path(package: Path) -> list[Path]:
    folder = "d" * 80
    inf = with_change(("sample.sys = 1\n", f"sample.sys = 1,{folder}\\{folder}\n"))
    write_package(package, inf, f"{folder}/{folder}/sample.sys")
    return [package]


def microsofts_name(package: Path) -> list[Path]:
    write_package(package, with_change(("Provider = %Vendor%", "Provider = Microsoft")))
    return [package]


ERRORS: dict[str, tuple[Callable[[Path], list[Path]], list[str]]] = {
    "architectures-differ": (other_architectures, ["architectures-differ"]),
    "two-folders-of-one-name": (same_name_twice, ["folder-twice", "name-twice"]),
    "folder-name-of-40-characters": (renamed("n" * 40), ["folder-name-length"]),
    "folder-name-with-a-special-character": (renamed("Echo&Co"), ["folder-name-characters"]),
    "folder-name-beyond-ascii": (renamed("Écho"), ["folder-name-characters"]),
    "an-inf-that-infverif-refuses": (microsofts_name, ["1204"]),
    "two-packages-in-one-folder": (two_packages_in_one_folder, ["several-packages"]),
    "a-file-that-the-inf-names-is-missing": (a_file_missing, ["22.9.1"]),
    "a-long-path": (a_long_path, ["path-length"]),
}


@pytest.mark.parametrize(("change", "expected"), ERRORS.values(), ids=ERRORS)
def test_a_violated_rule_is_reported(
    change: Callable[[Path], list[Path]], expected: list[str], package: Path, tmp_path: Path
) -> None:
    submission = read_submission(change(package))
    assert codes(submission) == expected
    if "name-twice" not in expected:  # on disk there is one of the two
        found = check(signed(build(submission, time=TIME)), tmp_path / "unpacked")
        assert codes(found) == expected, "the cabinet is refused for the same"


def test_a_name_of_39_characters_is_allowed(package: Path) -> None:
    assert read_submission([package.rename(package.parent / ("n" * 39))]).errors == ()


WARNINGS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "no-symbols": (lambda package: (package / "sample.pdb").unlink(), ["symbols-missing"]),
    "no-catalog": (lambda package: (package / "sample.cat").unlink(), ["catalog-missing"]),
    "a-stray-file": (lambda package: (package / "notes.txt").write_text("x"), ["not-in-inf"]),
    "two-infs": (lambda package: write_package(package, BASE, name="other.inf"), ["several-infs"]),
}


@pytest.mark.parametrize(("change", "expected"), WARNINGS.values(), ids=WARNINGS)
def test_undocumented_rules_are_warnings(change: Callable[[Path], object], expected: list[str], package: Path) -> None:
    change(package)
    submission = read_submission([package])
    assert (codes(submission), codes(submission, "warning")) == ([], expected)


def test_a_space_in_the_folder_name_is_a_warning(package: Path) -> None:
    submission = read_submission([package.rename(package.parent / "My Echo")])
    assert (codes(submission), codes(submission, "warning")) == ([], ["folder-name-space"])


def files_of(package: Path) -> dict[str, bytes]:
    return {f"Echo\\{path.name}": path.read_bytes() for path in sorted(package.iterdir())}


def new(contents: dict[str, bytes]) -> bytes:
    return write([NewFile(name, data, TIME) for name, data in contents.items()])


CABINETS: dict[str, tuple[Callable[[dict[str, bytes]], bytes], list[str]]] = {
    "files-in-the-root": (lambda files: signed(new(files | {"readme.txt": b"x"})), ["root-file"]),
    "everything-in-the-root": (
        lambda files: signed(new({name[5:]: data for name, data in files.items()})),
        ["no-package", "root-file"],
    ),
    "a-path-out-of-the-package": (lambda files: signed(new(files | {"Echo\\..\\..\\x.sys": b"x"})), ["name"]),
    "an-absolute-path": (lambda files: signed(new(files | {"C:\\x.sys": b"x"})), ["name"]),
    "the-name-of-a-device": (lambda files: signed(new(files | {"Echo\\aux.sys": b"x"})), ["name"]),
    "one-file-twice": (lambda files: signed(new(files | {"Echo\\SAMPLE.PDB": b"x"})), ["name-twice"]),
    "not-packed": (lambda files: signed(cabinet(files)), ["compression"]),
    "not-signed": (new, ["cabinet-unsigned"]),
    "signed-by-a-test-certificate": (
        lambda files: sign_file(new(files), identity(), SigningOptions()).changes.patches[0][1],
        ["cabinet-signer"],
    ),
    "signed-with-sha-1": (lambda files: signed(new(files), DigestAlgorithm.SHA1), ["cabinet-digest"]),
    "changed-after-signing": (
        lambda files: (data := bytearray(signed(new(files)))) and bytes(data[:32] + b"\x07" + data[33:]),
        ["cabinet-signature"],
    ),
    "a-folder-without-an-inf": (lambda files: signed(new(files | {"Tools\\tool.exe": b"x"})), ["no-inf"]),
    "no-inf-in-it": (lambda files: signed(new({"Echo\\x.sys": b"x"})), ["no-inf"]),
}


@pytest.mark.parametrize(("make", "expected"), CABINETS.values(), ids=CABINETS)
def test_problems_of_a_cabinet_are_reported(
    make: Callable[[dict[str, bytes]], bytes], expected: list[str], package: Path, tmp_path: Path
) -> None:
    unpacked = tmp_path / "in" / "unpacked"
    assert codes(check(make(files_of(package)), unpacked)) == expected
    assert not (tmp_path / "in" / "x.sys").exists(), "nothing is written outside of the folder"
    assert not (tmp_path / "x.sys").exists()


@pytest.mark.parametrize("path", [path.parent for path in corpus_files("packages/*/SOURCE.txt")][::4], ids=corpus_id)
def test_the_cabinet_of_a_real_package_has_the_same_files_and_problems(path: Path, tmp_path: Path) -> None:
    submission = read_submission([path])
    data = build(submission, time=TIME)
    contents = {file.name: content for file, content in Listing.parse(data).contents()}
    assert contents == {file.name: file.path.read_bytes() for file in submission.files}
    found = [problem.code for problem in check(data, tmp_path / "unpacked").problems]
    expected = [problem.code for problem in submission.problems if problem.code != "not-in-inf"]
    assert sorted(found) == sorted([*expected, "cabinet-unsigned"])


def test_a_missing_inf_and_a_missing_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="no INF"):
        read_submission([tmp_path])
    with pytest.raises(FileError, match="folder not found"):
        read_submission([tmp_path / "nowhere"])


def test_another_file_than_a_cabinet_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MalformedInput, match="not a cabinet"):
        check(b"PK\x03\x04", tmp_path)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Echo\\a.sys", ("Echo", "a.sys")),
        ("Echo/x64/a.sys", ("Echo", "x64", "a.sys")),
        ("..\\a.sys", None),
        ("\\\\server\\share\\a.sys", None),
        ("Echo\\a.sys ", None),
        ("Echo\\a.sys:stream", None),
        ("Echo\\com1.inf", None),
        ("Echo\\a\0.sys", None),
        ("Echo\\a\ud800.sys", None),
    ],
)
def test_names_are_split_or_rejected(name: str, parts: tuple[str, ...] | None) -> None:
    assert parts_of(name) == parts


def test_each_folder_is_reported_once() -> None:
    assert [problem.code for problem in check_names(["A&B\\a.inf", "A&B\\a.sys"])] == ["folder-name-characters"]

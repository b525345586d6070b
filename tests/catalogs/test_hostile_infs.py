"""Hostile INFs are parsed or rejected with an error, and never lead outside the package folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogs.catalog import os_names
from catalogs.inf.driver import DriverInf
from catalogs.inf.rules import check
from catalogs.inf.targets import ARCHITECTURES
from catalogs.package.copied_files import copied_files
from catalogs.package.driver_package import survey_packages
from signer.errors import InfError
from tests.support.inf_files import BASE, with_change, write_package

X64 = os_names.parse_list("10_X64")
LINES = BASE.splitlines()
PIECES = ["[", "]", ",", "=", "%", '"', "\\", ";", ".", "@", "$", "..", "\n", "NT", "Sample", "%Vendor%", "Needs", "0x"]


def exercise(data: bytes) -> None:
    """Parse an INF and use every property."""
    try:
        driver = DriverInf.parse(data, Path("fuzz.inf"))
    except InfError:
        return
    assert driver.text.to_bytes() == data
    found = copied_files(driver, ARCHITECTURES)
    assert all(item.copy.target for item in found.items)
    assert all(problem.message for problem in check(driver))
    assert list(dict.fromkeys(driver.hardware_ids)) == list(driver.hardware_ids)
    assert set(driver.releases) <= set(os_names.ALL)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(BASE)), st.sampled_from(PIECES), st.integers(0, 12)), max_size=8))
def test_an_inf_with_random_edits_is_parsed_or_rejected(edits: list[tuple[int, str, int]]) -> None:
    text = BASE
    for offset, piece, removed in edits:
        text = text[:offset] + piece + text[offset + removed :]
    exercise(text.encode("cp1252"))


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(LINES), max_size=80))
def test_lines_in_any_order_are_parsed_or_rejected(lines: list[str]) -> None:
    exercise("\n".join(lines).encode("cp1252"))


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200), st.integers(0, len(BASE)))
def test_random_bytes_in_the_middle_are_parsed_or_rejected(data: bytes, offset: int) -> None:
    raw = BASE.encode("cp1252")
    exercise(raw[:offset] + data + raw[offset:])


NAMES = [
    "..",
    ".",
    "/",
    "a/b",
    "..\\..\\x",
    "C:\\x",
    "con",
    "\\\\server\\share",
    "%none%",
    "a:b",
    "*",
    "sample.inf",
    " ",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("line", ["{}", "sample.sys,{}", "{},sample.sys"])
def test_no_file_name_leads_out_of_the_package(tmp_path: Path, name: str, line: str) -> None:
    folder = tmp_path / "package"
    text = with_change(("[Drivers]\nsample.sys", f"[Drivers]\n{line.format(name)}"))
    write_package(folder, text.replace("sample.sys = 1", f'sample.sys = 1\n"{name}" = 1'))
    survey = survey_packages(folder, X64)
    for package in survey.packages:
        assert package.catalog.parent == folder
        for file in package.files:
            assert file.path.resolve().is_relative_to(folder)
            assert not set(file.name) & set("\\/:")


@pytest.mark.parametrize("name", ["..", "/", "a/b", "..\\..\\x", "C:\\x", "*", " "])
def test_an_invalid_file_name_is_reported(tmp_path: Path, name: str) -> None:
    write_package(tmp_path, with_change(("[Drivers]\nsample.sys", f'[Drivers]\n"{name}",sample.sys')))
    (problem,) = survey_packages(tmp_path, X64).problems
    assert (problem.code, problem.line) == ("file-name", 29)


def test_a_copied_file_without_a_name_is_reported_once_and_not_copied() -> None:
    """Found by fuzzing: CopyFiles = @"""
    text = with_change(("CopyFiles = Drivers", "CopyFiles = @,Drivers"))
    exercise(text.encode())
    codes = [one.code for one in check(DriverInf.parse(text.encode(), Path("a.inf")))]
    assert [code for code in codes if code in ("1229", "1230", "1330")] == ["1229"]


@pytest.mark.parametrize("name", NAMES)
def test_no_folder_leads_out_of_the_package(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "package"
    write_package(folder, with_change(("sample.sys = 1", f'sample.sys = 1,"{name}"')))
    (tmp_path / "sample.sys").write_bytes(b"outside")
    for package in survey_packages(folder, X64).packages:
        assert all(file.path.resolve().is_relative_to(folder) for file in package.files)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "%none%"])
def test_no_catalog_name_leads_out_of_the_package(tmp_path: Path, name: str) -> None:
    write_package(tmp_path, with_change(("CatalogFile = sample.cat", f'CatalogFile = "{name}"')))
    survey = survey_packages(tmp_path, X64)
    assert survey.packages == ()
    assert "catalog-name" in {problem.code for problem in survey.problems}


def test_circular_links_are_not_followed_forever(tmp_path: Path) -> None:
    write_package(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path)
    (package,) = survey_packages(tmp_path, X64).packages
    assert len(package.files) == 2

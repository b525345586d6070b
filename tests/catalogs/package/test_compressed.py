"""Packages with compressed files: the catalog lists the decompressed content, as in a real catalog of 159 files."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from catalogs.build import build
from catalogs.catalog import os_names
from catalogs.catalog.file import Catalog
from catalogs.folder_check import check_folder
from catalogs.package.compressed import compressed_name
from catalogs.package.driver_package import read_packages, survey_packages
from signer.errors import MalformedInput
from tests.catalogs.test_build_from_inf import OPTIONS
from tests.support.cabinets import cabinet, szdd
from tests.support.images import PeSpec
from tests.support.inf_files import with_change, write_package

X64 = os_names.parse_list("10_X64")


@pytest.mark.parametrize(
    ("name", "compressed"),
    [
        pytest.param("driver.sys", "driver.sy_", id="three-letters"),
        pytest.param("read.me", "read.me_", id="two-letters"),
        pytest.param("settings.config", "settings.confi_", id="more-letters"),
        pytest.param("license", "license._", id="no-extension"),
        pytest.param("a.b.sys", "a.b.sy_", id="two-dots"),
    ],
)
def test_a_compressed_file_name_ends_with_an_underscore(name: str, compressed: str) -> None:
    assert compressed_name(name) == compressed


def packed_package(folder: Path, data: bytes) -> Path:
    write_package(folder)
    (folder / "sample.sys").unlink()
    path = folder / "SAMPLE.SY_"
    path.write_bytes(data)
    return path


def built(folder: Path) -> Catalog:
    (package,) = read_packages(folder, X64)
    return build(package, OPTIONS)


@pytest.mark.parametrize(
    "pack",
    [
        pytest.param(szdd, id="by-compress"),
        pytest.param(lambda data: cabinet({"sample.sys": data}), id="by-makecab"),
        pytest.param(bytes, id="not-compressed"),
    ],
)
def test_the_catalog_lists_the_decompressed_content(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    image = PeSpec().build()
    write_package(tmp_path / "plain")
    path = packed_package(tmp_path / "packed", pack(image))
    assert built(tmp_path / "packed").members == built(tmp_path / "plain").members
    states = {state.name: state.state for state in check_folder(built(tmp_path / "plain"), [path])}
    assert states == {"SAMPLE.SY_": "listed", "sample.inf": "missing"}


def test_compressed_files_are_checked_by_name_and_content(tmp_path: Path) -> None:
    text = with_change(
        ("[Drivers]\n", "[Drivers]\none.bin\ntwo.bin\n"), ("sample.sys = 1", "sample.sys = 1\none.bin = 1\ntwo.bin = 1")
    )
    write_package(tmp_path, text, "sample.sys", "one.bi_", "two.bi_")
    for name in ("one.bi_", "two.bi_"):
        (tmp_path / name).write_bytes(szdd(b"the same"))
    catalog = built(tmp_path)
    (tmp_path / "sample.sys").rename(tmp_path / "sample.sy_")
    (tmp_path / "sample.sy_").write_bytes(szdd(b"another"))
    states = {state.name: state.state for state in check_folder(catalog, sorted(tmp_path.iterdir()))}
    assert states == {"sample.inf": "listed", "one.bi_": "listed", "two.bi_": "listed", "sample.sy_": "stale"}


def test_an_uncompressed_file_takes_precedence(tmp_path: Path) -> None:
    write_package(tmp_path)
    (tmp_path / "sample.sy_").write_bytes(szdd(b"another"))
    (package,) = read_packages(tmp_path, X64)
    assert [(file.relative.name, file.compressed) for file in package.files] == [
        ("sample.inf", False),
        ("sample.sys", False),
    ]


def test_a_file_that_is_installed_compressed_is_listed_compressed(tmp_path: Path) -> None:
    """An INF that copies sample.ex_ itself: some real catalogs list such cabinets, by their cabinet digest."""
    text = with_change(("[Drivers]\nsample.sys", "[Drivers]\nsample.ex_"), ("sample.sys = 1", "sample.ex_ = 1"))
    write_package(tmp_path, text, "sample.ex_")
    data = cabinet({"sample.exe": b"program"})
    (tmp_path / "sample.ex_").write_bytes(data)
    (member,) = (m for m in built(tmp_path).members if m.file == "sample.ex_" and len(m.tag) == 20)
    assert member.kind == "cabinet"
    assert member.digest == hashlib.sha1(data[:4] + data[8:]).digest()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(szdd(b"driver")[:-1], "gives 6 bytes as the expanded size", id="truncated"),
        pytest.param(cabinet({"a": b"1", "b": b"2"}), "contains 2 files instead of one", id="cabinet-of-two-files"),
    ],
)
def test_a_file_that_cannot_be_decompressed_is_named(tmp_path: Path, data: bytes, reason: str) -> None:
    text = with_change(("[Drivers]\nsample.sys", "[Drivers]\nsample.dat"), ("sample.sys = 1", "sample.dat = 1"))
    write_package(tmp_path, text, "sample.da_")
    (tmp_path / "sample.da_").write_bytes(data)
    with pytest.raises(MalformedInput, match=reason) as caught:
        built(tmp_path)
    assert caught.value.path == tmp_path / "sample.da_"


def test_files_in_the_cabinet_of_a_disk_are_not_supported(tmp_path: Path) -> None:
    write_package(tmp_path, with_change(("1 = %Disk%", "1 = %Disk%,drivers.cab")), "drivers.cab")
    (problem,) = survey_packages(tmp_path, X64).errors
    assert problem.code == "22.9.1"
    assert "unpack drivers.cab" in (problem.hint or "")

"""Lint looks for files that were changed after their catalog was made."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.build import CatalogOptions, build
from catalogs.lint import check_stale
from catalogs.package.driver_package import DriverPackage, read_packages
from tests.support.inf_files import write_package

MADE = 1_700_000_000


@pytest.fixture
def package(tmp_path: Path) -> DriverPackage:
    """A package whose driver is not what the catalog lists; the INF is."""
    write_package(tmp_path)
    (package,) = read_packages(tmp_path)
    package.catalog.write_bytes(build(package, CatalogOptions(datetime(2024, 5, 2, tzinfo=UTC))).to_bytes())
    (tmp_path / "sample.sys").write_bytes((tmp_path / "sample.sys").read_bytes() + b"changed")
    for path in tmp_path.iterdir():
        os.utime(path, (MADE, MADE))
    return package


def test_a_file_of_the_catalogs_own_second_is_not_newer(package: DriverPackage) -> None:
    """A build writes files and catalog within one tick of some file systems' clocks."""
    assert check_stale(package) == []


def test_a_newer_file_that_is_not_in_the_catalog_is_stale(package: DriverPackage) -> None:
    for file in package.files:
        os.utime(file.path, (MADE + 1, MADE + 1))
    (problem,) = check_stale(package)
    assert (problem.code, problem.path) == ("stale-catalog", package.catalog)
    assert "sample.sys" in problem.message


def test_a_package_without_a_catalog_is_not_stale(package: DriverPackage) -> None:
    package.catalog.unlink()
    assert check_stale(package) == []

"""A folder compared with a catalog whose entries have no file names, and INFs that name the catalog."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalogs.build import CatalogOptions, assemble, hash_path
from catalogs.catalog.file import Catalog
from catalogs.catalog.members import subjects
from catalogs.folder_check import check_folder
from tests.support.inf_files import with_change, write_package


def nameless(folder: Path, version: int = 2) -> Catalog:
    """Build the catalog of a package with entries that have no file name."""
    write_package(folder)
    hashed = (hash_path(path) for path in sorted(folder.iterdir()))
    entries = [entry for one in hashed for entry in subjects(one, [], version)]
    options = CatalogOptions(datetime(2025, 1, 1, tzinfo=UTC), version)
    return assemble(entries, [], options, "sample.cat")


def states(catalog: Catalog, folder: Path) -> list[str]:
    return [one.state for one in check_folder(catalog, sorted(folder.iterdir()))]


@pytest.mark.parametrize("version", [1, 2])
def test_entries_without_a_name_are_compared_by_hash(tmp_path: Path, version: int) -> None:
    assert states(nameless(tmp_path, version), tmp_path) == ["listed", "listed"]


@pytest.mark.parametrize(("version", "entries"), [(1, 1), (2, 2)])
def test_entries_that_no_file_has_are_missing(tmp_path: Path, version: int, entries: int) -> None:
    catalog = nameless(tmp_path, version)
    (tmp_path / "sample.sys").unlink()
    assert states(catalog, tmp_path) == ["listed", *["missing"] * entries]


def test_an_inf_that_names_the_catalog_must_be_in_it(tmp_path: Path) -> None:
    catalog = nameless(tmp_path, 1)
    write_package(tmp_path, with_change(("1.2.3.4", "1.2.3.5")))
    assert states(catalog, tmp_path) == ["unlisted", "listed", "missing"]


def test_an_inf_that_names_another_catalog_is_extra(tmp_path: Path) -> None:
    catalog = nameless(tmp_path, 1)
    write_package(tmp_path / "other", with_change(("sample.cat", "other.cat")))
    assert states(catalog, tmp_path / "other")[0] == "extra"


def test_an_inf_with_a_catalog_of_that_name_in_its_own_folder_is_extra(tmp_path: Path) -> None:
    catalog = nameless(tmp_path / "one", 1)
    path = tmp_path / "one" / "sample.cat"
    path.write_bytes(catalog.to_bytes())
    inf = write_package(tmp_path / "two", with_change(("1.2.3.4", "1.2.3.5")))
    assert next(one.state for one in check_folder(catalog, [inf], path)) == "unlisted"
    (tmp_path / "two" / "sample.cat").write_bytes(b"another catalog")
    assert next(one.state for one in check_folder(catalog, [inf], path)) == "extra"

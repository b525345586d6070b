"""The parity report as a test: catalogs that drvsign builds match those of Microsoft's tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.parity import compare, real_catalogs
from tests.support.files import corpus_id


@pytest.mark.parametrize("path", real_catalogs(), ids=corpus_id)
def test_the_catalog_matches_that_of_microsofts_tools(path: Path) -> None:
    result = compare(path)
    assert (result.error, result.defects) == (None, [])


def test_most_catalogs_are_identical_byte_for_byte(corpus: Path) -> None:
    results = [compare(path) for path in real_catalogs()]
    assert sum(result.identical for result in results) >= 59


def test_a_package_that_cannot_be_built_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.inf").write_text("[Version]\nCatalogFile=a.cat\n")
    (tmp_path / "a.cat").write_bytes(b"not a catalog")
    result = compare(tmp_path / "a.cat")
    assert result.error is not None
    assert not result.identical

"""The parity report as a test: every real package's catalog comes out as Microsoft's tools made it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.parity import compare, real_catalogs
from tests.support.files import corpus_id


@pytest.mark.parametrize("path", real_catalogs(), ids=corpus_id)
def test_the_catalog_built_is_the_one_that_microsoft_s_tools_made(path: Path) -> None:
    assert compare(path).defects == []


def test_most_catalogs_are_the_same_byte_for_byte(corpus: Path) -> None:
    results = [compare(path) for path in real_catalogs()]
    assert sum(result.identical for result in results) >= 59

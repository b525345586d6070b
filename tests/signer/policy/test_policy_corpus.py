"""Compare the verdicts on real drivers for eight releases with a table that was reviewed by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.trust.store import TrustStore
from tests.support.corpus_table import TABLE, drivers, row
from tests.support.files import corpus_id

EXPECTED = {line.split("\t")[0]: line for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]}


@pytest.fixture(scope="module")
def store() -> TrustStore:
    return TrustStore.release()


@pytest.mark.parametrize("path", drivers(), ids=corpus_id)
def test_driver(path: Path, store: TrustStore) -> None:
    # The corpus may grow; drivers that are not in the table are skipped.
    if path.name not in EXPECTED:
        pytest.skip("not in the table: python -m tests.support.corpus_table, then review")
    assert row(path, store) == EXPECTED[path.name]


def test_the_table_lists_only_drivers_of_the_corpus(corpus: Path) -> None:
    assert set(EXPECTED) <= {path.name for path in drivers()}


def test_nothing_unsigned_or_of_an_unknown_root_is_accepted_on_x64() -> None:
    for line in EXPECTED.values():
        cells = line.split("\t")
        if cells[1] == "x64" and set(cells[2].split()) <= {"unsigned", "commercial", "test", "self-signed", "unknown"}:
            assert not any(cell.startswith("accepted") for cell in cells[3:]), line

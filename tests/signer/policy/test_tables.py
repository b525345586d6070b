"""Tables of the policy: every row, whatever columns it leaves out, and the first of rows with the same key."""

from __future__ import annotations

from pathlib import Path

import pytest

from signer.policy.tables import rows, table


def test_every_row_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row without its last columns has empty ones, and empty lines are left out."""
    (tmp_path / "sample_tables").mkdir()
    (tmp_path / "sample_tables" / "__init__.py").touch()
    (tmp_path / "sample_tables" / "sample.tsv").write_text("name\tvalue\tsource\na\t1\tx\n\nb\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert rows("sample.tsv", "sample_tables") == (
        {"name": "a", "value": "1", "source": "x"},
        {"name": "b", "value": "", "source": ""},
    )


def test_the_first_of_rows_with_the_same_key_is_found() -> None:
    architectures = [row["architectures"] for row in rows("releases.tsv")]
    assert len(set(architectures)) < len(architectures)
    found = table("releases.tsv", "architectures")
    for one in set(architectures):
        assert found[one] is rows("releases.tsv")[architectures.index(one)]

"""`signer.audit.tables`: rows are written as they are read, in memory that does not grow with their number."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from signer.audit import ledger
from signer.audit.ledger import Ledger
from signer.audit.rows import Identity, PackageUse, Reason, Row, Sighting
from signer.audit.tables import csv_rows, json_rows, table_writer

NOT_UTF8 = "store/caf\udce9.sys"
"""The name of a file in Latin-1, as Python has it."""


def sightings(count: int) -> Iterator[Sighting]:
    for number in range(count):
        use = PackageUse(f"store/{number}/x.inf", "Net", (f"PCI\\VEN_{number:04X}",))
        yield Sighting(
            f"store/{number}/x.sys", f"{number:064x}", Reason("loads"), Identity("1.0.0.0", "Example"), (use,)
        )


def peak(path: Path, count: int) -> int:
    """Return the largest number of bytes that Python had while rows went through a ledger to a table."""
    write = table_writer(path)
    tracemalloc.start()
    try:
        with Ledger() as found:
            for one in sightings(count):
                found.add([one])
            write(found.rows(), path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_memory_does_not_grow_with_the_number_of_rows(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "_PORTION", 100)
    few, many = (peak(tmp_path / f"table{suffix}", count) for count in (500, 2000))
    assert many < few + (1 << 18)


def test_a_name_that_is_not_utf8_is_escaped(tmp_path: Path) -> None:
    with Ledger() as found:
        found.add([Sighting(NOT_UTF8, "", Reason("needs-file")), Sighting(NOT_UTF8, "aa", Reason("stops"))])
        rows = list(found.rows())
    assert [row.file for row in rows] == [NOT_UTF8, NOT_UTF8]
    assert json.loads(b"".join(json_rows(rows)))[0]["file"] == NOT_UTF8
    text = b"".join(csv_rows(rows)).decode("utf-8-sig")
    assert [row["file"] for row in csv.DictReader(io.StringIO(text))] == ["store/caf\\udce9.sys"] * 2


@pytest.mark.parametrize("start", "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
def test_no_cell_of_a_csv_is_a_formula(start: str) -> None:
    name = f"{start}cmd|' /C calc'!A0"
    row = Row(name, (name,), "aa", Reason("stops"), Identity(publisher=name, version="1.2"), machines=(name,))
    text = b"".join(csv_rows([row])).decode("utf-8-sig")
    (found,) = csv.DictReader(io.StringIO(text, newline=""))
    for column in ("file", "paths", "publisher", "machines"):
        assert found[column] == f"'{name}"
    assert found["version"] == "1.2"


def test_a_name_that_is_not_utf8_is_escaped_in_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    row = Row(NOT_UTF8, (NOT_UTF8,), "aa", Reason("stops"), Identity())
    table_writer(tmp_path / "x.parquet")([row], tmp_path / "x.parquet")
    assert parquet.read_table(tmp_path / "x.parquet").to_pylist()[0]["paths"] == ["store/caf\\udce9.sys"]

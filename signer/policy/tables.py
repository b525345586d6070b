"""Load the tables in `signer/policy/data` on first use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from signer.package_data import package_text

Row = Mapping[str, str]


@cache
def rows(name: str, package: str = "signer.policy.data") -> tuple[Row, ...]:
    """Return the rows of a tab-separated table as mappings from column to text. Every table has a `source` column."""
    lines = package_text(package, name).splitlines()
    columns = lines[0].split("\t")
    width = len(columns)
    return tuple(
        dict(zip(columns, (line.split("\t") + [""] * width)[:width], strict=True)) for line in lines[1:] if line
    )


@cache
def table(name: str, key: str) -> Mapping[str, Row]:
    """Return the rows of a table by the value of column `key`; of rows with the same value, the first."""
    found: dict[str, Row] = {}
    for row in rows(name):
        found.setdefault(row[key], row)
    return found

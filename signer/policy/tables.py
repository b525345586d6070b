"""The tables in `signer/policy/data`, read when they are first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

Row = Mapping[str, str]


@cache
def rows(name: str, package: str = "signer.policy.data") -> tuple[Row, ...]:
    """The rows of a tab-separated table, each a mapping from column to text. Every table has a `source` column."""
    lines = (files(package) / name).read_text(encoding="utf-8").splitlines()
    columns = lines[0].split("\t")
    width = len(columns)
    return tuple(
        dict(zip(columns, (line.split("\t") + [""] * width)[:width], strict=True)) for line in lines[1:] if line
    )


@cache
def table(name: str, key: str) -> Mapping[str, Row]:
    """The rows of a table by what stands in one column; the first row counts where several share it."""
    found: dict[str, Row] = {}
    for row in rows(name):
        found.setdefault(row[key], row)
    return found

"""Read events as rows of a table with a header: CSV of Event Viewer and PowerShell, Format-Table, and Markdown."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache

from signer.explain.context import Context
from signer.explain.readers.event_lists import labels
from signer.explain.readers.events import event_records, known_field
from signer.explain.records import Record
from signer.explain.text import Lines
from signer.records import dataclass

_MAX_HEADER = 1024
_MAX_LINES = 60
"""Lines of the longest row: a quoted message has line feeds."""
_FORMAT_TABLE = re.compile(r"^\s*TimeCreated\s+Id\s+LevelDisplayName\s+Message\s*$")
_FORMAT_TABLE_ROW = re.compile(r"^\s{0,3}(\S.{6,40}?)\s{1,200}(\d{1,5})\s{1,200}(\S{2,40})\s+(\S.*)$")
_DELIMITERS = re.compile(r"[\t,;|\"]")
_RULE = re.compile(r"^[\s:|-]*$")


@dataclass(frozen=True, slots=True)
class Columns:
    """The header of a table: the delimiter ("" for Format-Table), and what each column holds."""

    delimiter: str
    means: tuple[str, ...]
    """id, message, provider, log, time, activity, computer, other, or "=" and the name of a field."""


def event_columns(context: Context, line: str, lines: Lines) -> list[Record] | None:
    """Read a header, or a row below one; None for any other line, which ends the table."""
    columns = _header(line)
    if columns is not None:
        context.columns = columns
        return []
    if context.columns is None:
        return None
    if _RULE.match(line):
        return []
    context.budget.spend()
    row = _row(context.columns, line, lines)
    records = _records(row) if row is not None else None
    if records is None:
        context.columns = None
        return None
    context.seen("events in a table")
    return records


def _header(line: str) -> Columns | None:
    if len(line) > _MAX_HEADER or not _has_id_label(line):
        return None
    if _FORMAT_TABLE.match(line):
        return Columns("", ("time", "id", "other", "message"))
    for delimiter in ("\t", "|", ";", ","):
        means = tuple(map(_meaning, _cells(line, delimiter)))
        if len(means) > 1 and "id" in means and "" not in means:
            return Columns(delimiter, means)
    return None


def _meaning(cell: str) -> str:
    """Return what the column with this title holds; empty for a title that is not known."""
    title = cell.strip().lower()
    known = known_field(cell.strip())
    return labels().get(title) or (f"={known}" if known is not None else "")


def _row(columns: Columns, line: str, lines: Lines) -> dict[str, str] | None:
    """Return the cells of a row by meaning; None for a line that is not a row."""
    if not columns.delimiter:
        found = _FORMAT_TABLE_ROW.match(line)
        return dict(zip(columns.means, found.groups(), strict=True)) if found is not None else None
    if columns.delimiter != "|" and line.count('"') % 2:
        rest = lines.take_while(lambda following: not following.count('"') % 2, _MAX_LINES)
        last = lines.peek()
        line = "\n".join([line, *rest, *([next(lines)] if last is not None and last.count('"') % 2 else [])])
    cells = _cells(line, columns.delimiter)
    if len(cells) < len(columns.means):
        return None
    row = dict(zip(columns.means, cells, strict=False))
    # Event Viewer writes the message behind the last column that has a title.
    return {"message": columns.delimiter.join(cells[len(columns.means) :]), **row}


def _cells(line: str, delimiter: str) -> list[str]:
    if delimiter == "|":
        return [cell.strip() for cell in line.strip().strip("|").split("|")]
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _records(row: Mapping[str, str]) -> list[Record] | None:
    event_id = row["id"].strip()
    if not event_id.isascii() or not event_id.isdigit() or len(event_id) > 9:
        return None
    return event_records(
        int(event_id),
        row.get("provider") or row.get("log") or "",
        {name[1:]: value for name, value in row.items() if name.startswith("=") and value},
        row["message"].strip(),
        activity=f"{{{row['activity'].strip('{} ').lower()}}}" if row.get("activity") else None,
        time=row.get("time", ""),
        computer=row.get("computer", ""),
    )


def _has_id_label(line: str) -> bool:
    """Return whether a cell of the line, whatever delimits it, is a title of the column with the event's id."""
    if line.lstrip().startswith("TimeCreated"):
        return True
    if _DELIMITERS.search(line) is None:
        return False
    cells = _DELIMITERS.split(line.lower())
    return not _id_labels().isdisjoint(map(str.strip, cells))


@cache
def _id_labels() -> frozenset[str]:
    return frozenset(label for label, means in labels().items() if means == "id")

"""Edit the lines of an INF: insert a line into a section, replace an entry, rename a section.

The functions change a list of the lines, in which the line numbers of the parsed INF stay valid.
"""

from __future__ import annotations

import re

from catalogs.inf.syntax import Entry, Section

_CONTINUED = re.compile(r"\\\s*(?:;.*)?$")
_HEADER = re.compile(r"(\s*\[)([^\]]*)(\].*)", re.DOTALL)


def insert(lines: list[str], section: Section, text: str) -> None:
    """Insert a line after the last entry under the first header. The line numbers of the entries do not change."""
    end = section.lines[1] if len(section.lines) > 1 else len(lines) + 1
    last = max((entry.line for entry in section.entries if entry.line < end), default=section.line) - 1
    if _CONTINUED.search(lines[last]):
        last = section.line - 1
    lines[last] = f"{lines[last]}\n{text}"


def replace(lines: list[str], entry: Entry, text: str) -> None:
    """Replace a line, but keep its comment and the lines that were inserted after it."""
    old, newline, inserted = lines[entry.line - 1].partition("\n")
    comment = re.search(r"\s*;[^\"]*$", old.removesuffix("\r"))
    lines[entry.line - 1] = text + (comment.group() if comment is not None else "") + newline + inserted


def rename(lines: list[str], number: int, name: str) -> None:
    """Rename the section whose header is on a line."""
    match = _HEADER.match(lines[number - 1])
    if match is not None:
        lines[number - 1] = f"{match.group(1)}{name}{match.group(3)}"

"""Edit the lines of an INF: insert a line into a section, replace an entry, rename a section.

The functions change a list of the lines, in which the line numbers of the parsed INF stay valid.
"""

from __future__ import annotations

import re

from catalogs.inf.syntax import Entry, Section

END_OF_TEXT = "\x1a"
"""The character that ends an INF; the text after it is not read."""

_CODE = re.compile(r'(?:[^";]|"[^"]*"?)*')
_HEADER = re.compile(r"(\s*\[)([^\]]*)(\].*)", re.DOTALL)


def insert(lines: list[str], section: Section, text: str) -> None:
    """Insert a line after the last entry under the first header, with its newline.

    The line numbers of the entries do not change.
    """
    end = section.lines[1] if len(section.lines) > 1 else len(lines) + 1
    last = max((entry.line for entry in section.entries if entry.line < end), default=section.line) - 1
    if _is_continued(lines[last]):
        last = section.line - 1
    old, mark, unread = lines[last].partition(END_OF_TEXT)
    lines[last] = f"{old}\n{text}{mark}{unread}" + ("\r" if old.endswith("\r") else "")


def replace(lines: list[str], entry: Entry, text: str) -> None:
    """Replace an entry, but keep its comment, its newline and the lines that were inserted after it.

    The lines that continue it become empty.
    """
    old, newline, inserted = lines[entry.line - 1].partition("\n")
    old, mark, unread = old.partition(END_OF_TEXT)
    following = entry.line
    is_continued = not mark and _is_continued(old)
    while is_continued and following < len(lines):
        emptied, ended, rest = lines[following].partition(END_OF_TEXT)
        is_continued = not ended and _is_continued(emptied)
        lines[following] = ("\r" if emptied.endswith("\r") else "") + ended + rest
        following += 1
    kept = _comment(old.removesuffix("\r")) + ("\r" if old.endswith("\r") else "")
    lines[entry.line - 1] = text + kept + mark + unread + newline + inserted


def _comment(line: str) -> str:
    """Return the comment of a line and the white space before it: all from a semicolon without a quote behind it."""
    start = line.find(";", line.rfind('"') + 1)
    return line[len(line[:start].rstrip()) :] if start >= 0 else ""


def rename(lines: list[str], number: int, name: str) -> None:
    """Rename the section whose header is on a line."""
    match = _HEADER.match(lines[number - 1])
    if match is not None:
        lines[number - 1] = f"{match.group(1)}{name}{match.group(3)}"


def _is_continued(line: str) -> bool:
    """Tell whether a line ends with a backslash, perhaps before a comment."""
    match = _CODE.match(line)
    return match is not None and match.group().rstrip().endswith("\\")

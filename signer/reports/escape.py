"""Escape text for output: a name in a file can't forge lines, move the cursor, or change the reading direction.

It can't give commands to a CI service either, which reads them from the output of a step: GitHub's runner takes
`::command::` at the start of a line and `##[command]` anywhere (actions/runner, ActionCommand.cs), Azure Pipelines
`##vso[command]`, TeamCity `##teamcity[message]`.
"""

from __future__ import annotations

import re
import unicodedata

_ESCAPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's control, formatting (bidirectional marks too) and surrogate characters, line and paragraph separators."""
_COMMAND = re.compile(r"(?<!\S):(?=:)|#(?=#(?:vso|teamcity)?\[)", re.IGNORECASE)
"""The first character of a command; `::` at the start of each word, because text can be wrapped there."""


def printable(text: str) -> str:
    """Return `text` as one line: line feeds, controls, bidirectional marks and unpaired surrogates are escaped.

    The first character of a command to a CI service is escaped too.
    """
    if "::" in text or "##" in text:
        text = _COMMAND.sub(lambda found: f"\\x{ord(found[0]):x}", text)
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char.encode("unicode_escape", "surrogatepass").decode("ascii")
        if unicodedata.category(char) in _ESCAPED_CATEGORIES
        else char
        for char in text
    )


def without_noncharacters(text: str) -> str:
    """Replace U+FFFE and U+FFFF, which `printable` leaves and XML does not allow."""
    return text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")


def cell_text(value: object) -> str:
    """Return the text of a table's cell: several lines for a tuple, one for any other value."""
    if isinstance(value, tuple):
        return "\n".join(printable(str(line)) for line in value)
    return "" if value is None else printable(str(value))

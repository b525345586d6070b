"""Escape text for output: a name in a file can't forge lines, move the cursor, or change the reading direction.

It can't give commands to a CI service either, which reads them from the output of a step: GitHub's runner takes
`::command::` at the start of a line and `##[command]` anywhere (actions/runner, ActionCommand.cs), Azure Pipelines
`##vso[command]`, TeamCity `##teamcity[message]`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_COMMAND = re.compile(r"(?<!\S):(?=:)|#(?=#(?:vso|teamcity)?\[)", re.IGNORECASE)
"""The first character of a command; `::` at the start of each word, because text can be wrapped there."""


class _Escapes(dict[int, str]):
    """What `str.translate` writes for each character; it is worked out when a character is first seen."""

    ESCAPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
    """Unicode's control, formatting (bidirectional marks too) and surrogate characters, line and paragraph
    separators."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if unicodedata.category(char) in self.ESCAPED:
            char = char.encode("unicode_escape", "surrogatepass").decode("ascii")
        self[code] = char
        return char


_ESCAPES = _Escapes()


def printable(text: str) -> str:
    """Return `text` as one line: line feeds, controls, bidirectional marks and unpaired surrogates are escaped.

    The first character of a command to a CI service is escaped too.
    """
    if "::" in text or "##" in text:
        text = _COMMAND.sub(lambda found: f"\\x{ord(found[0]):x}", text)
    return text if text.isprintable() else text.translate(_ESCAPES)


def without_noncharacters(text: str) -> str:
    """Replace U+FFFE and U+FFFF, which `printable` leaves and XML does not allow."""
    return text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")


def cell_text(value: object) -> str:
    """Return the text of a table's cell: several lines for a tuple, one for any other value."""
    if isinstance(value, tuple):
        return "\n".join(printable(str(line)) for line in value)
    return "" if value is None else printable(str(value))


def cell_texts(values: Sequence[object]) -> list[str]:
    """Return the texts of many cells; if all are plain, they are checked as one text, which is much faster.

    A blank separates them there, because a command is only escaped at the start of a word.
    """
    texts = ["" if value is None else str(value) for value in values]
    together = " ".join(texts)
    if printable(together) is together and not any(isinstance(value, tuple) for value in values):
        return texts
    return [cell_text(value) for value in values]

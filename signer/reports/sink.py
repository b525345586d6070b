"""The output of a report: the protocol that renderers use, and a plain text sink."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from signer.reports.escape import cell_text, printable


class Sink(Protocol):
    """Receives a report. The command line's sink knows the terminal; `PlainSink` writes plain text."""

    def write(self, text: str) -> None:
        """Write text as it is: a document, or part of one."""

    def print(self, text: str = "", style: str | None = None) -> None:
        """Write one line, in a style if the sink has styles."""

    def line(self, word: str, text: str, style: str | None = None) -> None:
        """Write a line that begins with a word in a style."""

    def paragraph(self, mark: str, text: str, style: str | None = None) -> None:
        """Write text beside a mark, wrapped to the width of the sink."""

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        title: str | None = None,
        *,
        cut_last: bool = False,
    ) -> None:
        """Write a table and a blank line; `cut_last` allows cutting the cells of the last column."""

    def fits(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bool:
        """Tell whether a table of these rows fits without wrapping or cutting a cell."""


class PlainSink:
    """Writes plain text of any width, each line escaped, to the function `write`, such as a text file's method."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def write(self, text: str) -> None:
        """Write text as it is."""
        self._write(text)

    def print(self, text: str = "", style: str | None = None) -> None:
        """Write one line without a style."""
        self._write(f"{printable(text)}\n")

    def line(self, word: str, text: str, style: str | None = None) -> None:
        """Write the word and the text in one line."""
        self._write(f"{printable(word)} {printable(text)}\n")

    def paragraph(self, mark: str, text: str, style: str | None = None) -> None:
        """Write the mark and the text in one line."""
        self._write(f"{mark}{printable(text)}\n")

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        title: str | None = None,
        *,
        cut_last: bool = False,
    ) -> None:
        """Write columns that are as wide as their longest cell, and a blank line."""
        cells = [list(columns), *([", ".join(cell_text(cell).split("\n")) for cell in row] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        if title:
            self.print(title)
        for row in cells:
            self.print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        self.print()

    def fits(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bool:
        """Return True: plain text has no width limit."""
        return True

"""Write styled lines, paragraphs and tables to a terminal, with control characters escaped.

rich draws them. Loading it takes longer than a short command, so output to a pipe uses it only for tables with wide
characters, and for tables that are too wide.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, TextIO

from signer.reports.escape import cell_texts, printable
from signer.reports.styles import STYLES

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_PIPE_WIDTH = 1000
_WIDEST_OF_MANY = 48
_SHORT_CELL = 13
_MIN_CELL_WIDTH = 10
_BETWEEN_CELLS = 3
_RULE = "\N{BOX DRAWINGS LIGHT HORIZONTAL}"
_MAX_RULE = 100
"""Maximum length in a pipe of the rule under a heading, whose table may have a column of sentences."""
_WIDE = re.compile(r"[^\n\x20-\x7e\xa1-\xac\xae-\u02ff\u2010-\u2027\u2030-\u205e]")
"""A character that may take no column of a terminal, or two."""
MAX_DRAWN_ROWS, MAX_DRAWN_TEXT = 500, 100_000
"""Maximum numbers of rows and of characters of a table that rich draws: it takes 2 µs for a character."""
_MAX_COLUMN = 200
"""Maximum width of a column in a table that rich does not draw; longer cells move the rest of their row."""


def write_line(stream: TextIO, text: str, style: str | None = None) -> None:
    """Write a line in a style; on a terminal, wrap it at words with its indentation."""
    if is_plain(stream):
        stream.write(f"{text}\n")
        stream.flush()
    else:
        console(stream).print(_wrapped(text, console(stream).width), style=style, soft_wrap=True)


def write_marked(stream: TextIO, word: str, text: str, style: str | None) -> None:
    """Write a line that begins with a word in a style."""
    if is_plain(stream):
        write_line(stream, f"{word} {text}")
        return
    from rich.text import Text

    rest = _wrapped(f"{word} {text}", console(stream).width, hanging="  ")[len(word) :]
    console(stream).print(Text(word, style=style or "").append(rest, style="none"), soft_wrap=True)


def _wrapped(text: str, width: int, hanging: str = "") -> str:
    """Wrap each line of a text at words, indented like the line and by `hanging`; long words and paths stay whole."""
    return "\n".join(_wrapped_line(line, width, hanging) for line in text.split("\n"))


def _wrapped_line(line: str, width: int, hanging: str) -> str:
    if len(line) <= width:
        return line
    from textwrap import fill

    indent = line[: len(line) - len(line.lstrip())] + hanging
    return fill(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def write_paragraph(stream: TextIO, mark: str, text: str, style: str | None) -> None:
    """Write text beside a mark; on a terminal, wrap it between words and indent it to the mark's width."""
    width = _PIPE_WIDTH if is_plain(stream) else console(stream).width
    write_line(stream, _paragraph(mark, text, width), style)


def _paragraph(mark: str, text: str, width: int) -> str:
    """Return text beside a mark, wrapped between words. A short one is returned as it is: textwrap takes 0.1 ms."""
    if text and len(mark) + len(text) <= width and text.isprintable() and text == text.strip():
        return mark + text
    from textwrap import fill

    indent = " " * len(mark)
    return fill(
        text, width, initial_indent=mark, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def write_table(
    stream: TextIO,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    title: str | None = None,
    *,
    cut_last: bool = False,
) -> None:
    """Write a table. On a terminal, wrap long cells; with `cut_last`, cut those of the last column instead.

    A table of more than `MAX_DRAWN_ROWS` or `MAX_DRAWN_TEXT` is written without wrapping.
    """
    columns = [printable(name) for name in columns]
    texts = list(zip(*map(cell_texts, zip(*rows, strict=True)), strict=True))
    if not stream.isatty() and is_plain(stream):
        if title:  # whole, where rich would wrap a path to the width of the table
            write_line(stream, printable(title))
            title = None
        text = plain_table(columns, texts) if not cut_last and _is_unicode(stream) else None
        if text is not None:
            stream.write(text)
            stream.flush()
            return
    if len(texts) > MAX_DRAWN_ROWS or sum(len(text) for row in texts for text in row) > MAX_DRAWN_TEXT:
        _write_large(stream, columns, texts, printable(title or ""))
        return
    screen = console(stream)
    cells = [[_cell(text) for text in row] for row in texts]
    drawn = _table(columns, cells, title, width=screen.width, cut_last=cut_last)
    if screen.is_terminal:
        screen.print(drawn)
        return
    with screen.capture() as captured:
        screen.print(drawn)
    text = "\n".join(_shortened(line.rstrip()) for line in captured.get().splitlines())
    screen.print(text, soft_wrap=True)


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str | None:
    """Return the table as rich draws it into a pipe; None if that takes rich: it has wide characters, or does not fit.

    rich takes 0.4 ms for a row.
    """
    lines = [columns, *rows]
    together = "".join(map("".join, lines))
    if "\n" in together:
        lines = [line for row in lines for line in _lines_of(row)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    total = sum(widths) + _BETWEEN_CELLS * (len(widths) - 1)
    if total + 2 > _PIPE_WIDTH or _WIDE.search(together):
        return None
    padding = " " * _BETWEEN_CELLS
    drawn = [f" {padding.join(map(str.ljust, line, widths))}".rstrip() for line in lines]
    head = [drawn[0], _shortened(" " + _RULE * total)] if any(columns) else []
    return "\n".join(["", *head, *drawn[1:], "", ""])


def _shortened(line: str) -> str:
    """Return a rule with its maximum length, and any other line as it is."""
    return line[: _MAX_RULE + 1] if set(line.strip()) in ({_RULE}, {"-"}) else line


def _is_unicode(stream: TextIO) -> bool:
    """Tell whether the rule under a heading can be written; otherwise rich draws the table with ASCII."""
    return (stream.encoding or "utf-8").lower().startswith("utf")


def _lines_of(row: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Yield the lines of a row, whose cells may have several."""
    yield from zip_longest(*(cell.split("\n") for cell in row), fillvalue="")


def _write_large(stream: TextIO, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
    """Write a table line by line, each cell on one line, as `plain_table` does, but of any width and characters.

    One long cell must not pad the lines of all rows: that would be gigabytes for a catalog of a megabyte.
    """
    by_column = [[text.replace("\n", "; ") for text in column] for column in zip(*rows, strict=True)]
    widest = (max(len(name), *map(len, cells)) for name, cells in zip(columns, by_column, strict=True))
    widths = [min(one, _MAX_COLUMN) for one in widest]
    padding = " " * _BETWEEN_CELLS
    total = sum(widths) + _BETWEEN_CELLS * (len(widths) - 1)
    rule = (_RULE if _is_unicode(stream) else "-") * min(total, _MAX_RULE)
    stream.write(f"{title}\n\n" if title else "\n")
    for cells in [columns, (rule,)] if any(columns) else []:
        stream.write(f" {padding.join(map(str.ljust, cells, widths)).rstrip()}\n")
    stream.writelines(
        f" {padding.join(map(str.ljust, cells, widths)).rstrip()}\n" for cells in zip(*by_column, strict=True)
    )
    stream.write("\n")


def fits(stream: TextIO, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bool:
    """Tell whether a table of these rows fits without wrapping or cutting; always true for a pipe."""
    if is_plain(stream):
        return True
    widths = [max(map(len, column)) for column in zip(columns, *(map(str, row) for row in rows), strict=True)]
    return sum(widths) + _BETWEEN_CELLS * len(widths) <= console(stream).width


def _cell(text: str) -> Any:
    """Return a cell, styled if it is an outcome."""
    from rich.text import Text

    return Text(text, style=STYLES.get(text.lower(), ""))


def _table(
    columns: Sequence[str], cells: Sequence[Sequence[Any]], title: str | None, *, width: int, cut_last: bool
) -> Table:
    """Build the table for a width of `width` characters."""
    from rich.box import SIMPLE
    from rich.table import Table

    name = printable(title or "") or None
    drawn = Table(box=SIMPLE, title=name, title_justify="left", pad_edge=False, show_header=any(columns))
    widest = [max((row[index].cell_len for row in cells), default=0) for index in range(len(columns))]
    least = [_least_width(column, [row[index].plain for row in cells]) for index, column in enumerate(columns)]
    available = width - _BETWEEN_CELLS * (len(columns) - 1) - 2
    kept = _kept_whole(columns, cells, widest, least, available)
    is_wide_enough = sum(kept.get(index, one) for index, one in enumerate(least)) <= available
    for index, column in enumerate(columns):
        if not cut_last:
            minimum = least[index] if is_wide_enough else None
            drawn.add_column(column, overflow="fold", width=kept.get(index), min_width=minimum)
        elif index < len(columns) - 1:
            wanted = min(max(widest[index], len(column)), _WIDEST_OF_MANY)
            drawn.add_column(column, overflow="fold", width=wanted)
        else:
            drawn.add_column(column, overflow="ellipsis")
    for row in cells:
        row[-1].no_wrap = cut_last
        drawn.add_row(*row)
    return drawn


def _least_width(column: str, texts: Iterable[str]) -> int:
    """Return the width that breaks no word of a heading, and none of the cells up to `_MIN_CELL_WIDTH` characters."""
    longest = max((len(word) for text in texts for word in text.split()), default=0)
    return max([min(longest, _MIN_CELL_WIDTH), *map(len, column.split())])


def _kept_whole(
    columns: Sequence[str],
    cells: Sequence[Sequence[Any]],
    widest: Sequence[int],
    least: Sequence[int],
    available: int,
) -> dict[int, int]:
    """Return the columns to keep whole in a narrow table: first those that would break inside words and digests."""
    if sum(max(cell, len(column)) for cell, column in zip(widest, columns, strict=True)) <= available:
        return {}
    kept: dict[int, int] = {}
    for index in sorted(range(len(columns)), key=lambda column: widest[column]):
        words = any(" " in row[index].plain for row in cells)
        wanted = max([widest[index], *map(len, columns[index].split())])
        others = sum(one for at, one in enumerate(least) if at != index and at not in kept)
        if (not words or wanted <= _SHORT_CELL) and sum(kept.values()) + wanted + others <= available:
            kept[index] = wanted
    return kept


@lru_cache(maxsize=2)
def is_plain(stream: Any) -> bool:
    """Tell whether rich would write no styles: as the environment variables say, else if it is not a terminal."""
    compatible, coloured = os.environ.get("TTY_COMPATIBLE"), os.environ.get("FORCE_COLOR")
    if compatible in ("0", "1"):
        return compatible == "0"
    return not (stream.isatty() if coloured is None else coloured)


@lru_cache(maxsize=2)
def console(stream: Any) -> Console:
    """Return a console that writes text literally: no markup, no automatic colors."""
    from rich.console import Console

    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)

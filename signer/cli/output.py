"""Everything that a person or a program reads: results on stdout, messages on stderr.

Text that comes out of files (names in certificates, paths, attributes) is never trusted to be printable: control and
formatting characters are shown as escapes, so that a signature can't write to the reader's terminal.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, TextIO, TypeVar

import typer

from signer.cli.threads import in_threads, in_two_steps
from signer.errors import PackageError, SignerError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Item = TypeVar("Item")
Result = TypeVar("Result")

_PIPE_WIDTH = 1000
_MOST_PROBLEMS = 20
_WIDEST_OF_MANY = 48
_SHORT_CELL = 13
_LEAST_CELL = 10
_BETWEEN_CELLS = 3
_PROGRESS_AFTER_SECONDS = 1.0
_PROGRESS_EVERY_SECONDS = 0.1

PANEL = "What is printed"

STYLES = {
    "accepted": "bold green",
    "rejected": "bold red",
    "unknown": "bold yellow",
    "error": "bold red",
    "failed": "bold red",
    "warning": "yellow",
    "intact": "green",
    "broken": "bold red",
    "signed": "green",
    "built": "green",
    "stripped": "green",
    "extracted": "green",
    "attached": "green",
    "timestamped": "green",
    "skipped": "dim",
    "valid": "green",
    "expiring": "yellow",
    "expired": "bold red",
    "revoked": "bold red",
    "not yet valid": "bold red",
}
"""How words look on a terminal, wherever they stand alone in a cell."""


@dataclass(frozen=True)
class Output:
    """Where a command's results and messages go. As a parameter of a command it is the options --json, -q and -v."""

    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.", rich_help_panel=PANEL)] = (
        False
    )
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No messages but warnings and errors.", rich_help_panel=PANEL)
    ] = False
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose",
            "-v",
            count=True,
            show_default=False,
            help="More messages; -vv for developers.",
            rich_help_panel=PANEL,
        ),
    ] = 0

    def __post_init__(self) -> None:
        _current.set(self)

    @staticmethod
    def current() -> Output:
        """The output of the command that runs, for the error boundary."""
        return _current.get() or Output()

    @property
    def has_answered(self) -> bool:
        """Whether the one JSON document of the command that runs was printed."""
        return _answered.get() is self

    def document(self, document: dict[str, Any]) -> None:
        """Print the one JSON document of a command. Called once, and only with --json."""
        _answered.set(self)
        print(_dumped(document), file=sys.stdout)  # noqa: T201

    def entry(self, entry: dict[str, Any]) -> str:
        """An entry of a long document, as `long_document` takes it."""
        return _dumped(entry)

    def long_document(self, head: dict[str, Any], name: str, entries: Iterable[str]) -> None:
        """Print a document that ends in a list of entries. They are written before, by whoever knows them."""
        _answered.set(self)
        before, _, after = _dumped({**head, name: []}).rpartition("[]")
        if _indent() is None:
            written = ", ".join(entries)
        else:
            written = ",".join(f"\n{entry}".replace("\n", "\n    ") for entry in entries)
            written += "\n  " if written else ""
        sys.stdout.write(f"{before}[{written}]{after}\n")

    def print(self, text: str = "", style: str | None = None) -> None:
        """A line of the result for a person; nothing with --json."""
        if not self.json:
            _write(sys.stdout, printable(text), style)

    def line(self, word: str, text: str, style: str | None = None) -> None:
        """A line of the result that begins with a word in a style; nothing with --json."""
        if self.json:
            return
        if _is_plain(sys.stdout):
            _write(sys.stdout, f"{printable(word)} {printable(text)}")
            return
        from rich.text import Text

        _console(sys.stdout).print(Text(printable(word), style=style or ""), printable(text), soft_wrap=True)

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        title: str | None = None,
        *,
        cut_last: bool = False,
    ) -> None:
        """A table of the result for a person; nothing with --json.

        On a terminal long cells take several lines; with `cut_last` those of the last column are cut off.
        """
        if self.json:
            return
        console = _console(sys.stdout)
        cells = [[_cell(value) for value in row] for row in rows]
        table = _table(columns, cells, title, width=console.width, cut_last=cut_last)
        if console.is_terminal:
            console.print(table)
            return
        with console.capture() as captured:
            console.print(table)
        text = "\n".join(line.rstrip() for line in captured.get().splitlines())
        console.print(text, soft_wrap=True)

    def has_room(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bool:
        """Whether a table of these rows fits on the screen without a break or a cut; in a pipe everything does."""
        if _is_plain(sys.stdout):
            return True
        console = _console(sys.stdout)
        widths = [max(map(len, column)) for column in zip(columns, *(map(str, row) for row in rows), strict=True)]
        return sum(widths) + _BETWEEN_CELLS * len(widths) <= console.width

    def paragraph(self, mark: str, text: str, style: str | None = None) -> None:
        """Text of the result beside a mark; on a terminal its lines break between words and stand under each other."""
        from textwrap import fill

        indent = " " * len(mark)
        width = _PIPE_WIDTH if _is_plain(sys.stdout) else _console(sys.stdout).width
        shown = fill(printable(text), width, initial_indent=mark, subsequent_indent=indent, break_on_hyphens=False)
        self.print(shown, style=style)

    def note(self, text: str) -> None:
        """A message on stderr that --quiet silences."""
        if not self.quiet:
            self._say(text)

    def detail(self, text: str) -> None:
        """A message on stderr that only --verbose shows."""
        if self.verbose:
            self._say(text)

    def warn(self, text: str) -> None:
        """A warning on stderr."""
        self._say(f"warning: {text}", "yellow")

    def error(self, error: SignerError) -> None:
        """An error on stderr: what is wrong, all that was found, and what to do about it."""
        self._say(f"error: {error}", "bold red")
        problems = error.problems if isinstance(error, PackageError) else ()
        shown = problems if self.verbose else problems[:_MOST_PROBLEMS]
        for problem in shown:
            self._say(f"  {problem}")
            if getattr(problem, "hint", None):
                self._say(f"    {problem.hint}", "dim")
        if len(shown) < len(problems):
            self._say(f"  … and {len(problems) - len(shown)} more; -v shows them all")
        if error.hint:
            self._say(f"hint: {error.hint}")

    def each(
        self,
        work: Callable[[Item], Result],
        items: Sequence[Item],
        *,
        jobs: int = 1,
        doing: str = "working",
        run: Callable[[Callable[[Item], Result], Sequence[Item], int], Iterator[Result]] = in_threads,
    ) -> list[Result]:
        """The results of `work` for all items in their order, `jobs` at a time, with a progress bar on a terminal.

        `run` is how: `in_threads` or `in_processes`, which says what it demands of `work`.
        """
        return self._gathered(run(work, items, jobs), len(items), doing)

    def each_in_two_steps(
        self,
        begin: Callable[[Item], Callable[[], Result]],
        items: Sequence[Item],
        *,
        jobs: int,
        doing: str,
        run: Callable[[Callable[[Item], Callable[[], Result]], Sequence[Item], int], Iterator[Result]] = in_two_steps,
    ) -> list[Result]:
        """The same for work whose second step is what the first returns: see `in_two_steps`."""
        return self._gathered(run(begin, items, jobs), len(items), doing)

    def _gathered(self, results: Iterator[Result], total: int, doing: str) -> list[Result]:
        show = not (self.quiet or self.json) and total > 1 and sys.stderr.isatty()
        return list(_with_progress(results, total, doing) if show else results)

    def _say(self, text: str, style: str | None = None) -> None:
        _write(sys.stderr, printable(text), style)


_current: ContextVar[Output | None] = ContextVar("output", default=None)
_answered: ContextVar[Output | None] = ContextVar("answered", default=None)


def _indent() -> int | None:
    """Indenting is for eyes, and takes several times as long: a pipe gets one line."""
    return 2 if sys.stdout.isatty() else None


def _dumped(value: Any) -> str:
    return json.dumps(value, indent=_indent())


def counted(number: int, noun: str) -> str:
    """`number` and the noun, in the plural where it is one."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """`text` with control, formatting and unpaired surrogate characters as escapes; line feeds stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char == "\n" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else _escaped(char)
        for char in text
    )


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")


def _cell(value: object) -> Any:
    """One cell: styled where it is a word that stands for an outcome."""
    from rich.text import Text

    text = "" if value is None else printable(str(value))
    return Text(text, style=STYLES.get(text.lower(), ""))


def _table(
    columns: Sequence[str], cells: Sequence[Sequence[Any]], title: str | None, *, width: int, cut_last: bool
) -> Table:
    """The table, its columns made for `width` characters."""
    from rich.box import SIMPLE
    from rich.table import Table

    name = printable(title or "") or None
    table = Table(box=SIMPLE, title=name, title_justify="left", pad_edge=False, show_header=any(columns))
    widest = [max((row[index].cell_len for row in cells), default=0) for index in range(len(columns))]
    kept = _kept_whole(columns, cells, widest, width)
    for index, column in enumerate(columns):
        if not cut_last:
            table.add_column(column, overflow="fold", width=kept.get(index))
        elif index < len(columns) - 1:
            wanted = min(max(widest[index], len(column)), _WIDEST_OF_MANY)
            table.add_column(column, overflow="fold", width=wanted)
        else:
            table.add_column(column, overflow="ellipsis")
    for row in cells:
        row[-1].no_wrap = cut_last
        table.add_row(*row)
    return table


def _kept_whole(
    columns: Sequence[str], cells: Sequence[Sequence[Any]], widest: Sequence[int], width: int
) -> dict[int, int]:
    """Where not everything fits: the widths of columns that would break inside words, dates and digests first."""
    room = width - 3 * (len(columns) - 1) - 2
    if sum(max(cell, len(column)) for cell, column in zip(widest, columns, strict=True)) <= room:
        return {}
    kept: dict[int, int] = {}
    for index in sorted(range(len(columns)), key=lambda column: widest[column]):
        words = any(" " in row[index].plain for row in cells)
        wanted = max([widest[index], *map(len, columns[index].split())])
        others = sum(min(cell, _LEAST_CELL) for at, cell in enumerate(widest) if at != index and at not in kept)
        if (not words or wanted <= _SHORT_CELL) and sum(kept.values()) + wanted + others <= room:
            kept[index] = wanted
    return kept


def _write(stream: TextIO, text: str, style: str | None = None) -> None:
    """A line as it is; rich, which takes longer to load than many a command lasts, only sees what has a style."""
    if style is None or _is_plain(stream):
        stream.write(f"{text}\n")
        stream.flush()
    else:
        _console(stream).print(text, style=style, soft_wrap=True)


def _is_plain(stream: TextIO) -> bool:
    """Whether rich would take it for no terminal, and write no styles: as these variables say, else as the system."""
    compatible, coloured = os.environ.get("TTY_COMPATIBLE"), os.environ.get("FORCE_COLOR")
    if compatible in ("0", "1"):
        return compatible == "0"
    return not (stream.isatty() if coloured is None else coloured)


@lru_cache(maxsize=2)
def _console(stream: Any) -> Console:
    """A console that takes text literally: no markup, no guessing at colours for numbers and paths."""
    from rich.console import Console

    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False)


def _with_progress(results: Iterable[Result], total: int, doing: str) -> Iterable[Result]:
    """The results, with a bar that appears once the work has lasted longer than a second."""
    import time

    from rich.progress import Progress

    due = time.monotonic() + _PROGRESS_AFTER_SECONDS
    with Progress(console=_console(sys.stderr), transient=True, auto_refresh=False) as progress:
        task = progress.add_task(doing, total=total, visible=False)
        for result in results:
            now = time.monotonic()
            progress.update(task, advance=1)
            if now >= due:
                progress.update(task, visible=True, refresh=True)
                due = now + _PROGRESS_EVERY_SECONDS
            yield result

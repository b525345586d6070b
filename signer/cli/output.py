"""Print results on stdout and messages on stderr.

Text from files (names in certificates, paths, attributes) is escaped, so that a signature can't send control
sequences to the terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from typing import Annotated, Any, TypeVar

import typer

from signer.cli import terminal
from signer.cli.interrupts import Abandoned, deferred
from signer.cli.threads import in_threads
from signer.errors import InternalError, PackageError, SignerError, UsageError
from signer.records import dataclass
from signer.reports.escape import printable

Item = TypeVar("Item")
Result = TypeVar("Result")

_MAX_PROBLEMS = 20
_PROGRESS_AFTER_SECONDS = 1.0
_PROGRESS_EVERY_SECONDS = 0.1

PANEL = "Output"


@dataclass(frozen=True)
class Output:
    """Print a command's results and messages. Its fields are the options --json, -q and -v."""

    json: Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.", rich_help_panel=PANEL)] = (
        False
    )
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show only warnings and errors.", rich_help_panel=PANEL)
    ] = False
    verbose: Annotated[
        int,
        typer.Option(
            "--verbose",
            "-v",
            count=True,
            show_default=False,
            help="Show more detail; -vv for debugging.",
            rich_help_panel=PANEL,
        ),
    ] = 0

    def __post_init__(self) -> None:
        _current.set(self)
        _error_writer.set(None)

    @staticmethod
    def current() -> Output:
        """Return the output of the running command, for the error boundary."""
        return _current.get() or Output()

    @property
    def is_debugging(self) -> bool:
        """Whether to show the tracebacks of bugs."""
        return bool(os.environ.get("DRVSIGN_DEBUG")) or self.verbose > 1

    @property
    def has_answered(self) -> bool:
        """Whether the JSON document of the running command was printed."""
        return _answered.get() is self

    @property
    def has_left_begun(self) -> bool:
        """Whether files without a result may have changed when an interrupt ends the command."""
        return _left_begun.get() is self

    def leave_begun(self) -> None:
        """Note that files without a result may change, or have changed, from now on."""
        _left_begun.set(self)

    def also_errors(self, write: Callable[[SignerError], None]) -> None:
        """Have `write` called with the error that stops the running command, such as to write it to its reports."""
        _error_writer.set(write)

    @staticmethod
    def write_error(error: SignerError) -> None:
        """Call the function that `also_errors` was given, if any."""
        write = _error_writer.get()
        if write is not None:
            write(error)

    def document(self, document: dict[str, Any]) -> None:
        """Print the one JSON document of a command; its values may be iterators. Called once, and only with --json."""
        from signer.reports.json_pieces import json_pieces

        _answered.set(self)
        sys.stdout.writelines(json_pieces(document, self.indent))
        sys.stdout.write("\n")

    def write(self, text: str) -> None:
        """Print the one JSON document of a command from text that a renderer wrote."""
        _answered.set(self)
        sys.stdout.write(text)

    def reserve_stdout(self, what: str) -> None:
        """Print no text on stdout from now on: it gets the bytes of a result. Raises UsageError with --json."""
        if self.json:
            raise UsageError(f"{what} and --json both write to the standard output", hint="Write the result to a file.")
        _reserved.set(self)

    @property
    def prints_text(self) -> bool:
        """Whether text is printed on stdout: no JSON document, and no result that has the stdout."""
        return not self.json and _reserved.get() is not self

    @property
    def indent(self) -> int | None:
        """The indentation of JSON: 2 for a terminal; one line for a pipe, which is much faster to write."""
        return 2 if sys.stdout.isatty() else None

    def print(self, text: str = "", style: str | None = None) -> None:
        """Print a line of the text result; nothing with --json or if a result has the stdout."""
        if self.prints_text:
            terminal.write_line(sys.stdout, printable(text), style)

    def line(self, word: str, text: str, style: str | None = None) -> None:
        """Print a line that begins with a word in a style; nothing with --json or if a result has the stdout."""
        if self.prints_text:
            terminal.write_marked(sys.stdout, printable(word), printable(text), style)

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        title: str | None = None,
        *,
        cut_last: bool = False,
    ) -> None:
        """Print a table with `write_table`; nothing with --json or if a result has the stdout."""
        if self.prints_text:
            terminal.write_table(sys.stdout, columns, rows, title, cut_last=cut_last)

    def fits(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bool:
        """Tell whether a table of these rows fits the terminal without wrapping or cutting; always true for a pipe."""
        return terminal.fits(sys.stdout, columns, rows)

    def paragraph(self, mark: str, text: str, style: str | None = None) -> None:
        """Print text beside a mark; nothing with --json or if a result has the stdout."""
        if self.prints_text:
            terminal.write_paragraph(sys.stdout, mark, printable(text), style)

    def note(self, text: str) -> None:
        """Print a message on stderr, except with --quiet."""
        if not self.quiet:
            self._say(text)

    def detail(self, text: str) -> None:
        """Print a message on stderr with --verbose."""
        if self.verbose:
            self._say(text)

    def warn(self, text: str) -> None:
        """Print a warning on stderr."""
        self._say(f"warning: {text}", "yellow")

    def error(self, error: SignerError) -> None:
        """Print an error on stderr with its problems and its hint."""
        if isinstance(error, InternalError) and self.is_debugging:
            self._say(error.traceback)
        self._say(f"error: {SignerError.__str__(error)}", "bold red")
        problems = error.problems if isinstance(error, PackageError) else ()
        shown = problems if self.verbose else problems[:_MAX_PROBLEMS]
        for problem in shown:
            self._say(f"  {problem}")
            if getattr(problem, "hint", None):
                self._say(f"    {problem.hint}", "dim")
        if len(shown) < len(problems):
            self._say(f"  … and {len(problems) - len(shown)} more; -v shows them all")
        if error.hint and error.hint not in {getattr(problem, "hint", None) for problem in shown}:
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
        """Return the results of `work` for all items in order, `jobs` at a time, with a progress bar on a terminal.

        `run` is `in_threads` or `in_processes`, which documents its requirements on `work`.
        """
        return list(self.shown(run(work, items, jobs), len(items), doing))

    def told_each(
        self,
        results: Iterator[Result],
        tell: Callable[[Result], None],
        total: int,
        doing: str,
        *,
        at_once: bool = False,
    ) -> list[Result]:
        """Return the results, and call `tell` for each when it is there; after an interrupt, those that are there.

        An interrupt lets the items that were begun finish, except one item alone, and work that changes nothing and
        can therefore end `at_once`. The progress bar is shown only where `tell` does not print on the same terminal.
        """
        found = []
        try:
            with nullcontext() if at_once or total < 2 else deferred():
                for result in self.shown(results, total, doing, printing=True):
                    tell(result)
                    found.append(result)
        except KeyboardInterrupt as error:
            if not at_once and not isinstance(error, Abandoned):
                self.leave_begun()
        return found

    def shown(
        self, results: Iterable[Result], total: int | None, doing: str, *, printing: bool = False
    ) -> Iterable[Result]:
        """Yield the results, with a progress bar on a terminal; with `printing`, only if stdout is somewhere else.

        `total` is None if the number of results is not known.
        """
        show = not (self.quiet or self.json) and (total is None or total > 1) and sys.stderr.isatty()
        return _with_progress(results, total, doing) if show and not (printing and sys.stdout.isatty()) else results

    def pieces(self, pieces: Iterable[bytes], total: int, doing: str) -> Iterable[bytes]:
        """Yield the pieces of a file of `total` bytes, with a progress bar on a terminal."""
        show = not (self.quiet or self.json) and total > 0 and sys.stderr.isatty()
        return _with_progress(pieces, total, doing, len) if show else pieces

    def _say(self, text: str, style: str | None = None) -> None:
        terminal.write_line(sys.stderr, printable(text), style)


_current: ContextVar[Output | None] = ContextVar("output", default=None)
_reserved: ContextVar[Output | None] = ContextVar("reserved", default=None)
_error_writer: ContextVar[Callable[[SignerError], None] | None] = ContextVar("error writer", default=None)
_answered: ContextVar[Output | None] = ContextVar("answered", default=None)
_left_begun: ContextVar[Output | None] = ContextVar("left begun", default=None)


def _with_progress(
    results: Iterable[Result], total: int | None, doing: str, size: Callable[[Result], int] | None = None
) -> Iterable[Result]:
    """Yield the results; show a progress bar once the work has lasted longer than a second.

    `total` is the sum of the sizes of all results, or their number, which is shown with the rate.
    """
    import time

    from rich.progress import Progress, TextColumn

    due = time.monotonic() + _PROGRESS_AFTER_SECONDS
    columns = [*Progress.get_default_columns(), *([TextColumn("{task.fields[rate]}")] if size is None else [])]
    with Progress(*columns, console=terminal.console(sys.stderr), transient=True, auto_refresh=False) as progress:
        begin = time.monotonic()
        task = progress.add_task(doing, total=total, visible=False, rate="")
        done = 0
        for result in results:
            now = time.monotonic()
            done += size(result) if size is not None else 1
            if now >= due:
                rate = f"{done:,}, {done / (now - begin):,.0f} a second"
                progress.update(task, completed=done, rate=rate, visible=True, refresh=True)
                due = now + _PROGRESS_EVERY_SECONDS
            yield result

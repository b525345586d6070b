"""Process the files of a command that only reads: results as they come, and an entry for each file after Ctrl+C."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

import typer

from signer.cli.exit_codes import ExitCode
from signer.cli.options.common import workers
from signer.cli.output import Output
from signer.cli.processes import ProcessKilled
from signer.cli.threads import in_threads
from signer.errors import Interrupted, SignerError, unexpected_as_internal


class FileRead(Protocol):
    """The result for one file, or the error that prevented it."""

    @property
    def path(self) -> Path:
        """The path of the file."""

    @property
    def error(self) -> SignerError | None:
        """The error, or None."""


Result = TypeVar("Result", bound=FileRead)


def read_each(
    output: Output,
    files: Sequence[Path],
    read: Callable[[Path], Result],
    failed: Callable[[Path, SignerError], Result],
    tell: Callable[[Result], None],
    *,
    jobs: int,
    doing: str,
) -> list[Result]:
    """Return one result for each file, in order; without --json, call `tell` with each as soon as it is there.

    `failed` makes the result of a file that can't be read. After an interrupt, it makes those of the files left.
    """

    def work(path: Path) -> Result:
        try:
            with unexpected_as_internal():
                return read(path)
        except SignerError as error:
            return failed(path, error.at(path))

    def shown(result: Result) -> None:
        if not output.json:
            tell(result)

    results = in_threads(work, files, workers(jobs, len(files)))
    found = output.told_each(results, shown, len(files), doing, at_once=True)
    return [*found, *(failed(path, Interrupted(path)) for path in files[len(found) :])]


def finish_reading(output: Output, results: Sequence[FileRead], action: str) -> None:
    """Print the errors of a call that only reads; `action` says what was done with a file, such as `inspected`.

    Raises typer.Exit with 130 after an interrupt, with 3 if a file failed.
    """
    failures = [one.error for one in results if one.error is not None]
    for error in failures:
        if not isinstance(error, Interrupted):
            output.error(error)
    require_uninterrupted(output, results, action)
    if failures:
        raise typer.Exit(ExitCode.FAILED)


def write_errors(output: Output, errors: Sequence[SignerError], total: int) -> None:
    """Print errors among `total` results. All results that were lost with a worker process have one message."""
    lost = [error for error in errors if isinstance(error, ProcessKilled)]
    for error in errors:
        if not isinstance(error, ProcessKilled):
            output.error(error)
    if lost:
        left = f"{len(lost)} of {total} results, from {lost[0].path} on, were"
        output.error(ProcessKilled(f"a worker process was killed before {left} known", hint=lost[0].hint))


def require_uninterrupted(output: Output, results: Sequence[FileRead], action: str) -> None:
    """After an interrupt, say what was done and raise typer.Exit with 130."""
    left = [one.path for one in results if isinstance(one.error, Interrupted)]
    if left:
        done = list(dict.fromkeys(one.path for one in results if one.error is None))
        total = len({one.path for one in results})
        output.error(interruption(done, total, action, f"The first file that is left: {left[0]}."))
        raise typer.Exit(ExitCode.INTERRUPTED)


def interruption(done: Sequence[Path], total: int, action: str, hint: str) -> SignerError:
    """Return the error that says how many files of an interrupted call are done, and which."""
    names = f"; list: {done[0]} … {done[-1]}" if done else ""
    return SignerError(f"interrupted: {len(done)} of {total} {action}{names}", hint=hint)

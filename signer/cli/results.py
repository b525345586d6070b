"""Turn errors into file results, and print the results of a command that changes files."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from signer.cli.exit_codes import ExitCode
from signer.cli.output import Output
from signer.cli.reading import interruption
from signer.errors import PackageError, SignerError, UsageError, unexpected_as_internal
from signer.reports.file_results import (
    FileResult,
    failed_results,
    problems_document,
    result_document,
    results_summary,
    write_results,
)
from signer.storage.streams import is_standard_output


def attempt(path: Path, work: Callable[[], FileResult]) -> FileResult:
    """Return the result of `work`; convert an error to a result for `path`, so that other files are still processed."""
    try:
        with unexpected_as_internal():
            return work()
    except SignerError as error:
        return FileResult(path, "failed", error=error.at(path))


@contextlib.contextmanager
def failure_as_result(output: Output, path: Path, *, with_problems: bool = False) -> Iterator[None]:
    """With --json, list an error that stops the whole command, and each of its problems, as failed files.

    `with_problems` also gives the problems, warnings included, as they are.
    """
    try:
        yield
    except UsageError:
        raise
    except SignerError as error:
        if output.json:
            more = problems_document(error.problems) if with_problems and isinstance(error, PackageError) else None
            output.document(result_document(tuple(failed_results(error, path)), more))
        raise


def teller(output: Output) -> Callable[[FileResult], None]:
    """Return a function that prints a result as soon as it is there; nothing with --json or --quiet."""

    def tell(result: FileResult) -> None:
        if output.json or output.quiet or is_standard_output(result.path):
            return
        write_results([result], output)
        sys.stdout.flush()

    return tell


def finish_told(output: Output, results: Mapping[Path, FileResult], paths: Sequence[Path]) -> None:
    """End a call whose results were printed by `teller`. An interrupted call has no result for the paths left.

    Raises typer.Exit with 130 after an interrupt, with 3 if a file failed.
    """
    left = {path: FileResult(path, "skipped") for path in paths if path not in results}
    if output.json:
        output.document(result_document([results.get(path) or left[path] for path in paths]))
    reached = [results[path] for path in paths if path in results]
    for error in (result.error for result in reached if result.error is not None):
        output.error(error)
    if left:
        done = [result for result in reached if result.error is None and result.action != "skipped"]
        action = done[0].action if done else "done"
        hint = f"The other files are unchanged; the first is {next(iter(left))}."
        output.error(interruption([result.path for result in done], len(paths), action, hint))
        raise typer.Exit(ExitCode.INTERRUPTED)
    if len(reached) > 1:
        output.note(results_summary(reached))
    if any(result.error for result in reached):
        raise typer.Exit(ExitCode.FAILED)


def finish(output: Output, results: Sequence[FileResult], more: Mapping[str, Any] | None = None) -> None:
    """Print the results; raises typer.Exit with 3 when any file failed. `more` are further keys of the document."""
    if output.json:
        output.document(result_document(results, more))
    elif not (output.quiet or any(is_standard_output(result.path) for result in results)):  # the results are there
        write_results(results, output)
    failed = [result.error for result in results if result.error is not None]
    for error in failed:
        output.error(error)
    if len(results) > 1:
        output.note(results_summary(results))
    if failed:
        raise typer.Exit(ExitCode.FAILED)

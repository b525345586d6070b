"""Turn errors into file results, and print the results of a command that changes files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from signer.cli.exit_codes import ExitCode
from signer.cli.output import Output
from signer.errors import PackageError, SignerError, UsageError
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

"""Turn errors into file results, and print the results of a command that changes files."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import typer

from signer.cli.exit_codes import ExitCode
from signer.cli.output import Output
from signer.cli.processes import KILLED_HINT, ProcessKilled
from signer.cli.reading import interruption, write_errors
from signer.errors import Interrupted, PackageError, SignerError, UsageError, unexpected_as_internal
from signer.reports.file_results import (
    FileResult,
    failed_results,
    problems_document,
    result_document,
    results_summary,
    write_results,
)

Result = TypeVar("Result")


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
    except KeyboardInterrupt:
        if output.json:
            output.document(result_document([left_result(path)]))
        raise


def teller(output: Output) -> Callable[[FileResult], None]:
    """Return a function that prints a result as soon as it is there; nothing with --json or --quiet."""

    def tell(result: FileResult) -> None:
        if output.json or output.quiet:
            return
        write_results([result], output)
        sys.stdout.flush()

    return tell


def with_lost(results: Iterator[Result], paths: Sequence[Path]) -> Iterator[Result | FileResult]:
    """Yield the results of `paths`; if a worker process is killed, a failed one for each path that has none."""
    given = 0
    try:
        for result in results:
            yield result
            given += 1
    except ProcessKilled:
        for path in paths[given:]:
            hint = f"A file is old or new, never half written. {KILLED_HINT}"
            yield FileResult(path, "failed", error=ProcessKilled.before(path, hint))


def left_result(path: Path, *, begun: bool = False) -> FileResult:
    """Return the result of a file that an interrupted call did not reach, or with `begun` may have changed."""
    return FileResult(path, "skipped", error=Interrupted(path, begun=begun))


def finish_told(output: Output, results: Mapping[Path, FileResult], paths: Sequence[Path], action: str) -> None:
    """End a call whose results were printed by `teller`; `action` is what it does to a file, such as `signed`.

    Paths without a result are those that an interrupted call did not reach. Raises typer.Exit with 130 after an
    interrupt, with 3 if a file failed.
    """
    found = [results.get(path) or left_result(path, begun=output.has_left_begun) for path in paths]
    if output.json:
        output.document(result_document(found))
    left = [one for one in found if isinstance(one.error, Interrupted)]
    failed = [one.error for one in found if one.error is not None and not isinstance(one.error, Interrupted)]
    write_errors(output, failed, len(found))
    if left:
        done = [one.path for one in found if one.action not in ("skipped", "failed")]
        skipped = len(found) - len(left) - len(failed) - len(done)
        others = "".join(
            f", {number} {word}" for number, word in ((skipped, "skipped"), (len(failed), "failed")) if number
        )
        hint = f"The other files are unchanged; the first that is left: {left[0].path}."
        if output.has_left_begun:
            hint = f"Each of the other files is unchanged or {action}, none by half; the first: {left[0].path}."
        output.error(interruption(done, len(paths), f"{action}{others}", hint))
        raise typer.Exit(ExitCode.INTERRUPTED)
    if len(found) > 1:
        output.note(results_summary(found))
    if failed:
        raise typer.Exit(ExitCode.FAILED)


@contextlib.contextmanager
def unchanged_if_interrupted(output: Output, paths: Callable[[], Sequence[Path]], action: str) -> Iterator[None]:
    """After an interrupt in the block, which changes none of `paths()`, end the call as `finish_told` does."""
    try:
        yield
    except KeyboardInterrupt:
        finish_told(output, {}, paths(), action)


def finish(output: Output, results: Sequence[FileResult], more: Mapping[str, Any] | None = None) -> None:
    """Print the results; raises typer.Exit with 3 when any file failed. `more` are further keys of the document."""
    if output.json:
        output.document(result_document(results, more))
    elif not output.quiet:
        write_results(results, output)
    failed = [result.error for result in results if result.error is not None]
    write_errors(output, failed, len(results))
    if len(results) > 1:
        output.note(results_summary(results))
    if failed:
        raise typer.Exit(ExitCode.FAILED)

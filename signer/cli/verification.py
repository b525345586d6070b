"""Run a verification with a progress bar, several files at a time, and write its reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from signer.cli.options.common import readers, workers
from signer.cli.output import Output
from signer.cli.processes import ProcessKilled, in_processes
from signer.cli.reporting import ReportFile, Reporting, write_report
from signer.cli.threads import in_threads
from signer.errors import Interrupted, SignerError
from signer.reports.sink import PlainSink
from signer.storage.streams import STANDARD

if TYPE_CHECKING:
    from catalogs.verification.assessment import Assessment, Outcome
    from catalogs.verification.gathered import Gathered
    from catalogs.verification.query import VerifyQuery
    from catalogs.verification.verify import Run
    from signer.reports.formats import SerializedAssessment
    from signer.reports.sink import Sink

Result = TypeVar("Result")

_FILES, _PACKAGES = 4, 1
"""Batch sizes for a process: one file takes milliseconds, one package some ten."""


def verify_and_report(
    output: Output,
    paths: Iterable[Path],
    query: VerifyQuery,
    jobs: int,
    reporting: Reporting,
    exit_code: Callable[[Outcome], int],
) -> list[SerializedAssessment]:
    """Verify, write the reports, and return the outcome of each assessment. Raises UsageError, FileError.

    The text appears as each file is verified. After an interrupt, the files that are left are in every report.
    """
    from catalogs.verification.assessment import Outcome
    from signer.reports.formats import ReportOptions, kept, report_format, serialize

    options = ReportOptions(
        query.matrix, query.all_releases, bool(output.verbose), output.indent, "verify", reporting.places, exit_code
    )
    files = [*reporting.files, *([ReportFile("github", STANDARD)] if reporting.annotates else [])]
    formats = [report_format(name) for name in (reporting.stdout, *(file.format for file in files))]
    renderers = [one.create(options) for one in formats]
    tell = renderers[0].teller(output)

    def told(one: SerializedAssessment) -> SerializedAssessment:
        if tell is not None:
            tell(one.contents[0])
            one = replace(one, contents=(None, *one.contents[1:]))
        return kept(renderers, one)

    found = verified(output, paths, query, jobs, partial(serialize, renderers), told, in_other_processes=True)
    reporting.is_answered = True
    outcome = Outcome.of(found)
    contents = [[one.contents[index] for one in found] for index in range(len(renderers))]
    for file, renderer, theirs in zip(files, renderers[1:], contents[1:], strict=True):
        _write(output, file, partial(renderer.write, theirs, outcome))
    if tell is None:
        renderers[0].write(contents[0], outcome, output)
    return found


def verified(
    output: Output,
    paths: Iterable[Path],
    query: VerifyQuery,
    jobs: int,
    serialize: Callable[[Assessment], Result],
    tell: Callable[[Result], Result] = lambda result: result,
    *,
    in_other_processes: bool = False,
    gathered: Gathered | None = None,
) -> list[Result]:
    """Verify with a progress bar, `jobs` files at a time, and return what `tell` makes of each result when it is there.

    Packages and files that are left have the error Interrupted, or ProcessKilled if a process was killed. Results that
    other processes return must be picklable. `gathered` is the evidence that the files of packages have if they are
    unchanged.
    """
    from catalogs.verification.verify import Verification

    def each(batch: int) -> Run:
        """Return a run of batches of this size."""

        def run(work: Callable[[Any], Any], items: Sequence[Any]) -> Iterable[Any]:
            count = workers(jobs, len(items))
            results = in_processes(work, items, count, batch) if in_other_processes else in_threads(work, items, count)
            return output.shown(results, len(items), "verifying", printing=True)

        return run

    def members(work: Callable[[Any], Any], items: Sequence[Any]) -> Iterable[Any]:
        return output.each(work, items, jobs=readers(jobs, [one.path for one in items]), doing="hashing")

    verification, found = Verification(paths, query, gathered), []
    reason: Callable[[Path], SignerError] = Interrupted
    try:
        for one in verification.assessments(serialize, packages=each(_PACKAGES), members=members, files=each(_FILES)):
            told = tell(one)
            found.append(told)
    except KeyboardInterrupt:
        pass
    except ProcessKilled:
        reason = ProcessKilled.before
    return [*found, *map(serialize, verification.left(reason))]


def _write(output: Output, file: ReportFile, write: Callable[[Sink], None]) -> None:
    """Write a report to its file, or below the text on stdout. Raises FileError."""
    if file.path == STANDARD:
        write(output)
        return
    pieces: list[str] = []
    write(PlainSink(pieces.append))
    write_report(file, iter(pieces))

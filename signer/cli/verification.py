"""Run a verification with a progress bar, several files at a time, and write its reports."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from signer.cli.options.common import workers
from signer.cli.output import Output
from signer.cli.processes import in_processes
from signer.cli.threads import in_threads
from signer.storage.files import write_atomically

if TYPE_CHECKING:
    from catalogs.verification.assessment import Assessment
    from catalogs.verification.query import VerifyQuery
    from signer.reports.formats import SerializedAssessment

Result = TypeVar("Result")

_BATCH = 4
"""Batch size for a process: one file takes milliseconds."""


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A report to write beside the one on stdout."""

    format: str
    path: Path


def verify_and_report(
    output: Output, paths: Iterable[Path], query: VerifyQuery, jobs: int, files: Sequence[ReportFile] = ()
) -> list[SerializedAssessment]:
    """Verify, write the reports, and return the outcome of each assessment. Raises UsageError, FileError."""
    from catalogs.verification.assessment import Outcome
    from signer.reports.formats import ReportOptions, report_format, serialize

    options = ReportOptions(query.matrix, query.all_releases, bool(output.verbose), output.indent)
    formats = [report_format(name) for name in ("json" if output.json else "text", *(file.format for file in files))]
    renderers = [one.create(options) for one in formats]
    picklable = all(one.picklable for one in formats)
    found = verified(output, paths, query, jobs, partial(serialize, renderers), in_other_processes=picklable)
    outcome = Outcome.of(found)
    contents = [[one.contents[index] for one in found] for index in range(len(renderers))]
    for file, renderer, theirs in zip(files, renderers[1:], contents[1:], strict=True):
        _write_file(file.path, partial(renderer.write, theirs, outcome))
    renderers[0].write(contents[0], outcome, output)
    return found


def verified(
    output: Output,
    paths: Iterable[Path],
    query: VerifyQuery,
    jobs: int,
    serialize: Callable[[Assessment], Result],
    *,
    in_other_processes: bool = False,
) -> list[Result]:
    """Verify with a progress bar, `jobs` files at a time. Results that other processes return must be picklable."""
    from catalogs.verification.verify import verify_and_serialize

    run = partial(in_processes, batch=_BATCH) if in_other_processes else in_threads

    def each(work: Callable[[Any], Any], items: Sequence[Any], doing: str, run: Any) -> Iterable[Any]:
        return output.each(work, items, jobs=workers(jobs, len(items)), doing=doing, run=run)

    return verify_and_serialize(
        paths,
        query,
        serialize,
        run=partial(each, doing="verifying", run=run),
        run_members=partial(each, doing="hashing", run=in_threads),
    )


def _write_file(path: Path, write: Callable[[Any], None]) -> None:
    """Write a report to a file. Raises FileError."""
    from signer.reports.sink import PlainSink

    text = io.StringIO()
    write(PlainSink(text.write))
    write_atomically(path, text.getvalue().encode())

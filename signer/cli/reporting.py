"""Write the answer of a command: on stdout in one format, and in further formats to files."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signer.cli.output import Output
from signer.errors import SignerError, UsageError
from signer.reports.places import Places
from signer.reports.renderers import RENDERERS, render_report
from signer.storage.files import write_atomically

if TYPE_CHECKING:
    from signer.reports.model import Report
    from signer.reports.sink import Sink


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A report to write beside the one on stdout."""

    format: str
    path: Path


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers. Each form is computed only if it is wanted."""

    text: Callable[[Sink], None]
    document: Callable[[], Mapping[str, Any]]
    """The document of --json."""
    report: Callable[[], Report]


@dataclass(frozen=True, slots=True)
class Reporting:
    """The reports that a call asks for."""

    command: str
    stdout: str = "text"
    """The format of what is printed on stdout."""
    files: tuple[ReportFile, ...] = ()
    places: Places = field(default_factory=Places)
    annotates: bool = False
    """Whether GitHub's annotations follow the text on stdout."""

    def also(self, file: ReportFile) -> Reporting:
        """Return these reports and one more."""
        return replace(self, files=(*self.files, file))

    def write(self, output: Output, answer: Answer) -> None:
        """Write the answer in all formats. Raises FileError.

        A document on stdout is the last: the error about a file that can't be written takes its place.
        """
        if self.stdout == "text":
            answer.text(output)
        report = self._report(answer) if self._needs_model else None
        for file in self.files:
            self._write_file(file, answer.document, report)
        if output.json:
            output.document(dict(answer.document()))
        elif report is not None:
            self._to_stdout(output, report)

    @contextlib.contextmanager
    def with_errors(self, place: Path) -> Iterator[None]:
        """Write an error in the block, which is about `place` unless it says otherwise, to the reports as well.

        The caller prints it, with --json as a document. A wrong call (UsageError) makes no report.
        """
        try:
            yield
        except UsageError:
            raise
        except SignerError as error:
            self._write_error(error, place)
            raise

    @property
    def _needs_model(self) -> bool:
        return self.annotates or any(name in RENDERERS for name in (self.stdout, *(one.format for one in self.files)))

    def _report(self, answer: Answer) -> Report:
        return replace(answer.report(), command=self.command, places=self.places)

    def _to_stdout(self, output: Output, report: Report) -> None:
        """Print the report in the format of stdout, or GitHub's annotations below the text."""
        name = "github" if self.annotates else self.stdout
        for piece in render_report(name, report) if name in RENDERERS else ():
            output.write(piece)

    def _write_file(self, file: ReportFile, document: Callable[[], Mapping[str, Any]], report: Report | None) -> None:
        if report is not None and file.format in RENDERERS:
            write_report(file, render_report(file.format, report))
        else:
            write_report(file, iter([f"{json.dumps(document())}\n"]))

    def _write_error(self, error: SignerError, place: Path) -> None:
        from signer.cli.exit_codes import ExitCode
        from signer.reports.problem_report import failed_report

        report = failed_report(self.command, error, ExitCode.FAILED, self.places, place)
        document = {"schema": "drvsign.error/1", "error": error.as_json()}
        for file in self.files:
            self._write_file(file, lambda: document, report)
        self._to_stdout(Output.current(), report)


def write_report(file: ReportFile, pieces: Iterator[str]) -> None:
    """Write a report to its file, at once or not at all. Raises FileError."""
    text = io.StringIO()
    text.writelines(pieces)
    write_atomically(file.path, text.getvalue().encode("utf-8", "backslashreplace"))

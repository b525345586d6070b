"""Write the answer of a command: on stdout in one format, and in further formats to files."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signer.cli.exit_codes import code_of
from signer.cli.output import Output
from signer.errors import SignerError, UsageError
from signer.records import dataclass
from signer.reports.places import Places
from signer.reports.renderers import RENDERERS, render_report
from signer.storage.files import read, write_pieces

if TYPE_CHECKING:
    from signer.reports.model import Report
    from signer.reports.sink import Sink


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A report to write beside the one on stdout."""

    format: str
    path: Path
    appends: bool = False
    """Whether the report is added to the file, such as a job summary that several steps write."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers. Each form is computed only if it is wanted."""

    text: Callable[[Sink], None]
    document: Callable[[], Mapping[str, Any]]
    """The document of --json. A long array may be an iterator, which is written item by item."""
    report: Callable[[], Report]
    own: Mapping[str, Callable[[], Iterable[str]]] = field(default_factory=dict)
    """Formats that the command renders itself, in pieces, in place of the renderer of the model."""


class Reporting:
    """The reports that a call asks for. The answer is written once."""

    def __init__(
        self, command: str, stdout: str, files: Sequence[ReportFile], places: Places, *, annotates: bool = False
    ) -> None:
        self.command = command
        self.stdout = stdout
        """The format of what is printed on stdout."""
        self.files = tuple(files)
        self.places = places
        self.annotates = annotates
        """Whether GitHub's annotations follow the text on stdout."""
        self.is_answered = False

    def also(self, file: ReportFile) -> Reporting:
        """Return these reports and one more."""
        return Reporting(self.command, self.stdout, (*self.files, file), self.places, annotates=self.annotates)

    def require_native(self, option: str) -> None:
        """Raise UsageError if a report is wanted where `option` makes the command answer another question."""
        if self.files or self.stdout in RENDERERS:
            raise UsageError(f"{option} writes no report", hint=f"Remove {option}, or --format and --report.")

    def write(self, output: Output, answer: Answer) -> None:
        """Write the answer in all formats. Raises FileError.

        Files are written before a document on stdout: if one can't be written, stdout has the error instead. A reader
        of stdout that ends early, such as `| head`, loses no file.
        """
        self.is_answered = True
        try:
            if self.stdout == "text":
                answer.text(output)
        finally:
            report = self._report(answer) if self._needs_model(answer.own) else None
            self._write_files(answer, report)
        if output.json:
            output.document(dict(answer.document()))
        elif self.stdout in answer.own:
            for piece in answer.own[self.stdout]():
                output.write(piece)
        elif report is not None:
            self._to_stdout(output, report)

    def _write_files(self, answer: Answer, report: Report | None) -> None:
        for file in self.files:
            if file.format in answer.own:
                write_report(file, answer.own[file.format]())
            else:
                self._write_file(file, answer.document, report)

    def write_error(self, error: SignerError) -> None:
        """Write an error that stopped the command to the reports, if the answer was not written. Raises FileError.

        The caller prints it, with --json as a document. A wrong call (UsageError) makes no report.
        """
        if self.is_answered or isinstance(error, UsageError):
            return
        from signer.reports.problem_report import failed_report

        self.is_answered = True
        report = failed_report(self.command, error, code_of(error), self.places)
        document = {"schema": "drvsign.error/1", "error": error.as_json()}
        for file in self.files:
            self._write_file(file, lambda: document, report)
        self._to_stdout(Output.current(), report)

    def _needs_model(self, own: Container[str]) -> bool:
        wanted = (self.stdout, *(one.format for one in self.files))
        return self.annotates or any(name in RENDERERS and name not in own for name in wanted)

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
            from signer.reports.json_pieces import json_pieces

            write_report(file, chain(json_pieces(document()), "\n"))


def write_report(file: ReportFile, pieces: Iterable[str]) -> None:
    """Write a report to its file, as a whole or not at all. Raises FileError."""
    before = [read(file.path)] if file.appends and file.path.exists() else []
    write_pieces(file.path, chain(before, (piece.encode("utf-8", "backslashreplace") for piece in pieces)))

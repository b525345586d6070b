"""The options --format and --report: the format of the answer on stdout, and of further reports in files."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from signer.cli.output import PANEL, Output
from signer.cli.param_types import to_output
from signer.cli.reporting import ReportFile, Reporting
from signer.errors import FileError, UsageError
from signer.formats.detect import INF_SUFFIXES, detect_file
from signer.records import dataclass
from signer.reports.places import Places
from signer.reports.renderers import RENDERERS
from signer.storage.streams import STANDARD, is_standard_output, is_stream, require_writable

FORMATS = ("text", "json", *RENDERERS)
FILE_FORMATS = FORMATS[1:]
_ROOTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
"""Variables of GitHub and GitLab with the root of the sources, which their reports are relative to."""


def to_format(word: str) -> str:
    """Convert an argument to the name of a format. Raises typer.BadParameter, with similar names."""
    return _known(word, FORMATS)


def to_report(word: str | ReportFile) -> ReportFile:
    """Convert `FORMAT=FILE`. Raises typer.BadParameter."""
    if isinstance(word, ReportFile):
        return word
    name, equals, path = word.partition("=")
    if not equals:
        raise typer.BadParameter(f"{word!r} has no file; write it as FORMAT=FILE, such as sarif=drvsign.sarif")
    return ReportFile(_known(name, FILE_FORMATS), to_output(path))


@dataclass(frozen=True)
class ReportChoices:
    """The options --format and --report."""

    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help=f"Format of the answer on stdout: {', '.join(FORMATS)}. Default: text; json is the same as --json.",
            show_default=False,
            parser=to_format,
            rich_help_panel=PANEL,
        ),
    ] = None
    report: Annotated[
        list[ReportFile] | None,
        typer.Option(
            "--report",
            metavar="FORMAT=FILE",
            help="Also write the answer to FILE in this format, such as sarif=drvsign.sarif; - is stdout. Repeatable.",
            show_default=False,
            parser=to_report,
            rich_help_panel=PANEL,
        ),
    ] = None

    def prepare(self, output: Output, command: str) -> tuple[Output, Reporting]:
        """Return the output that fits the options, and the reports to write; `command` is the name of the command.

        Checks that each report can be written. Raises UsageError, FileError.
        """
        files = self.report or []
        for file in files:
            require_place(file.path)
        require_distinct([file.path for file in files])
        stdout = self._on_stdout(output)
        if stdout == "json":
            output = output if output.json else replace(output, json=True)
        elif stdout != "text":
            output.reserve_stdout(f"--format {stdout}")
        summary = os.environ.get("GITHUB_STEP_SUMMARY")
        others = tuple(
            replace(file, appends=str(file.path) == summary) for file in files if not is_standard_output(file.path)
        )
        shows_text = stdout == "text" and output.prints_text
        annotates = shows_text and os.environ.get("GITHUB_ACTIONS") == "true"
        reporting = Reporting(command, stdout, others, places(os.environ, Path.cwd()), annotates=annotates)
        output.also_errors(reporting.write_error)
        return output, reporting

    def _on_stdout(self, output: Output) -> str:
        """Return the format of what is printed on stdout. Raises UsageError for two."""
        named = ["json"] if output.json else []
        named += [self.format] if self.format is not None else []
        named += [file.format for file in self.report or [] if is_standard_output(file.path)]
        different = list(dict.fromkeys(named))
        if len(different) > 1 or (different not in ([], ["text"]) and not output.json and not output.prints_text):
            raise UsageError(
                f"two results would be written to the standard output: {' and '.join(different) or 'text'}",
                hint="Write all but one of them to files: --report FORMAT=FILE.",
            )
        return different[0] if different else "text"


def places(environment: Mapping[str, str], folder: Path) -> Places:
    """Return how paths are written: relative to the root that the CI service names, else to the working folder."""
    named = (Path(environment[name]) for name in _ROOTS if environment.get(name))
    return Places(folder, next((root for root in named if folder.is_relative_to(root)), folder))


def _known(word: str, known: tuple[str, ...]) -> str:
    if word in known:
        return word
    near = difflib.get_close_matches(word.lower(), known, n=1)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise typer.BadParameter(f"{word!r} is not a report format{meant or '; choose one of ' + ', '.join(known)}")


def require_distinct(paths: Sequence[Path]) -> None:
    """Raise UsageError if two results would be written to one file; two on stdout are refused elsewhere."""
    real = [os.path.realpath(path) for path in paths if not is_stream(path) and path != STANDARD]
    if len(set(real)) < len(real):
        twice = next(path for path in real if real.count(path) > 1)
        raise UsageError("two results would be written to this file", path=twice, hint="Name a file for each.")


def require_place(path: Path, what: str = "the report") -> None:
    """Raise FileError if a result (`what`) can't be written to a path, UsageError if it would replace a driver."""
    if path == STANDARD or is_stream(path):
        require_writable(path)
        return
    if path.is_dir():
        raise FileError(f"{what} can't be written: the path is a folder", path=path, hint="Name a file.")
    if not path.parent.is_dir():
        raise FileError(f"{what} can't be written: its folder does not exist", path=path, hint="Create the folder.")
    if path.is_file() and (path.suffix.lower() in INF_SUFFIXES or detect_file(path) is not None):
        raise UsageError(f"{what} would replace a file of a driver package", path=path, hint="Name another file.")

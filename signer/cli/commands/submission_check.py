"""`drvsign submission check`: check folders and cabinets against the rules of the portal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signer.cli.exit_codes import ExitCode
from signer.cli.option_groups import command
from signer.cli.options.common import now
from signer.cli.options.directives import Define, named_directives, read_named
from signer.cli.options.reports import ReportChoices
from signer.cli.output import Output
from signer.cli.param_types import to_input
from signer.cli.reporting import Answer
from signer.errors import SignerError, UsageError
from signer.formats.detect import detect
from signer.formats.table import CABINET
from signer.reports.problems import write_problems
from signer.storage.files import read, temporary_folder
from signer.storage.recovery import UnfinishedRuns

if TYPE_CHECKING:
    from catalogs.submission.package import Submission
    from signer.reports.model import Report
    from signer.reports.sink import Sink


@command
def check(
    output: Output,
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR|X.cab|X.ddf",
            help="Package folders, cabinets, or directives of makecab.",
            show_default=False,
            parser=to_input,
        ),
    ],
    reports: ReportChoices,
    define: Define = None,
) -> None:
    """Check folders or cabinets against the rules of the portal.

    All folders together are one submission; each cabinet is its own, and a .ddf is named alone. Exit code 1 if the
    portal would refuse anything.
    """
    output, reporting = reports.prepare(output, "submission check")
    given = named_directives(paths, define, output)
    checked = _checked(paths) if given is None else [(str(paths[0]), read_named(paths, given, _today()))]
    code = ExitCode.REJECTED if any(submission.errors for _, submission in checked) else ExitCode.DONE

    def document() -> dict[str, Any]:
        submissions = [_document(name, submission) for name, submission in checked]
        return {"schema": "drvsign.submission/1", "accepted": not code, "submissions": submissions}

    def text(sink: Sink) -> None:
        for name, submission in checked:
            _print(sink, name, submission)

    def model() -> Report:
        from signer.reports.submission_report import submission_report

        return submission_report(checked, code)

    reporting.write(output, Answer(text, document, model))
    if code:
        raise typer.Exit(code)


def _checked(paths: Sequence[Path]) -> list[tuple[str, Submission]]:
    """Read each submission, with its name for messages. Raises SignerError."""
    from catalogs.submission.package import read_submission

    folders = [path for path in paths if path.is_dir()]
    require_finished(folders)
    found = [(", ".join(map(str, folders)), read_submission(folders, today=_today()))] if folders else []
    return found + [(str(path), _check_cabinet(path)) for path in paths if not path.is_dir()]


def _today() -> date:
    return now().astimezone(UTC).date()


def require_finished(folders: Sequence[Path]) -> None:
    """Raise UnfinishedRun if an interrupted run left a folder with old and new files."""
    runs = UnfinishedRuns()
    for folder in folders:
        runs.require_none(folder)


def _check_cabinet(path: Path) -> Submission:
    from catalogs.submission.cabinet import check as check_cabinet

    data = read(path)
    if detect(data) is not CABINET:
        raise UsageError("neither a folder nor a cabinet", path=path, hint="Name a folder with an INF, or a .cab.")
    try:
        with temporary_folder() as folder:
            return check_cabinet(data, folder)
    except SignerError as error:
        raise error.at(path) from error


def _document(name: str, submission: Submission) -> dict[str, Any]:
    return {
        "path": name,
        "accepted": not submission.errors,
        "packages": [
            {
                "folder": package.name,
                "architectures": sorted(package.architectures),
                "files": [file.name for file in package.files],
            }
            for package in submission.packages
        ],
        "problems": [problem.as_json() for problem in submission.problems],
    }


def _print(sink: Sink, name: str, submission: Submission) -> None:
    packages = ", ".join(
        f"{package.name} ({', '.join(sorted(package.architectures)) or 'no release'})"
        for package in submission.packages
    )
    sink.print(f"{name}: {packages or 'no package'}")
    write_problems(submission.problems, sink)

"""`drvsign inf lint`: check INFs for what Inf2Cat and InfVerif report, and fix some of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from signer.cli.exit_codes import ExitCode
from signer.cli.option_groups import command
from signer.cli.options.common import Jobs, KeepGoing, Paths, workers
from signer.cli.options.package import CatalogChoices
from signer.cli.options.reports import ReportChoices
from signer.cli.output import Output
from signer.cli.paths import expand, require_existing
from signer.cli.reading import interruption
from signer.cli.reporting import Answer, Reporting
from signer.cli.threads import in_threads
from signer.errors import (
    FileError,
    InfError,
    InternalError,
    Interrupted,
    SignerError,
    UsageError,
    unexpected_as_internal,
)
from signer.records import dataclass
from signer.reports.problems import write_count, write_each_problem
from signer.storage.streams import STANDARD

if TYPE_CHECKING:
    from catalogs.catalog.os_names import OsName
    from catalogs.inf.problems import PackageProblem
    from catalogs.inf.rules import RuleSet
    from signer.reports.model import Report

_UNREADABLE = frozenset({InfError.code, FileError.code, InternalError.code, Interrupted.code, "1000", "1002"})
"""Codes of files that can't be read as INFs."""
_DIFF_STYLES = {"+": "green", "-": "red", "@": "dim"}


@dataclass(frozen=True)
class LintOptions:
    """What to check, and whether to fix it."""

    os: Annotated[
        list[str] | None,
        typer.Option(
            "--os", metavar="NAME,…", help="Windows releases, as Inf2Cat names them. Default: the releases in the INF."
        ),
    ] = None
    now: Annotated[
        str | None,
        typer.Option("--now", metavar="DATE", help="The build date, which DriverVer must not exceed. Default: today."),
    ] = None
    local_time: Annotated[
        bool, typer.Option("--uselocaltime", help="Use today's date in local time instead of UTC.")
    ] = False
    files: Annotated[
        bool,
        typer.Option("--files/--no-files", help="Check that the files named in the INF exist. Not for .inx files."),
    ] = True
    mode: Annotated[
        str,
        typer.Option(
            "--mode",
            metavar="MODE",
            help="InfVerif's requirements: k (declarative), u (universal), w (Windows drivers) or h (WHQL signature).",
        ),
    ] = "w"
    rulever: Annotated[
        str | None,
        typer.Option(
            "--rulever",
            metavar="DATE|latest",
            help="Report rules of later Windows releases as warnings. Default: the date in DriverVer.",
        ),
    ] = None
    provider: Annotated[
        str | None, typer.Option("--provider", metavar="NAME", help="The Provider that the INFs must have.")
    ] = None
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Show a diff, then fix the encoding, newlines, PnpLockdown, DriverVer and architecture decorations.",
        ),
    ] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --fix: show the diff, and change nothing.")] = False

    def __post_init__(self) -> None:
        if self.dry_run and not self.fix:
            raise UsageError("--dry-run without --fix", hint="Add --fix, or remove --dry-run.")

    def releases(self) -> list[OsName] | None:
        """Return the releases of --os; None without it. Raises UsageError."""
        from catalogs.catalog.os_names import parse_names

        return list(parse_names(self.os)) if self.os else None

    def today(self) -> date:
        """Return the latest date that DriverVer may have. Raises UsageError."""
        time = CatalogChoices(self.os, None, self.now, self.local_time).time()
        return (time.astimezone() if self.local_time else time.astimezone(UTC)).date()

    def rule_set(self) -> RuleSet:
        """Return the requirements of --mode, --rulever and --provider. Raises UsageError."""
        return _rule_set(self.mode, self.rulever, self.provider)


@command
def lint(
    output: Output,
    paths: Paths,
    options: LintOptions,
    reports: ReportChoices,
    keep_going: KeepGoing = False,
    jobs: Jobs = 0,
) -> None:
    """Check INFs for everything that Inf2Cat and InfVerif report.

    Exit code 1 if there is an error, 0 with warnings only, 3 if a file can't be read.
    """
    output, reporting = reports.prepare(output, "inf lint")
    names, rule_set, today = options.releases(), options.rule_set(), options.today()
    if options.fix and not keep_going:
        require_existing(paths)
    infs = expand(paths, is_inf, "INFs", missing_ok=True)
    if options.fix and STANDARD in infs:
        raise UsageError("--fix changes a file, and - is the standard input", hint="Name the INF.")
    if rule_set.mode == "h":
        output.note("mode h: Microsoft publishes no levels for it; those of mode w apply, with InfVerif's exceptions.")
    fixes = {path: _fix(path, today, output, write=not options.dry_run) for path in infs} if options.fix else {}
    work = _checker(names, today, rule_set, files=options.files)
    results = in_threads(work, infs, workers(jobs, len(infs)))
    done = output.told_each(
        results, lambda problems: write_each_problem(problems, output), len(infs), "reading", at_once=True
    )
    _report(output, reporting, infs, done, fixes)


def _checker(
    names: Sequence[OsName] | None, today: date, rule_set: RuleSet, *, files: bool
) -> Callable[[Path], list[PackageProblem]]:
    """Return the function that lists the problems of an INF; an error is a problem as well."""
    from catalogs.inf.problems import PackageProblem
    from catalogs.lint import lint as find

    def work(path: Path) -> list[PackageProblem]:
        try:
            with unexpected_as_internal():
                return find(path, names, today=today, files=files, rule_set=rule_set)
        except SignerError as error:
            return [PackageProblem(error.code, error.message, error.path or path, error.line, error.hint)]

    return work


def _report(
    output: Output,
    reporting: Reporting,
    infs: Sequence[Path],
    done: Sequence[list[PackageProblem]],
    fixes: dict[Path, dict[str, Any]],
) -> None:
    """End a call whose problems are printed; after an interrupt, say which INFs are left.

    Raises typer.Exit with the exit code.
    """
    from catalogs.inf.problems import PackageProblem

    left = infs[len(done) :]
    found = [*done, *([PackageProblem(Interrupted.code, Interrupted(path).message, path)] for path in left)]
    problems = [problem for each in found for problem in each]
    code = ExitCode.INTERRUPTED if left else _exit_code(problems)

    def document() -> dict[str, Any]:
        pairs = zip(infs, found, strict=True)
        files = [{**_lint_document(path, problems), **fixes.get(path, {})} for path, problems in pairs]
        return {"schema": "drvsign.lint/1", "files": files}

    listed = [problem for each in done for problem in each]
    answer = Answer(partial(write_count, listed), document, lambda: _model(infs, found, code))
    reporting.write(output, answer)
    if left:
        output.error(interruption(infs[: len(done)], len(infs), "checked", f"The first file that is left: {left[0]}."))
    if code:
        raise typer.Exit(code)


def _model(infs: Sequence[Path], found: Sequence[list[PackageProblem]], code: ExitCode) -> Report:
    """Return the model of the reports: each INF with its problems."""
    from signer.reports.model import Report, Subject
    from signer.reports.problem_report import findings_of, result_of, rules_of

    subjects = (
        Subject(str(path), "inf", result_of(problems, _UNREADABLE), findings_of(problems, path))
        for path, problems in zip(infs, found, strict=True)
    )
    return Report("inf lint", tuple(subjects), rules_of(one for problems in found for one in problems), code)


def _rule_set(mode: str, rulever: str | None, provider: str | None) -> RuleSet:
    """Return the requirements that the options name. Raises UsageError."""
    from catalogs.inf.rules import Mode, RuleSet

    try:
        chosen = Mode(mode.lower())
    except ValueError as error:
        raise UsageError(f"unknown mode {mode!r}", hint="Use --mode k, u, w or h.") from error
    if rulever is None or rulever.lower() == "latest":
        return RuleSet(chosen, latest=rulever is not None, provider=provider)
    try:
        return RuleSet(chosen, date.fromisoformat(rulever), provider=provider)
    except ValueError as error:
        raise UsageError(
            f"--rulever {rulever!r} is not a date", hint="Write a date such as 2024-10-01, or latest."
        ) from error


def _fix(path: Path, today: date, output: Output, *, write: bool) -> dict[str, Any]:
    """Print the diff of the fixes of an INF, and write them; return the keys that the document has for them."""
    from catalogs.inf.fix import fix
    from signer.storage.files import read, require_data, write_atomically

    try:
        require_data(path)
        fixed = fix(path, read(path), today)
    except (InfError, FileError):
        return {"diff": None, "fixed": False}  # lint reports the error
    diff = fixed.diff() if fixed.changed else ""
    for line in diff.splitlines():
        output.print(line, _DIFF_STYLES.get(line[:1]))
    if fixed.changed and write:
        write_atomically(path, fixed.after.to_bytes())
    return {"diff": diff or None, "fixed": fixed.changed and write}


def _exit_code(problems: Iterable[PackageProblem]) -> ExitCode:
    """Return FAILED if a file can't be read as an INF, REJECTED if there is another error."""
    errors = {problem.code for problem in problems if _is_error(problem)}
    if errors & _UNREADABLE:
        return ExitCode.FAILED
    return ExitCode.REJECTED if errors else ExitCode.DONE


def is_inf(path: Path) -> bool:
    """Tell whether a file has the suffix of an INF or of a template."""
    return path.suffix.lower() in (".inf", ".inx")


def _is_error(problem: PackageProblem) -> bool:
    return problem.severity.value == "error"


def _lint_document(path: Path, problems: Sequence[PackageProblem]) -> dict[str, Any]:
    return {
        "path": str(path),
        "errors": sum(map(_is_error, problems)),
        "warnings": sum(not _is_error(problem) for problem in problems),
        "problems": [problem.as_json() for problem in problems],
    }

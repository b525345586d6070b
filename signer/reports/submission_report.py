"""Turn checked submissions into the model of reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from signer.reports.model import Report, Subject
from signer.reports.problem_report import findings_of, result_of, rules_of

if TYPE_CHECKING:
    from catalogs.inf.problems import PackageProblem
    from catalogs.submission.package import Submission


def submission_report(checked: Sequence[tuple[str, Submission]], exit_code: int) -> Report:
    """Return the report of `drvsign submission check`: each submission, with its name, is a subject."""
    subjects = tuple(_subject(name, submission) for name, submission in checked)
    rules = rules_of(problem for _, submission in checked for problem in submission.problems)
    return Report("submission check", subjects, rules, exit_code)


def _subject(name: str, submission: Submission) -> Subject:
    """Return a submission. Problems of files in a cabinet are about the cabinet, as those files are not at hand."""
    path = Path(name)
    problems = [_of_cabinet(one, path) if path.is_file() else one for one in submission.problems]
    return Subject(name, "submission", result_of(submission.problems), findings_of(problems, path))


def _of_cabinet(problem: PackageProblem, cabinet: Path) -> PackageProblem:
    inside = "" if problem.path is None else f"{problem.path}:{problem.line}: " if problem.line else f"{problem.path}: "
    return replace(problem, message=f"{inside}{problem.message}", path=cabinet, line=None)

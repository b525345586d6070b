"""Turn the result of `drvsign package` into the model of reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from signer.reports.model import Report
from signer.reports.problem_report import rules_of, subjects_of
from signer.reports.verdict_report import report_of, summarize

if TYPE_CHECKING:
    from catalogs.inf.problems import PackageProblem
    from catalogs.verification.assessment import Assessment


def package_report(
    assessments: Sequence[Assessment], problems: Sequence[PackageProblem], folder: Path, exit_code: int
) -> Report:
    """Return the report: the INFs with warnings, then the package and its drivers with their verdicts."""
    verdicts = report_of("package", [summarize(one) for one in assessments], exit_code)
    return replace(
        verdicts,
        subjects=(*subjects_of(problems, folder), *verdicts.subjects),
        rules={**rules_of(problems), **verdicts.rules},
    )

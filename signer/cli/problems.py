"""Print the problems of INFs and packages as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from signer.cli.output import Output, counted
from signer.reports.styles import STYLES

if TYPE_CHECKING:
    from catalogs.inf.problems import PackageProblem


def print_problems(output: Output, problems: Sequence[PackageProblem]) -> None:
    """Print each problem with its hint, and the number of errors and warnings."""
    for problem in problems:
        severity = problem.severity.value
        output.line(severity, str(problem), STYLES.get(severity))
        if problem.hint:
            output.print(f"    {problem.hint}", "dim")
    counts = Counter(problem.severity.value for problem in problems)
    output.print(f"{counted(counts['error'], 'error')}, {counted(counts['warning'], 'warning')}")

"""Report the problems of INFs and packages as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from signer.numbers import counted
from signer.reports.sink import Sink
from signer.reports.styles import STYLES

if TYPE_CHECKING:
    from catalogs.inf.problems import PackageProblem


def write_problems(problems: Sequence[PackageProblem], sink: Sink) -> None:
    """Write each problem with its hint, and the number of errors and warnings."""
    write_each_problem(problems, sink)
    write_count(problems, sink)


def write_each_problem(problems: Iterable[PackageProblem], sink: Sink) -> None:
    """Write each problem with its hint."""
    for problem in problems:
        severity = problem.severity.value
        sink.line(severity, str(problem), STYLES.get(severity))
        if problem.hint:
            sink.print(f"    {problem.hint}", "dim")


def write_count(problems: Iterable[PackageProblem], sink: Sink) -> None:
    """Write the number of errors and warnings."""
    counts = Counter(problem.severity.value for problem in problems)
    sink.print(f"{counted(counts['error'], 'error')}, {counted(counts['warning'], 'warning')}")

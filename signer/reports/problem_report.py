"""Turn problems of INFs and packages, and errors, into the model of reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from signer.errors import PackageError, SignerError
from signer.reports.model import Finding, Level, Report, Result, Rule, Subject, titled
from signer.reports.places import Places

if TYPE_CHECKING:
    from catalogs.inf.problems import PackageProblem

_TEXT_SUFFIXES = (".inf", ".inx")


def findings_of(problems: Iterable[PackageProblem], place: PurePath | None = None) -> tuple[Finding, ...]:
    """Return the findings of problems; those without a path are about `place`."""
    return tuple(_finding(one, place) for one in problems)


def rules_of(problems: Iterable[PackageProblem]) -> dict[str, Rule]:
    """Return the rules of problems by code: of InfVerif's codes their table's row, of others what the problems say."""
    from catalogs.inf.rules import rules

    found: dict[str, Rule] = {}
    for one in problems:
        known, level = rules().get(one.code), _level(one)
        if known is not None:
            source = f"windows-driver-docs {known.source}"
            found[one.code] = Rule(one.code, known.message.replace("<value>", "…"), known.fix, source, level)
        elif one.code not in found or level == "error":
            found[one.code] = Rule(one.code, titled(one.code), one.hint or "", "", level)
    return found


def result_of(problems: Sequence[PackageProblem], unreadable: frozenset[str] = frozenset()) -> Result:
    """Return rejected if a problem is an error, failed if it is one of the codes `unreadable`, else accepted."""
    errors = {one.code for one in problems if one.severity.value == "error"}
    return "failed" if errors & unreadable else "rejected" if errors else "accepted"


def subjects_of(problems: Sequence[PackageProblem], place: PurePath) -> tuple[Subject, ...]:
    """Return a subject for each file with problems, an INF or `place`."""
    grouped: dict[PurePath, list[PackageProblem]] = {}
    for one in problems:
        grouped.setdefault(one.path or place, []).append(one)
    return tuple(Subject(str(path), "inf", result_of(own), findings_of(own, path)) for path, own in grouped.items())


def failed_report(command: str, error: SignerError, exit_code: int, places: Places) -> Report:
    """Return the report of a command that an error stopped."""
    problems = problems_of(error)
    return Report(command, (failed_subject(error),), rules_of(problems), exit_code, places)


def failed_subject(error: SignerError) -> Subject:
    """Return the subject of an error: the file that it names."""
    name = str(error.path) if error.path is not None else "(no file named)"
    return Subject(name, "input", "failed", findings_of(problems_of(error), error.path))


def problems_of(error: SignerError) -> list[PackageProblem]:
    """Return each problem of a package, for an error about one; the error as a problem otherwise."""
    from catalogs.inf.problems import PackageProblem

    problems = [one for one in getattr(error, "problems", ()) if isinstance(one, PackageProblem)]
    if isinstance(error, PackageError) and problems:
        return problems
    return [PackageProblem(error.code, error.message, error.path, error.line, error.hint)]


def line_in(path: PurePath | None, line: int | None) -> int | None:
    """Return the line of a finding; the first one of an INF if no line is known, None for a binary file."""
    is_text = path is not None and path.suffix.lower() in _TEXT_SUFFIXES
    return line or (1 if is_text else None)


def _level(one: PackageProblem) -> Level:
    return "error" if one.severity.value == "error" else "warning"


def _finding(one: PackageProblem, place: PurePath | None) -> Finding:
    path = one.path if one.path is not None else place
    return Finding(one.code, _level(one), one.message, path, line_in(path, one.line), one.hint)

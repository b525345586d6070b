"""Render a report as JUnit XML, for Jenkins, GitLab, Azure DevOps and other services that show tests.

A subject is a test suite. Each of its targets is a test case; a subject without targets has one for each problem, or
one that passes. The elements and attributes are those of the schema of Jenkins' xUnit plugin (junit-10.xsd).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from xml.sax.saxutils import escape, quoteattr

from signer.records import dataclass
from signer.reports.escape import printable, without_noncharacters
from signer.reports.model import Check, Finding, Report, Result, Subject

_OUTCOMES: Mapping[Result, str] = {
    "accepted": "",
    "rejected": "failure",
    "unknown": "error",
    "failed": "error",
    "not-applicable": "skipped",
}
"""The element of each verdict; none in a case that passes."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One test case."""

    name: str
    result: Result
    message: str
    kind: str
    """The rule or code, for the attribute `type`."""
    text: str
    """The problems, one a line."""


def render(report: Report) -> Iterator[str]:
    """Yield the document in pieces."""
    numbers = _numbers(case for subject in report.subjects for case in _cases(report, subject))
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<testsuites{_attributes({'name': f'drvsign {report.command}', **numbers})}>\n"
    for subject in report.subjects:
        cases = list(_cases(report, subject))
        skipped = str(sum(case.result == "not-applicable" for case in cases))
        yield f"  <testsuite{_attributes({'name': subject.name, **_numbers(cases), 'skipped': skipped})}>\n"
        for case in cases:
            yield _testcase(subject, case)
        yield "  </testsuite>\n"
    yield "</testsuites>\n"


def _cases(report: Report, subject: Subject) -> Iterator[_Case]:
    if subject.checks:
        for check in subject.checks:
            yield from (_of_target(report, subject, check, target) for target in check.targets)
        return
    for one in subject.problems:
        result: Result = (
            "accepted" if one.level == "warning" else "failed" if subject.result == "failed" else "rejected"
        )
        yield _Case(f"{one.code}: {one.message}", result, one.message, one.code, _line(report, one))
    if not subject.problems:
        yield _Case(subject.kind, subject.result, "", "", "")


def _of_target(report: Report, subject: Subject, check: Check, target: str) -> _Case:
    about = [one for one in subject.problems if target in one.targets or not one.targets]
    fixes = {one.fix for one in about}
    more = (one for one in check.details if one not in fixes)
    text = "\n".join((*(_line(report, one) for one in about), *more))
    return _Case(target, check.result, check.reason, check.rule, text)


def _line(report: Report, finding: Finding) -> str:
    parts = (report.place(finding), finding.level, f"{finding.code}: {finding.message}", finding.fix)
    return ": ".join(part for part in parts[:3] if part) + (f"\n  {finding.fix}" if finding.fix else "")


def _testcase(subject: Subject, case: _Case) -> str:
    opened = f"    <testcase{_attributes({'classname': subject.name, 'name': case.name})}"
    name = _OUTCOMES[case.result]
    if not name and not case.text:
        return f"{opened}/>\n"
    text = "\n".join(_text(line) for line in case.text.split("\n"))
    about = _attributes({"message": case.message, "type": case.kind}) if name else ""
    name = name or "system-out"
    return f"{opened}>\n      <{name}{about}>{text}</{name}>\n    </testcase>\n"


def _numbers(cases: Iterable[_Case]) -> dict[str, str]:
    found = Counter(_OUTCOMES[case.result] for case in cases)
    return {"tests": str(found.total()), "failures": str(found["failure"]), "errors": str(found["error"])}


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(f" {name}={quoteattr(without_noncharacters(printable(value)))}" for name, value in values.items())


def _text(text: str) -> str:
    return escape(without_noncharacters(printable(text)))

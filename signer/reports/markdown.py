"""Render a report as Markdown, such as for a job summary of GitHub: the verdicts as a table, then the problems."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from signer.numbers import counted
from signer.reports.escape import printable
from signer.reports.links import page_of
from signer.reports.model import Finding, Report, Result, Subject

_MARKS: Mapping[Result, str] = {
    "accepted": "✅ accepted",
    "rejected": "❌ rejected",
    "unknown": "❔ unknown",
    "not-applicable": "⚪ not applicable",
    "failed": "💥 failed",
}
MAX_ROWS = 500
"""Maximum number of subjects, of rows of targets, and of problems: GitHub refuses summaries above 1 MiB."""
_MAX_TEXT = 500
_SPECIAL = re.compile(r"[\\`*_\[\]|~]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "<span>$</span>"}
"""Characters of HTML, and the dollar sign, which begins a formula on GitHub."""

_TRANSLATION = str.maketrans(_ENTITIES)


def render(report: Report) -> Iterator[str]:
    """Yield the page in pieces."""
    yield f"## drvsign {_text(report.command)}\n\n{_text(report.summary)}.\n"
    yield from _verdicts(report)
    yield from _targets(report)
    yield from _problems(report)


def _verdicts(report: Report) -> Iterator[str]:
    if not len(report.subjects):
        return
    yield "\n| | File | Errors | Warnings |\n|---|---|---:|---:|\n"
    for one in islice(report.subjects, MAX_ROWS):
        errors = sum(finding.level == "error" for finding in one.findings)
        cells = (_MARKS[one.result], _text(one.name), str(errors), str(len(one.problems) - errors))
        yield f"| {' | '.join(cells)} |\n"
    yield _left_out(len(report.subjects), "file")


def _targets(report: Report) -> Iterator[str]:
    """Yield the targets of each subject, unless each has only one."""
    rows = [(one, check) for one in report.subjects if len(one.checks) > 1 for check in one.checks]
    shown: Subject | None = None
    for subject, check in rows[:MAX_ROWS]:
        if subject is not shown:
            yield f"\n### {_text(subject.name)}\n\n| Releases | Verdict | Rule | Why |\n|---|---|---|---|\n"
            shown = subject
        cells = (_text(check.label), _MARKS[check.result], _text(check.rule), _text(check.reason))
        yield f"| {' | '.join(cells)} |\n"
    yield _left_out(len(rows), "row")


def _problems(report: Report) -> Iterator[str]:
    count = report.counts["error"] + report.counts["warning"]
    if count:
        yield "\n### Problems\n\n"
    for finding in islice(report.problems(), MAX_ROWS):
        yield _problem(report, finding)
    yield _left_out(count, "problem")


def _problem(report: Report, finding: Finding) -> str:
    page = page_of(finding.source)
    code = f"[{_text(finding.code)}]({page})" if page else _text(finding.code)
    place, where = report.place(finding), f" ({_text(finding.where)})" if finding.where else ""
    head = f"- **{finding.level}** {code}{f' in {_text(place)}' if place else ''}: {_text(finding.message)}{where}\n"
    return f"{head}  Fix: {_text(finding.fix)}\n" if finding.fix else head


def _left_out(count: int, noun: str) -> str:
    return f"\n{counted(count - MAX_ROWS, f'more {noun}')}.\n" if count > MAX_ROWS else ""


def _text(text: str) -> str:
    """Return text on one line, of a limited length, without effect on the page."""
    shown = printable(text)
    shown = shown if len(shown) <= _MAX_TEXT else f"{shown[:_MAX_TEXT]}…"
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", shown.translate(_TRANSLATION))

"""Render a report in GitLab's Code Quality format: a list of problems, which a merge request shows.

Source: GitLab documentation, ci/testing/code_quality, "Code Quality report format". A fingerprint is unique in the
report, and a path is relative to the repository.
"""

from __future__ import annotations

from collections.abc import Iterator

from signer.reports.escape import printable
from signer.reports.json_pieces import json_text
from signer.reports.model import Finding, Level, Report

_SEVERITIES: dict[Level, str] = {"error": "major", "warning": "minor", "note": "info"}


def render(report: Report) -> Iterator[str]:
    """Yield the list in pieces."""
    yield "["
    for number, (finding, fingerprint) in enumerate(report.identified()):
        yield (",\n" if number else "\n") + json_text(_issue(report, finding, fingerprint))
    yield "\n]\n"


def _issue(report: Report, finding: Finding, fingerprint: str) -> dict[str, object]:
    """Return one problem. GitLab requires a path and a line."""
    where = f" ({finding.where})" if finding.where else ""
    text = f"{finding.message}{where}. {finding.fix}" if finding.fix else f"{finding.message}{where}"
    path = report.places.relative(finding.file) if finding.file is not None else "."
    return {
        "description": printable(text),
        "check_name": printable(finding.code),
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[finding.level],
        "location": {"path": printable(path), "lines": {"begin": finding.line or 1}},
    }

"""Render a report as workflow commands, which GitHub Actions shows as annotations at files and lines.

GitHub shows the first 10 errors and the first 10 warnings of a step, so errors come first. In a command, `%`, CR and LF
are escaped, in a property also `:` and `,` (actions/toolkit, packages/core/src/command.ts).
"""

from __future__ import annotations

from collections.abc import Iterator

from signer.reports.escape import printable
from signer.reports.model import Finding, Report


def render(report: Report) -> Iterator[str]:
    """Yield a command for each problem, errors first."""
    for are_errors in (True, False):
        for finding in report.problems():
            if (finding.level == "error") is are_errors:
                yield _command(report, finding)


def _command(report: Report, finding: Finding) -> str:
    properties = {"title": f"drvsign {report.command}: {finding.code}"}
    if finding.file is not None:
        properties["file"] = report.places.relative(finding.file)
    if finding.line is not None:
        properties["line"] = str(finding.line)
    where = f" ({finding.where})" if finding.where else ""
    message = "\n".join(map(printable, filter(None, (f"{finding.message}{where}", finding.fix))))
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{finding.level} {listed}::{_data(message)}\n"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text)).replace(":", "%3A").replace(",", "%2C")

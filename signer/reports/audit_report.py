"""Turn an audit into the model of reports: a subject for each driver that does not load."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import PurePath, PureWindowsPath

from signer.audit.rows import Answer, Row
from signer.reports.model import Finding, Level, Report, Result, Rule, Subject, titled

_RESULTS: dict[Answer, Result] = {
    "stops": "rejected",
    "stops-unless-allowed": "unknown",
    "already-refused": "rejected",
    "unknown": "unknown",
    "needs-file": "failed",
    "loads": "accepted",
    "not-for-target": "not-applicable",
    "not-a-driver": "not-applicable",
}
_LEVELS: dict[Answer, Level] = {
    "stops": "error",
    "stops-unless-allowed": "error",
    "already-refused": "note",
    "unknown": "warning",
    "needs-file": "warning",
}


def audit_report(rows: Iterable[Row], exit_code: int) -> Report:
    """Return the report of an audit. Drivers that did not load before are notes: nothing changes for them."""
    subjects, rules = [], {}
    for row in rows:
        level = _LEVELS.get(row.reason.answer)
        findings: tuple[Finding, ...] = ()
        if level is not None:
            reason, code = row.reason, row.reason.rule or row.reason.answer
            file = _path(row.file)
            findings = (Finding(code, level, _message(row), file, fix=reason.remedy or None, source=reason.source),)
            rules[code] = Rule(code, _statement(code) or titled(code), reason.remedy, reason.source, level)
        subjects.append(Subject(row.file, "driver", _RESULTS[row.reason.answer], findings))
    return Report("audit", tuple(subjects), rules, exit_code)


def _path(text: str) -> PurePath:
    """Return the path of a file of this system, or of Windows, as logs and inventories have it."""
    return PureWindowsPath(text) if "\\" in text and "/" not in text else PurePath(text)


@cache
def _statement(code: str) -> str:
    """Return the requirement of the rule whose findings have a code that is, or begins with, its name; or nothing."""
    from signer.policy.judge import policy

    named = [one for one in policy("kernel").rules() if f"{code}-".startswith(f"{one.name}-")]
    return max(named, key=lambda one: len(one.name)).statement if named else ""


def _message(row: Row) -> str:
    name, reason = _path(row.file).name, row.reason
    since = f", from {reason.date} on" if reason.date else ""
    machines = f" ({len(row.machines)} machines)" if len(row.machines) > 1 else ""
    words = {
        "stops": f"{name} stops loading: {reason.policy}{since}",
        "stops-unless-allowed": f"{name} stops loading unless the allow list names it: {reason.policy}{since}",
        "already-refused": f"{name} did not load before: {reason.rule}",
        "unknown": f"no public source decides whether {name} loads: {reason.rule}",
        "needs-file": f"{name} needs a readable file",
    }
    return f"{words[reason.answer]}{machines}"

"""Turn an audit into the model of reports: a subject for each driver that does not load."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import PurePath, PureWindowsPath
from typing import Protocol

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


class Rows(Protocol):
    """The rows of an audit, which are iterated several times: a sequence, or the ledger."""

    def __len__(self) -> int:
        """Return the number of the rows."""

    def __iter__(self) -> Iterator[Row]:
        """Return an iterator from the first row."""


def audit_report(rows: Rows, exit_code: int) -> Report:
    """Return the report of an audit. Drivers that did not load before are notes: nothing changes for them.

    Its subjects are made from the rows whenever they are read, so that memory does not grow with their number.
    """
    rules = {}
    for row in rows:
        level = _LEVELS.get(row.reason.answer)
        if level is not None:
            code = _code(row)
            rules[code] = Rule(code, _statement(code) or titled(code), row.reason.remedy, row.reason.source, level)
    return Report("audit", _Drivers(rows), rules, exit_code)


class _Drivers:
    """The subject of each row."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Subject]:
        for row in self._rows:
            yield Subject(row.file, "driver", _RESULTS[row.reason.answer], tuple(_findings(row)))


def _findings(row: Row) -> Iterator[Finding]:
    level, reason = _LEVELS.get(row.reason.answer), row.reason
    if level is not None:
        file = _path(row.file)
        yield Finding(_code(row), level, _message(row), file, fix=reason.remedy or None, source=reason.source)


def _code(row: Row) -> str:
    return row.reason.rule or row.reason.answer


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

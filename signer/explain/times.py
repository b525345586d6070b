"""Bring the times of logs into one form that can be sorted as text."""

from __future__ import annotations

import re

_MARKS = dict.fromkeys(
    map(ord, "\N{LEFT-TO-RIGHT MARK}\N{RIGHT-TO-LEFT MARK}\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"), " "
)
"""Characters that Event Viewer and newer releases of Windows write into dates."""
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>\.\d{1,9})?)?(?:\s*(?P<half>[ap])\.?\s?m\b)?"
)
_YEAR_FIRST = re.compile(
    rf"(?P<year>\d{{4}})\W(?P<month>\d{{1,2}})\W(?P<day>\d{{1,2}})(?:T|\s+|\Z)(?:{_CLOCK})?", re.IGNORECASE
)
_YEAR_LAST = re.compile(
    rf"(?P<first>\d{{1,2}})[/.\-](?P<second_>\d{{1,2}})[/.\-](?P<year>\d{{4}}),?\s+{_CLOCK}", re.IGNORECASE
)
_MAX_LENGTH = 64


def sortable(text: str) -> str:
    """Return a time as "2026-09-02T18:23:41.000"; empty if it can't be read. Time zones are left out.

    Of "2/9/2026", a number above 12 is the day; otherwise the month comes first if the time has AM or PM, as in the
    format of the United States.
    """
    text = " ".join(text[:_MAX_LENGTH].translate(_MARKS).split())
    if " " in text:
        text = re.sub(r" ?([/.\-]) ?", r"\1", text)
    found = _YEAR_FIRST.match(text)
    if found is not None:
        return _joined(found, found["month"], found["day"])
    found = _YEAR_LAST.match(text)
    if found is None:
        return ""
    first, second = found["first"], found["second_"]
    day_first = int(first) > 12 or (int(second) <= 12 and "/" not in text) or (int(second) <= 12 and not found["half"])
    return _joined(found, second, first) if day_first else _joined(found, first, second)


def _joined(found: re.Match[str], month: str, day: str) -> str:
    hour = int(found["hour"] or 0)
    if found["half"]:
        hour = hour % 12 + (12 if found["half"].lower() == "p" else 0)
    clock = f"{hour:02}:{found['minute'] or '00'}:{found['second'] or '00'}{found['fraction'] or ''}"
    return f"{found['year']}-{int(month):02}-{int(day):02}T{clock}"

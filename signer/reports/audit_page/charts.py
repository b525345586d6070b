"""Draw charts as lists of links with a bar each: HTML for the text, which wraps, and SVG for the bars.

data/audit/charts.js draws the same elements when a filter changes; a test compares the two.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from signer.audit.rows import ANSWERS, Answer
from signer.records import dataclass
from signer.reports.audit_page.facets import FACETS, LABELS, Tally
from signer.reports.audit_page.markup import link_to, number, text_of

_BARS = 8
"""Number of values of a chart; the filter of the table has all."""
_YEAR = re.compile(r"(?:199|20\d)\d", re.ASCII)
"""Years of certificates that sign code: 1990 to 2099."""
Counted = Sequence[tuple[str, Counter[Answer]]]


@dataclass(frozen=True, slots=True)
class Chart:
    """A facet that is drawn, as horizontal bars or as columns along a time."""

    facet: str
    is_time: bool = False


CHARTS = (
    Chart("when"),
    Chart("year", is_time=True),
    Chart("month", is_time=True),
    Chart("publisher"),
    Chart("device"),
    Chart("machine"),
)
"""The month's chart is shown for one year only, which is chosen in the year's chart."""


def charts(found: Tally) -> str:
    """Return all charts; those without a value are hidden."""
    return "".join(_chart(one, found.counted(one.facet) if one.facet != "month" else []) for one in CHARTS)


def _chart(chart: Chart, counted: Counted) -> str:
    hidden = "" if counted else " hidden"
    items = _columns(chart.facet, counted) if chart.is_time else _bars(chart.facet, counted)
    more = len(counted) - _BARS if not chart.is_time else 0
    rest = f"and {number(more)} more" if more > 0 else ""
    return (
        f'<section class="chart{" time" if chart.is_time else ""}" id="chart-{chart.facet}"{hidden}>'
        f'<h3>By {FACETS[chart.facet]}</h3><ul class="{"columns" if chart.is_time else "bars"}">{items}</ul>'
        f'<p class="muted more">{rest}</p></section>\n'
    )


def _bars(facet: str, counted: Counted) -> str:
    largest = max((numbers.total() for _, numbers in counted), default=1)
    return "".join(
        f"<li>{_link(facet, value, numbers)}<bdi>{text_of(value)}</bdi>"
        f'<svg viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">{_across(numbers, largest)}</svg>'
        f"<b>{number(numbers.total())}</b></a></li>"
        for value, numbers in counted[:_BARS]
    )


def _columns(facet: str, counted: Counted) -> str:
    """Draw a column for each year from the first to the last."""
    by_value = dict(counted)
    largest = max((numbers.total() for numbers in by_value.values()), default=1)
    items = []
    for value in _years(by_value):
        numbers = by_value.get(value, Counter())
        total = number(numbers.total()) if numbers else ""
        bars = _up(numbers, largest)
        items.append(
            f"<li>{_link(facet, value, numbers)}<b>{total}</b>"
            f'<svg viewBox="0 0 10 1000" preserveAspectRatio="none" aria-hidden="true">{bars}</svg>'
            f"<bdi>{text_of(value)}</bdi></a></li>"
        )
    return "".join(items)


def _years(found: dict[str, Counter[Answer]]) -> list[str]:
    """Return the years from the first to the last; other values have no column."""
    years = [int(one) for one in found if _YEAR.fullmatch(one)]
    return [str(one) for one in range(min(years), max(years) + 1)] if years else []


def _link(facet: str, value: str, numbers: Counter[Answer]) -> str:
    words = "; ".join(f"{LABELS[one]}: {number(numbers[one])}" for one in ANSWERS if numbers[one])
    title = f"{text_of(value)}{': ' if words else ''}{words}"
    return f'<a href="{text_of(link_to(facet, value))}" data-value="{text_of(value)}" title="{title}">'


def _across(numbers: Counter[Answer], largest: int) -> str:
    return "".join(
        f'<rect class="{answer}" x="{start}" y="0" width="{length}" height="10"></rect>'
        for answer, start, length in _segments(numbers, largest)
    )


def _up(numbers: Counter[Answer], largest: int) -> str:
    return "".join(
        f'<rect class="{answer}" x="0" y="{1000 - start - length}" width="10" height="{length}"></rect>'
        for answer, start, length in _segments(numbers, largest)
    )


def _segments(numbers: Counter[Answer], largest: int) -> list[tuple[Answer, int, int]]:
    """Return answer, start and length of each part of a bar, in thousandths of the largest bar."""
    found, before = [], 0
    for answer in ANSWERS:
        if numbers[answer]:
            start, before = before, before + numbers[answer]
            found.append((answer, start * 1000 // largest, before * 1000 // largest - start * 1000 // largest))
    return found


def share_of_answers(found: Tally) -> str:
    """Draw one bar of all files by answer."""
    bar = _across(found.answers, max(1, found.answers.total()))
    return f'<svg class="share" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">{bar}</svg>\n'

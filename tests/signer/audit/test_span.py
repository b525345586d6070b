"""`signer.audit.span`: an answer is the same between two moments, and at a moment it may be that of either side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from signer.audit.span import ALWAYS, Span, moment

MAY, JUNE, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))
INSTANT = timedelta(microseconds=1)
BETWEEN = {
    "between two moments": (JUNE, [MAY, JULY], MAY + INSTANT, JULY - INSTANT),
    "the nearest moments count": (JUNE, [MAY, MAY - INSTANT, JULY, JULY + INSTANT], MAY + INSTANT, JULY - INSTANT),
    "at a moment": (JUNE, [MAY, JUNE, JULY], JUNE, JUNE),
    "just before a moment": (JUNE - INSTANT, [MAY, JUNE], MAY + INSTANT, JUNE - INSTANT),
    "just behind a moment": (JUNE + INSTANT, [JUNE, JULY], JUNE + INSTANT, JULY - INSTANT),
}


@pytest.mark.parametrize(("at", "moments", "since", "until"), BETWEEN.values(), ids=BETWEEN.keys())
def test_a_span_ends_before_the_next_moment(
    at: datetime, moments: list[datetime], since: datetime, until: datetime
) -> None:
    assert Span.around(at, moments) == Span(moment(since), moment(until))


def test_a_span_has_no_end_without_a_moment() -> None:
    assert Span.around(JUNE, []).until > moment(datetime.max.replace(tzinfo=UTC))
    assert Span.around(JUNE, []).since < moment(datetime.min.replace(tzinfo=UTC))


def test_several_answers_stay_the_same_in_what_their_spans_share() -> None:
    first, second = Span(moment(MAY), moment(JULY)), Span(moment(JUNE), moment(JULY + INSTANT))
    assert first & second == second & first == Span(moment(JUNE), moment(JULY))
    assert first & ALWAYS == first

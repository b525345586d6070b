"""Say the answer of an audit in words that the text, the page and the reports share."""

from __future__ import annotations

from collections import Counter

from signer.audit.rows import Answer

_NO_DRIVER: tuple[Answer, ...] = ("not-for-target", "not-a-driver")
"""The answers for files that the target's kernel never loads."""


def drivers(counts: Counter[Answer]) -> int:
    """Return the number of distinct drivers; files that the target's kernel never loads are not counted."""
    return counts.total() - sum(counts[one] for one in _NO_DRIVER)


def without_answer(counts: Counter[Answer]) -> int:
    """Return the number of drivers whose answer is `unknown` or `needs-file`."""
    return counts["unknown"] + counts["needs-file"]


def headline(counts: Counter[Answer]) -> str:
    """Return how many drivers stop, in one sentence without a period."""
    stops, unless = counts["stops"], counts["stops-unless-allowed"]
    total = f"{drivers(counts):,} {'driver' if drivers(counts) == 1 else 'drivers'}"
    if stops and unless:
        return f"{stops:,} of {total} {_stop(stops)} loading, {unless:,} more unless allowed"
    if stops:
        return f"{stops:,} of {total} {_stop(stops)} loading"
    if unless:
        pronoun = "it" if unless == 1 else "them"
        return f"{unless:,} of {total} {_stop(unless)} loading unless the allow list names {pronoun}"
    if not drivers(counts):
        return "No driver was found"
    if counts["needs-file"] == drivers(counts):
        return f"No answer: {total} {'needs' if drivers(counts) == 1 else 'need'} a readable file"
    if counts["already-refused"] == drivers(counts):
        return f"No driver stops loading: {'the driver' if drivers(counts) == 1 else total} did not load before"
    left = without_answer(counts)
    none = "The driver does not stop" if drivers(counts) == 1 else f"None of {total} stops"
    return f"{none} loading{f', {left:,} without an answer' if left else ''}"


def _stop(count: int) -> str:
    return "stops" if count == 1 else "stop"

"""Times of logs sort as text, whatever their format."""

from __future__ import annotations

import pytest

from signer.explain.times import sortable


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-09-02T18:23:41.1234567Z", "2026-09-02T18:23:41.1234567"),
        ("2026/09/02 18:23:41.303", "2026-09-02T18:23:41.303"),
        ("2026-09-02", "2026-09-02T00:00:00"),
        ("9/2/2026 6:23:41 PM", "2026-09-02T18:23:41"),
        ("9/2/2026 12:05:00 AM", "2026-09-02T00:05:00"),
        ("13/2/2026 6:23:41 PM", "2026-02-13T18:23:41"),
        ("2/9/2026 18:23:41", "2026-09-02T18:23:41"),
        ("02.09.2026 18:23:41", "2026-09-02T18:23:41"),
        ("09/13/2026 18:23", "2026-09-13T18:23:00"),
        ("\u200e9\u200e/\u200e2\u200e/\u200e2026 6:23:41\u202fPM", "2026-09-02T18:23:41"),
        ("yesterday", ""),
        ("", ""),
        ("1" * 500, ""),
    ],
)
def test_time(text: str, time: str) -> None:
    assert sortable(text) == time

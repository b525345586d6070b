"""`signer.storage.seen`: each text has its own number, whatever is in it."""

from __future__ import annotations

from signer.storage.seen import Seen


def test_each_text_is_counted_by_itself() -> None:
    with Seen() as seen:
        assert [seen.count(text) for text in ("a", "b", "a", "a\0", "", "a", "\udce9", "\udce9")] == [
            *(1, 1, 2, 1, 1, 3, 1, 2),
        ]


def test_a_second_count_begins_anew() -> None:
    for _ in range(2):
        with Seen() as seen:
            assert seen.count("a") == 1

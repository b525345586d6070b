"""`signer.hashing`: the cache of answers about equal bytes."""

from __future__ import annotations

import gc
import sys

import pytest

from signer.hashing import cached_by_digest


def test_equal_inputs_are_answered_once_and_different_ones_apart() -> None:
    asked = []

    @cached_by_digest(2)
    def length(data: bytes) -> int:
        asked.append(data)
        return len(data)

    assert [length(data) for data in (b"a", b"bc", bytes(bytearray(b"bc")), b"a")] == [1, 2, 2, 1]
    assert asked == [b"a", b"bc"]


def test_the_answer_that_was_not_asked_for_longest_is_dropped() -> None:
    asked = []
    answer = cached_by_digest(2)(asked.append)
    for data in (b"a", b"b", b"a", b"c", b"a", b"b"):
        answer(data)
    assert asked == [b"a", b"b", b"c", b"b"]


def test_an_error_is_raised_each_time_and_the_next_input_is_answered() -> None:
    @cached_by_digest(2)
    def first(data: bytes) -> int:
        return data[0]

    for _ in range(2):
        with pytest.raises(IndexError):
            first(b"")
    assert first(b"\1") == 1


def test_inputs_are_not_kept() -> None:
    length = cached_by_digest(2)(len)
    data = bytes(1 << 20)
    before = sys.getrefcount(data)
    assert length(data) == 1 << 20
    gc.collect()
    assert sys.getrefcount(data) == before

"""An interrupt abandons work that waits for a server before that work changes a file; other begun work finishes."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from signer.cli.interrupts import Abandoned, deferred
from signer.cli.waiting import in_threads_waiting, waiting
from tests.support.patience import PATIENCE

WAITS = 1
"""The item whose server does not answer."""
ITEMS = range(6)


class Work:
    """Writes an item after its server has answered."""

    def __init__(self) -> None:
        self.answer = threading.Event()
        self.asked = threading.Event()
        self.ended = threading.Event()
        self.written: set[int] = set()

    def __call__(self, item: int) -> str:
        if item != WAITS:
            self.asked.wait(PATIENCE)
            self.written.add(item)
            return "done"
        try:
            with waiting():
                self.asked.set()
                self.answer.wait(PATIENCE)
            self.written.add(item)
            return "done"
        finally:
            self.ended.set()


@pytest.fixture
def work() -> Work:
    return Work()


def left(item: int) -> str:
    return "left"


def test_after_an_interrupt_every_item_has_its_true_state(work: Work) -> None:
    found = []
    with deferred():
        for result in in_threads_waiting(work, ITEMS, 2, left):
            found.append(result)
            if len(found) == 1:
                os.kill(os.getpid(), signal.SIGINT)
    work.answer.set()
    assert work.ended.wait(PATIENCE)
    assert found[WAITS] == "left"
    assert [result == "done" for result in found] == [item in work.written for item in ITEMS]


def test_an_interrupt_that_is_not_deferred_abandons_what_waits_as_well(work: Work) -> None:
    def interrupted() -> None:
        for _ in in_threads_waiting(work, ITEMS, 2, left):
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    work.answer.set()
    assert work.ended.wait(PATIENCE)
    assert WAITS not in work.written


def test_without_an_interrupt_every_item_is_done(work: Work) -> None:
    work.answer.set()
    assert list(in_threads_waiting(work, ITEMS, 2, left)) == ["done"] * len(ITEMS)


def test_a_wait_in_the_main_thread_ends_at_once() -> None:
    answered = []
    with pytest.raises(KeyboardInterrupt), deferred(), waiting():
        os.kill(os.getpid(), signal.SIGINT)
        answered.append(True)  # the signal is handled before this
    assert not answered


def test_a_wait_does_not_begin_after_an_interrupt() -> None:
    answered = []
    with pytest.raises(Abandoned), deferred():
        os.kill(os.getpid(), signal.SIGINT)
        with waiting():
            answered.append(True)
    assert not answered


def test_one_thread_begins_no_item_after_an_interrupt() -> None:
    def work(item: int) -> str:
        if item == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return "done"

    with deferred():
        assert list(in_threads_waiting(work, ITEMS, 1, left)) == ["done"] * 3 + ["left"] * 3

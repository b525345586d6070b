"""Work in threads comes back in its order, however it was handed out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from signer.cli import threads
from signer.cli.threads import in_threads, in_two_steps


@pytest.mark.parametrize("count", [0, 1, 2, 31, 1000])
@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_results_stand_in_the_order_of_the_items(count: int, jobs: int) -> None:
    items = range(count)
    assert list(in_threads(lambda item: item * item, items, jobs)) == [item * item for item in items]


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_the_first_error_in_the_order_of_the_items_is_raised(jobs: int) -> None:
    def work(item: int) -> int:
        if item >= 300:
            raise ValueError(item)
        return item

    with pytest.raises(ValueError, match=r"^300$"):
        list(in_threads(work, range(1000), jobs))


@pytest.mark.parametrize("count", [0, 1, 2, 31, 1000])
@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_two_steps_give_results_in_the_order_of_the_items(count: int, jobs: int) -> None:
    begun: list[int] = []

    def begin(item: int) -> Callable[[], tuple[int, int]]:
        begun.append(item)
        return lambda: (item * item, len(begun))

    found = list(in_two_steps(begin, range(count), jobs))
    assert [square for square, _ in found] == [item * item for item in range(count)]
    assert sorted(begun) == list(range(count))
    assert jobs > 1 or count < 2 or found[0][1] == min(256, count), "many begin before the first ends"


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_a_moment_that_is_over_before_it_begins_loses_nothing(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that is so busy that a thread has to wait for its turn."""
    monkeypatch.setattr(threads, "BATCH_SECONDS", -1)
    assert list(in_two_steps(lambda item: lambda: item, range(50), jobs)) == list(range(50))


def test_a_thread_that_is_held_up_leaves_the_rest_to_the_others() -> None:
    """No thread is given more than it can begin in a moment."""
    by: dict[int, str] = {}

    def begin(item: int) -> Callable[[], None]:
        by[item] = threading.current_thread().name
        if item == 0:
            time.sleep(0.5)
        return lambda: None

    list(in_two_steps(begin, range(600), 2))
    assert [item for item, thread in by.items() if thread == by[0]] == [0]


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("step", [1, 2])
def test_an_error_in_either_step_is_raised(jobs: int, step: int) -> None:
    def begin(item: int) -> Callable[[], int]:
        def finish() -> int:
            if item == 300 and step == 2:
                raise ValueError(item)
            return item

        if item == 300 and step == 1:
            raise ValueError(item)
        return finish

    with pytest.raises(ValueError, match=r"^300$"):
        list(in_two_steps(begin, range(1000), jobs))

"""Work in threads comes back in its order, however it was handed out."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signer.cli.options.common import readers
from signer.cli.threads import in_order, in_threads, in_threads_together, portions
from tests.support.patience import PATIENCE


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
def test_work_on_many_items_at_once_gives_results_in_the_order_of_the_items(count: int, jobs: int) -> None:
    sizes: list[int] = []

    def work(items: Sequence[int]) -> list[int]:
        sizes.append(len(items))
        return [item * item for item in items]

    assert list(in_threads_together(work, range(count), jobs)) == [item * item for item in range(count)]
    assert sum(sizes) == count
    assert max(sizes, default=0) <= 32


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_of_work_on_many_items_is_raised(jobs: int) -> None:
    def work(items: Sequence[int]) -> list[int]:
        if 300 in items:
            raise ValueError(300)
        return list(items)

    with pytest.raises(ValueError, match=r"^300$"):
        list(in_threads_together(work, range(1000), jobs))


@given(count=st.integers(0, 3000), jobs=st.integers(1, 64))
def test_portions_are_all_items_once_and_leave_work_for_every_job(count: int, jobs: int) -> None:
    found = portions(range(count), jobs)
    assert [item for portion in found for item in portion] == list(range(count))
    assert all(found)
    assert max(map(len, found), default=0) <= min(32, -(-count // jobs) or 1)


def test_an_interrupt_that_is_not_deferred_does_not_wait_for_begun_work() -> None:
    begun, end, ended = threading.Event(), threading.Event(), threading.Event()

    def work(item: int) -> int:
        if item:
            begun.set()
            end.wait(PATIENCE)
            ended.set()
        else:
            begun.wait(PATIENCE)
        return item

    def interrupted() -> None:
        for _ in in_threads(work, range(2), 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not ended.is_set()
    end.set()


def test_a_result_that_was_taken_is_not_kept() -> None:
    futures = deque(Future() for _ in range(3))
    for number, future in enumerate(futures):
        future.set_result(number)
    assert [(result, len(futures)) for result in in_order(futures)] == [(0, 3), (1, 2), (2, 1)]
    assert not futures


class Watched(Future[int]):
    """A future that is worked on, and ends when it was waited for three times."""

    waits = 0

    def exception(self, timeout: float | None = None) -> BaseException | None:
        assert timeout is not None or self.done(), "a signal just before this wait is lost until it ends"
        self.waits += 1
        if self.waits == 3:
            self.set_result(7)
        return super().exception(0 if timeout is not None else None)

    def result(self, timeout: float | None = None) -> int:
        assert self.done(), "a signal just before this wait is lost until it ends"
        return super().result(timeout)


def test_after_an_interrupt_work_that_was_begun_is_waited_for_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signer.cli.threads.requested", lambda: True)
    begun, waiting, interrupts = Watched(), Future[int](), []
    begun.set_running_or_notify_cancel()
    assert list(in_order(deque([begun, waiting]), lambda: interrupts.append(1))) == [7]
    assert (begun.waits, waiting.cancelled(), interrupts) == (3, True, [1])


@pytest.mark.parametrize(
    ("jobs", "size", "expected"),
    [(0, 1000, 1), (0, 1 << 20, 3), (5, 1000, 5), (1, 1 << 20, 1)],
    ids=["small files", "large files", "small files, as many as asked for", "large files, as many as asked for"],
)
def test_small_files_are_read_by_one_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int, size: int, expected: int
) -> None:
    """Python's lock lets several threads examine small files more slowly than one."""
    monkeypatch.setattr("os.cpu_count", lambda: 3)
    paths = [tmp_path / str(number) for number in range(8)]
    for path in paths[1:]:  # the first one does not exist yet, as an INF that a template becomes
        with path.open("wb") as file:
            file.truncate(size)
    assert readers(jobs, paths) == expected
    assert readers(jobs, []) == 1

"""Work in threads comes back in its order, however it was handed out."""

from __future__ import annotations

import pytest

from signer.cli.threads import in_threads


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

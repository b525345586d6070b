"""Mutations for libFuzzer: blind ones, and a harness's own, whose faults are kept apart from those of the reader."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tests.fuzz.finds import Finds
from tests.fuzz.harness import Harness

BLIND = 0.2
"""Share of the mutations by libFuzzer, which knows no structure but combines inputs of the corpus."""
_SEED_SIZE = 4
"""Bytes of the seed before an input that made a mutator raise: both together repeat it."""


class Mutator:
    """The function that libFuzzer calls for each mutation."""

    def __init__(
        self, harness: Harness, seeds: Sequence[bytes], blind: Callable[[bytes, int], bytes], faults: Finds
    ) -> None:
        self._harness, self._seeds, self._blind, self._faults = harness, seeds, blind, faults

    def __call__(self, data: bytes, max_size: int, seed: int) -> bytes:
        """Return another input of at most `max_size` bytes."""
        chooser = random.Random(seed)
        if chooser.random() < BLIND:
            return bytes(self._blind(data, max_size))
        if chooser.random() < self._harness.fresh:
            data = chooser.choice(self._seeds)
        for _ in range(chooser.choice((1, 1, 2, 4))):
            data = self._changed(data, chooser.randbytes(_SEED_SIZE))
        return data[:max_size]

    def _changed(self, data: bytes, seed: bytes) -> bytes:
        """Return what the harness makes of an input; the input itself if its mutator raises, which is kept."""
        try:
            return self._harness.mutate(data, random.Random(seed))
        except Exception as error:  # noqa: BLE001 - a fault of the tests, whatever it is
            self._faults.add(seed + data, error)
            return data


def repeated(harness: Harness, kept: bytes) -> bytes:
    """Change the input of a kept fault again. Raises what the mutator raises."""
    return harness.mutate(kept[_SEED_SIZE:], random.Random(kept[:_SEED_SIZE]))

"""Define a fuzzing harness: seeds, a function that reads one input, and the functions that it must reach.

`run` holds the property: it returns for every input, or raises what is a find. A reader may refuse an input only with a
SignerError, in bounded time and memory. A module in `harnesses` defines HARNESS, and INSTRUMENTED: the packages whose
coverage guides the fuzzer. Fewer packages make an execution faster.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import CodeType
from typing import Any

from tests.fuzz.mutation import mutated_bytes

MAX_SECONDS = 2.0
"""Processor time for one input, which has at most some KB."""

Mutator = Callable[[bytes, random.Random], bytes]


class TooSlow(AssertionError):
    """One input took more than `MAX_SECONDS` of processor time."""


@dataclass(frozen=True)
class Harness:
    """One target of fuzzing."""

    name: str
    run: Callable[[bytes], bool]
    """Read one input; return whether it was accepted. Raises anything but SignerError for a find."""
    seeds: Callable[[], Iterable[bytes]]
    """Valid inputs from the builders of the tests, the same in every run."""
    reaches: tuple[Callable[..., Any], ...]
    """Functions behind the first checks, which seeds and mutants must call."""
    mutate: Mutator = mutated_bytes
    """Changes an input and knows its structure."""
    extra: Callable[[], Iterable[bytes]] = tuple
    """Seeds from the corpus of real files, if it is present."""
    max_size: int = 4096
    """Size in bytes of the largest input."""
    fresh: float = 0.3
    """Share of the mutations that begin with a seed: most inputs of a corpus are refused early."""

    def timed(self, data: bytes) -> bool:
        """Run one input. Raises TooSlow, and what `run` raises."""
        start = time.process_time()
        accepted = self.run(data)
        if time.process_time() - start > MAX_SECONDS:
            raise TooSlow(f"{self.name}: an input of {len(data)} bytes took more than {MAX_SECONDS} s")
        return accepted


def code_of(function: Callable[..., Any]) -> CodeType:
    """Return the code of a function, method or cached function."""
    function = getattr(function, "__func__", function)
    function = getattr(function, "func", function)
    code = getattr(function, "__wrapped__", function).__code__
    assert isinstance(code, CodeType)
    return code

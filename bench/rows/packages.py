"""Verify a folder of 1,000 packages, copies of the corpus."""

from __future__ import annotations

from pathlib import Path

from bench import _inputs as inputs
from bench._inputs import DRVSIGN
from bench._measure import Arguments, compare
from bench._results import Result
from bench._tricks import NO_CACHED_SIGNATURES, without

_COUNT, _ROUNDS = 1000, 3


def packages(folder: Path) -> Result:
    """Verify as text, and hash the same bytes."""
    many = inputs.packages(folder / "packages", _COUNT)
    verify: Arguments = [*DRVSIGN, "verify", many]
    label, uncached = f"verify {_COUNT:,} packages as text, of", without(NO_CACHED_SIGNATURES, "verify", many)
    return Result(
        (
            compare(f"{label} hashing them", "6", verify, inputs.hashing(many), rounds=_ROUNDS),
            compare(f"{label} the same without cached signatures", "0.9", verify, uncached, rounds=_ROUNDS),
        )
    )


def packages_json(folder: Path) -> Result:
    """Verify as JSON, and hash the same bytes."""
    many = inputs.packages(folder / "packages", _COUNT)
    verify: Arguments = [*DRVSIGN, "verify", many, "--json"]
    label = f"verify {_COUNT:,} packages as JSON, of hashing them"
    return Result((compare(label, "6", verify, inputs.hashing(many), rounds=_ROUNDS),))


def packages_by_processors(folder: Path) -> Result:
    """Verify with two processors, with one, and in two calls at once."""
    many = inputs.packages(folder / "packages", _COUNT)
    verify: Arguments = [*DRVSIGN, "verify", "--jobs"]
    two, one = [*verify, "2", many], [*verify, "1", many]
    halves = inputs.in_two_calls([*verify, "1"], sorted(many.iterdir()), folder)
    label = f"verify {_COUNT:,} packages on two cores, "
    return Result(
        (
            compare(f"{label}times faster than on one", "1.8", two, one, rounds=_ROUNDS, is_speed=True),
            compare(f"{label}of two calls at once with a half each", "1.1", two, halves, rounds=_ROUNDS),
        )
    )

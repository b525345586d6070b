"""Verify the drivers of the corpus in one call: beside osslsigncode and signify, for one target and for all."""

from __future__ import annotations

from pathlib import Path

from bench import _inputs as inputs
from bench import _signify as signify
from bench._inputs import DRVSIGN
from bench._measure import Arguments, compare
from bench._results import Result
from bench._tricks import HASHED_CERTIFICATES, HEADERS_BY_PEFILE, TABLES_BY_RICH, without

_FORMS: tuple[tuple[str, Arguments], ...] = (("text", []), ("JSON", ["--json"]))
_POLICY = ("--policy", "kernel")
_TARGET = ("--target", "win11-25h2-x64")


def _verify(folder: Path) -> Arguments:
    return [*DRVSIGN, "verify", inputs.listed(folder, inputs.drivers()), *_POLICY]


def _one_target(folder: Path) -> Arguments:
    return [*_verify(folder), *_TARGET]


def verify_many(folder: Path) -> Result:
    """Verify as text and JSON, osslsigncode in a process each, and two calls at once with a half each."""
    paths = inputs.drivers()
    one, peer = _one_target(folder), inputs.each(paths, 'osslsigncode verify -in "$f"')
    label = f"verify {len(paths)} drivers as {{}}, times faster than osslsigncode"
    found = [compare(label.format(name), "15", [*one, *form], peer, rounds=5, is_speed=True) for name, form in _FORMS]
    label = f"verify {len(paths)} drivers as {{}}, of two calls at once with a half each"
    for name, form in _FORMS:
        halves = inputs.in_two_calls([*DRVSIGN, "verify", "--jobs", "1", *_POLICY, *_TARGET, *form], paths, folder)
        found.append(compare(label.format(name), "1.1", [*one, *form], halves, rounds=9))
    alone: Arguments = [*one, "--jobs", "1"]
    label = f"verify {len(paths)} drivers in one process, of the same with certificates found by their bytes"
    found.append(compare(label, "0.95", alone, without(HASHED_CERTIFICATES, *alone[len(DRVSIGN) :]), rounds=9))
    return Result(tuple(found))


def verify_beside_signify(folder: Path) -> Result:
    """Verify as text and JSON, and signify with all files in one process."""
    paths = inputs.drivers()
    one, peer = _one_target(folder), signify.command("drivers", *paths)
    label = f"verify {len(paths)} drivers as {{}}, times faster than signify"
    found = [compare(label.format(name), "15", [*one, *form], peer, rounds=3, is_speed=True) for name, form in _FORMS]
    return Result(tuple(found), notes=(signify.NOTE,))


def matrix(folder: Path) -> Result:
    """Verify for every target, and for one."""
    one, every = _one_target(folder), [*_verify(folder), "--matrix"]
    by_rich = without(TABLES_BY_RICH, *every[len(DRVSIGN) :])
    found = [
        compare(f"every target as {name}, of one target", "1.3", [*every, *form], [*one, *form], rounds=9)
        for name, form in _FORMS
    ]
    label = "every target as text, of the same with tables by rich"
    return Result((*found, compare(label, "0.9", every, by_rich, rounds=5)))


def verify_small(folder: Path) -> Result:
    """Verify 3,000 small drivers in one process, with and without pefile."""
    arguments: Arguments = ["verify", inputs.images(folder / "many", 3000), "--jobs", "1", "--quiet"]
    label = "verify 3,000 small drivers, of the same with pefile"
    other = without(HEADERS_BY_PEFILE, *arguments)
    return Result((compare(label, "0.9", [*DRVSIGN, *arguments], other, rounds=7),))

"""Merge what files, logs and inventories say about one driver to its row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from signer.audit.rows import ANSWERS, STOPPING, MachineAnswer, Reason, Row, Sighting

_OPEN = ("unknown", "needs-file")
"""The answers that an event about a driver that was loaded replaces."""


States = Mapping[str, str]
"""A name for the state of each machine, equal for machines in the same state. The machine "" is any other one."""


def is_found(sightings: Iterable[Sighting]) -> bool:
    """Return whether a place, a log or an inventory has the driver."""
    return any(one.reason.origin != "elsewhere" for one in sightings)


def merged(found: Sequence[Sighting], states: States) -> Row:
    """Merge the sightings of one driver, in the order of their paths, to the worst answer of all machines."""
    sightings = [one for one in found if one.reason.origin != "elsewhere"]
    machines = _by_machine(sightings)
    files = [one for one in sightings if one.reason.origin == "file"]
    elsewhere = _by_state(found, states)
    answers = sorted(
        (MachineAnswer(name, _reason(group, elsewhere.get(_state(name, states)))) for name, group in machines.items()),
        key=lambda one: (ANSWERS.index(one.reason.answer), one.machine),
    )
    worst = answers[0]
    shown = _shown(machines[worst.machine], worst.reason)
    known = next((one for one in (shown, *files, *sightings) if one.identity.signature_class), shown)
    return Row(
        shown.path,
        tuple(dict.fromkeys(one.path for one in files or sightings)),
        next((one.authentihash for one in sightings if one.authentihash), ""),
        worst.reason,
        known.identity,
        tuple(dict.fromkeys(package for one in sightings for package in one.packages)),
        tuple(sorted({one.machine for one in sightings if one.machine})),
        tuple(answers),
        tuple(dict.fromkeys(event for one in sightings for event in one.events)),
        bool(files),
        tuple(dict.fromkeys(name for one in sightings for name in one.devices)),
    )


def _by_state(found: Iterable[Sighting], states: States) -> dict[str, Reason]:
    """Return the best answer for all files, wherever they are, by the state of the machine they were judged with."""
    reasons: dict[str, list[Reason]] = {}
    for one in found:
        if one.reason.origin in ("file", "elsewhere"):
            reasons.setdefault(_state(one.machine, states), []).append(one.reason)
    best = {state: _best(each) for state, each in reasons.items()}
    return {state: replace(one, origin="file") for state, one in best.items() if one is not None}


def _state(machine: str, states: States) -> str:
    return states.get(machine, states.get("", ""))


def _by_machine(sightings: Iterable[Sighting]) -> dict[str, list[Sighting]]:
    """Return the sightings by machine. A log of any machine counts for files of a place without a machine."""
    files = {one.machine for one in sightings if one.reason.origin == "file"}
    found: dict[str, list[Sighting]] = {}
    for one in sightings:
        unnamed = one.reason.origin == "log" and one.machine not in files and "" in files
        found.setdefault("" if unnamed else one.machine, []).append(one)
    return found


def _reason(group: Sequence[Sighting], elsewhere: Reason | None) -> Reason:
    """Return the answer on one machine: that of its files, unless a log says more.

    An inventory has no file: unless it decides itself, equal files elsewhere answer for it, judged with its state.
    """
    here = [one.reason for one in group if one.reason.origin == "file"]
    listed = [one.reason for one in group if one.reason.origin == "inventory"]
    logged = [one.reason for one in group if one.reason.origin == "log"]
    decided = [one for one in listed if one.answer != "needs-file"]
    found = _best(here) or _worst(decided) or elsewhere or _worst(listed)
    event = _worst(logged)
    if event is None or (found is not None and event.answer not in STOPPING and found.answer not in _OPEN):
        assert found is not None  # a group has a sighting
        return found
    return event


def _best(reasons: Iterable[Reason]) -> Reason | None:
    """Return the best of several answers for equal files.

    Windows finds a catalog by the digest, so the signature beside one copy serves all copies.
    """
    return max(reasons, key=lambda one: ANSWERS.index(one.answer), default=None)


def _worst(reasons: Iterable[Reason]) -> Reason | None:
    """Return the worst of several answers; of equal ones the newest, so that a block counts more than its warning."""
    return max(reasons, key=lambda one: (-ANSWERS.index(one.answer), one.date), default=None)


def _shown(group: Sequence[Sighting], reason: Reason) -> Sighting:
    """Return the sighting that gives the driver its name: a file with the answer, else any file, else any sighting."""
    files = [one for one in group if one.reason.origin == "file"]
    return next((one for one in (*files, *group) if one.reason == reason), (*files, *group)[0])

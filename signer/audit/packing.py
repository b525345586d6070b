"""Write sightings and rows as text, which databases keep, and read them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import Any

from signer.audit.rows import ANSWERS, Identity, LoggedEvent, MachineAnswer, PackageUse, Reason, Row, Sighting


def packed(one: Sighting) -> str:
    """Return a sighting as text, which `unpacked` reads."""
    return json.dumps(
        [
            *(one.path, one.authentihash, one.machine, one.links, _packages(one.packages), _events(one.events)),
            *(one.devices, _reason(one.reason), _identity(one.identity)),
        ]
    )


def unpacked(text: str) -> Sighting:
    """Return the sighting that `packed` wrote."""
    path, digest, machine, links, packages, events, devices, reason, identity = json.loads(text)
    return Sighting(
        path,
        digest,
        Reason(*reason),
        Identity(*identity),
        _read_packages(packages),
        machine,
        tuple(links),
        tuple(LoggedEvent(*event) for event in events),
        tuple(devices),
    )


def require_sound(one: Sighting) -> Sighting:
    """Return a sighting from a database that another program may have changed. Raises ValueError."""
    packages = [(*_package(use), *use.hardware_ids) for use in one.packages]
    events = [_events([event])[0][1:] for event in one.events]
    plain = (one.path, one.authentihash, one.machine, *one.links, *one.devices)
    texts = chain(plain, _reason(one.reason), _identity(one.identity), *packages, *events)
    if set(map(type, texts)) != {str} or one.reason.answer not in ANSWERS:
        raise ValueError(one)
    if any(type(event.id) is not int for event in one.events):
        raise ValueError(one.events)
    return one


def packed_row(row: Row) -> str:
    """Return a row as text, which `unpacked_row` reads.

    Many machines have few different reasons, and many packages few different lists of hardware IDs: each is there once.
    """
    reasons = {one.reason: number for number, one in enumerate(row.answers)}
    answers = [(one.machine, reasons[one.reason]) for one in row.answers]
    known = {number: _reason(reason) for reason, number in reasons.items()}
    ids = {one.hardware_ids: number for number, one in enumerate(row.packages)}
    packages = [(*_package(one), ids[one.hardware_ids]) for one in row.packages]
    lists = {number: one for one, number in ids.items()}
    return json.dumps(
        [
            *(row.file, row.paths, row.authentihash, row.machines, row.present, row.devices, known, answers),
            *(lists, packages, _events(row.events), _reason(row.reason), _identity(row.identity)),
        ]
    )


def unpacked_row(text: str) -> Row:
    """Return the row that `packed_row` wrote."""
    file, paths, digest, machines, present, devices, known, answers, *others = json.loads(text)
    lists, packages, events, reason, identity = others
    ids = {int(number): tuple(one) for number, one in lists.items()}
    reasons = {int(number): Reason(*one) for number, one in known.items()}
    return Row(
        file,
        tuple(paths),
        digest,
        Reason(*reason),
        Identity(*identity),
        tuple(PackageUse(inf, name, ids[number], *rest) for inf, name, *rest, number in packages),
        tuple(machines),
        tuple(MachineAnswer(machine, reasons[number]) for machine, number in answers),
        tuple(LoggedEvent(*event) for event in events),
        present,
        tuple(devices),
    )


def _packages(found: Iterable[PackageUse]) -> list[tuple[Any, ...]]:
    return [(*_package(use), use.hardware_ids) for use in found]


def _package(use: PackageUse) -> tuple[str, ...]:
    """Return the values of a package besides its hardware IDs."""
    return use.inf, use.device_class, use.version, use.date, use.published


def _read_packages(found: Iterable[Any]) -> tuple[PackageUse, ...]:
    return tuple(PackageUse(inf, name, _shared(tuple(ids)), *rest) for inf, name, *rest, ids in found)


@lru_cache(maxsize=64)
def _shared(ids: tuple[str, ...]) -> tuple[str, ...]:
    """Return the hardware IDs that were read before if they are equal: a driver can be in thousands of packages."""
    return ids


def _events(found: Iterable[LoggedEvent]) -> list[tuple[Any, ...]]:
    return [(event.id, event.time, event.policy, event.policy_name, event.log, event.machine) for event in found]


def _reason(one: Reason) -> tuple[str, ...]:
    return one.answer, one.policy, one.date, one.rule, one.source, one.remedy, one.origin


def _identity(one: Identity) -> tuple[str, ...]:
    return one.version, one.publisher, one.submitter, one.signature_class, one.issued

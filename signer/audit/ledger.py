"""Collect sightings on disk, and read the rows of distinct drivers in the order of their answers.

A temporary SQLite database, so that memory does not grow with the number of files. The order of the rows depends only
on what was found, not on the order in which it was added.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import groupby
from pathlib import PurePath

from signer.audit.rows import ANSWERS, Answer, Identity, PackageUse, Reason, Row, Sighting, merged

_SCHEMA = "CREATE TABLE sighting (key TEXT, rank INT, name TEXT, path TEXT, machine TEXT, body TEXT)"
_ORDER = """
SELECT found.key, found.body FROM sighting AS found
JOIN (SELECT key, max(rank) AS rank, min(name) AS name FROM sighting GROUP BY key) AS driver USING (key)
ORDER BY driver.rank, driver.name, found.key, found.path, found.machine
"""


class Ledger:
    """All sightings of an audit. Use it as a context manager: it deletes its database at the end."""

    def __init__(self) -> None:
        # An empty name: a temporary database on disk, which SQLite deletes when it is closed or the process ends.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute(_SCHEMA)

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, sightings: Iterable[Sighting]) -> None:
        """Add sightings in any order."""
        rows = [
            (one.key, ANSWERS.index(one.reason.answer), _name(one), one.path, one.machine, packed(one))
            for one in sightings
        ]
        self._database.executemany("INSERT INTO sighting VALUES (?, ?, ?, ?, ?, ?)", rows)

    def rows(self) -> Iterator[Row]:
        """Yield the row of each distinct driver: by answer, then by file name and digest."""
        with closing(self._database.execute(_ORDER)) as found:
            for _, group in groupby(found, lambda one: one[0]):
                yield merged([unpacked(body) for _, body in group])

    def counts(self) -> Counter[Answer]:
        """Return the number of distinct drivers with each answer."""
        query = "SELECT rank, count(*) FROM (SELECT max(rank) AS rank FROM sighting GROUP BY key) GROUP BY rank"
        return Counter({ANSWERS[rank]: count for rank, count in self._database.execute(query)})


def packed(one: Sighting) -> str:
    """Return a sighting as text, which `unpacked` reads."""
    packages = [(use.inf, use.device_class, use.hardware_ids) for use in one.packages]
    reason, who = one.reason, one.identity
    return json.dumps(
        [
            *(one.path, one.authentihash, one.machine, packages),
            (reason.answer, reason.policy, reason.date, reason.rule, reason.source, reason.remedy),
            (who.version, who.publisher, who.submitter, who.signature_class, who.issued),
        ]
    )


def unpacked(text: str) -> Sighting:
    """Return the sighting that `packed` wrote."""
    path, digest, machine, packages, reason, identity = json.loads(text)
    uses = tuple(PackageUse(inf, name, tuple(ids)) for inf, name, ids in packages)
    return Sighting(path, digest, Reason(*reason), Identity(*identity), uses, machine)


def _name(one: Sighting) -> str:
    return PurePath(one.path).name.lower()

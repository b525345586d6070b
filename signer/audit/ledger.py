"""Collect sightings on disk, and read the rows of distinct drivers in the order of their answers.

A temporary SQLite database, so that memory does not grow with the number of files. The order of the rows depends only
on what was found, not on the order in which it was added.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import groupby, islice

from signer.audit.merge import States, is_found, merged
from signer.audit.packing import packed, packed_row, unpacked, unpacked_row
from signer.audit.rows import ANSWERS, Answer, Row, Sighting

_SCHEMA = (
    "PRAGMA journal_mode = OFF",  # after a failure, the database is not read
    "CREATE TABLE sighting (key TEXT, path TEXT, machine TEXT, origin TEXT, body TEXT)",
    "CREATE TABLE wanted (link TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE link (link TEXT, key TEXT, PRIMARY KEY (link, key)) WITHOUT ROWID",
    "CREATE TABLE driver (rank INT, cause TEXT, machines INT, name TEXT, key TEXT, body TEXT)",
)
_BY_KEY = "SELECT key, body FROM sighting ORDER BY key, path, machine, body"
_BY_ANSWER = "SELECT body FROM driver WHERE rank IN ({}) ORDER BY rank, cause, machines DESC, name, key"
_OTHERS = (
    "SELECT rowid, body FROM sighting WHERE origin IN ('log', 'inventory') AND rowid > ? AND rowid <= ? "
    "ORDER BY rowid LIMIT ?"
)
_ADD = "INSERT INTO sighting VALUES (?, ?, ?, ?, ?)"
_PORTION = 1000


class Ledger:
    """All sightings of an audit. Use it as a context manager: it deletes its database at the end."""

    def __init__(self, states: States | None = None) -> None:
        """Open an empty database. Without `states` all machines are in one state."""
        self._states = states or {}
        # An empty name: a temporary database on disk, which SQLite deletes when it is closed or the process ends.
        self._database = sqlite3.connect("", isolation_level=None)
        for statement in _SCHEMA:
            self._database.execute(statement)
        self._is_settled = False
        self._has_files_alone = True

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def __len__(self) -> int:
        """Return the number of distinct drivers."""
        return self.counts().total()

    def __iter__(self) -> Iterator[Row]:
        """Return an iterator of all rows."""
        return self.rows()

    def add(self, sightings: Iterable[Sighting]) -> None:
        """Add sightings in any order."""
        found = iter(sightings)
        self._is_settled = False
        while rows := [_row(one.key, one) for one in islice(found, _PORTION)]:
            self._database.executemany(_ADD, rows)
            self._has_files_alone &= all(origin == "file" for _, _, _, origin, _ in rows)

    def rows(self, answers: Collection[Answer] = ANSWERS) -> Iterator[Row]:
        """Yield the row of each distinct driver with one of the answers.

        They are in the order of `ANSWERS`, then by policy, date and remedy, the number of machines, name and digest.
        """
        self._settle()
        ranks = ", ".join(str(ANSWERS.index(answer)) for answer in answers)
        with closing(self._database.execute(_BY_ANSWER.format(ranks))) as found:
            for (body,) in found:
                yield unpacked_row(body)

    def counts(self) -> Counter[Answer]:
        """Return the number of distinct drivers with each answer."""
        self._settle()
        query = "SELECT rank, count(*) FROM driver GROUP BY rank"
        return Counter({ANSWERS[rank]: count for rank, count in self._database.execute(query)})

    def _settle(self) -> None:
        """Join events and inventories with files, and make the row of each driver."""
        if self._is_settled:
            return
        self._database.execute("BEGIN")
        self._database.execute("DELETE FROM driver")
        if not self._has_files_alone:
            self._join()
        with closing(self._database.execute(_BY_KEY)) as found:
            drivers = ((key, [unpacked(body) for _, body in same]) for key, same in groupby(found, lambda one: one[0]))
            rows = (_driver(key, merged(same, self._states)) for key, same in drivers if is_found(same))
            while some := list(islice(rows, _PORTION)):
                self._database.executemany("INSERT INTO driver VALUES (?, ?, ?, ?, ?, ?)", some)
        self._database.execute("COMMIT")
        self._is_settled = True

    def _join(self) -> None:
        """Give what events and inventories say the key of the driver that one of its links names.

        An INF can install several drivers: what is said about it is said about each.
        """
        last = self._database.execute("SELECT max(rowid) FROM sighting").fetchone()[0]
        for _, one in self._others(last):
            links = ((_utf8(link),) for link in (one.authentihash, *one.links))
            self._database.executemany("INSERT OR IGNORE INTO wanted VALUES (?)", links)
        for key, one in self._with_digest():
            names = map(_utf8, (key, *one.links))
            wanted = [(name, key) for name in names if self._is_wanted(name)]
            self._database.executemany("INSERT OR IGNORE INTO link VALUES (?, ?)", wanted)
        for number, one in self._others(last):
            keys = self._keys_of(one)
            if keys:
                self._database.execute("DELETE FROM sighting WHERE rowid = ?", (number,))
                self._database.executemany(_ADD, [_row(key, one) for key in keys])

    def _others(self, last: int) -> Iterator[tuple[int, Sighting]]:
        """Yield what events and inventories say, up to the row `last`, portion by portion: a caller may change rows."""
        number = 0
        while found := self._database.execute(_OTHERS, (number, last, _PORTION)).fetchall():
            for number, body in found:
                yield number, unpacked(body)

    def _with_digest(self) -> Iterator[tuple[str, Sighting]]:
        """Yield the files whose digest is known with their keys, then events with a digest that no file has."""
        for condition in ("origin = 'file'", "origin IN ('log', 'inventory')"):
            with closing(self._database.execute(f"SELECT key, body FROM sighting WHERE {condition}")) as found:  # noqa: S608
                for key, body in found:
                    one = unpacked(body)
                    if one.authentihash:
                        yield key, one

    def _is_wanted(self, link: str) -> bool:
        found = self._database.execute("SELECT 1 FROM wanted WHERE link = ?", (link,))
        return found.fetchone() is not None

    def _keys_of(self, one: Sighting) -> list[str]:
        """Return the drivers that the first known link of a sighting names."""
        for link in map(_utf8, (one.authentihash, *one.links)):
            found = self._database.execute("SELECT key FROM link WHERE link = ? ORDER BY key", (link,)).fetchall()
            if found:
                return [key for (key,) in found]
        return []


class Elsewhere:
    """Adds to a ledger the answers for files with the state of machines that have only inventories."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def add(self, sightings: Iterable[Sighting]) -> None:
        """Add sightings in any order. Files that can't be read are left out: they are rows already."""
        judged = (one for one in sightings if one.authentihash)
        self._ledger.add(replace(one, reason=replace(one.reason, origin="elsewhere")) for one in judged)


def _row(key: str, one: Sighting) -> tuple[str, str, str, str, str]:
    return _utf8(key), _utf8(one.path), _utf8(one.machine), one.reason.origin, packed(one)


def _driver(key: str, row: Row) -> tuple[int, str, int, str, str, str]:
    reason = row.reason
    cause = "\0".join((reason.policy, reason.date, reason.remedy))
    return ANSWERS.index(reason.answer), _utf8(cause), len(row.machines), _utf8(_name(row.file)), key, packed_row(row)


def _name(path: str) -> str:
    """Return the name of a file in lower case. A PurePath takes ten times as long."""
    return path.replace("\\", "/").rpartition("/")[2].lower()


def _utf8(text: str) -> str:
    """Return text with escapes for the surrogates of names that are not UTF-8: text of SQLite can't have them."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()

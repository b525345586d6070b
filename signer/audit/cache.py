"""Keep what was found in unchanged folders, so that a second audit only asks for the status of their files.

An SQLite database in the user's cache folder. Several audits may use it at once, and one that is killed leaves it
intact. If it can't be used, the audit examines everything.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import reduce
from hashlib import sha256
from itertools import chain
from operator import and_
from pathlib import Path
from typing import Any

from signer.audit.packing import packed, require_sound, unpacked
from signer.audit.rows import Sighting
from signer.audit.span import ALWAYS, moment
from signer.audit.units import Unit
from signer.errors import FileError, InternalError, SignerError, UnfinishedRun
from signer.records import dataclass
from signer.storage.files import ensure_folder, remove

MAX_UNITS = 500_000
"""Maximum number of folders that are kept; those that were not used for the longest time go first."""
_MAX_FILES = 10_000
"""Maximum number of files below a folder with INFs: above it, asking for their status is not worth it."""
_WAIT_SECONDS = 30.0
_FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""What a database raises that can't be used: the message about a damaged one can have bytes that are no text."""
_PASSING = (FileError.code, UnfinishedRun.code, InternalError.code)
"""The rules of files that the system or a defect kept from being read: they are tried again next time."""
_USES = 1000
"""Number of folders whose day of use is written together: each write waits for other audits."""
_SCHEMA = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",  # a power failure may lose the last entries, and damages nothing
    "CREATE TABLE IF NOT EXISTS answer (key BLOB, since INT, until INT, used INT, body TEXT, PRIMARY KEY (key, since)) "
    "WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS answer_used ON answer (used)",
)
_FIND = "SELECT body, until, used, since FROM answer WHERE key = ? AND since <= ? ORDER BY since DESC LIMIT 1"
_DROP = "DELETE FROM answer WHERE used < (SELECT used FROM answer ORDER BY used DESC LIMIT 1 OFFSET ?)"


@dataclass(frozen=True, slots=True)
class KeptQuestion:
    """The question about the files of a machine."""

    fingerprint: bytes
    """Identifies everything that answers depend on besides the files and the time."""
    at: datetime
    """The time of the check."""


class Cache:
    """What earlier audits found, by folder, status of its files and question. Use it as a context manager.

    Answers are kept with the span of time within which they stay the same.
    """

    def __init__(self, path: Path, questions: Mapping[str, KeptQuestion], day: int) -> None:
        """Open the database at `path`, or make it.

        `questions` are those of the machines by name; the empty name is for machines without an entry. `day` is the
        number of the day, the unit in which the last use of a folder is kept.
        """
        self._questions, self._day = questions, day
        self._used: list[tuple[int, bytes, int]] = []
        """Day, key and beginning of the span of entries whose use was not written yet."""
        self._database = _opened(path)

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        if self._database is None:
            return
        self._write_uses()
        with suppress(*_FAILURES):
            self._database.execute(_DROP, (MAX_UNITS,))
        self._database.close()

    def find(self, unit: Unit) -> tuple[bytes | None, list[Sighting] | None]:
        """Return the key of a unit, and what was found in it when its files were the same; None for what is unknown.

        The status is read before the files are: a file that changes during the examination has another key next time.
        """
        key = self._key(unit) if self._database is not None else None
        if key is None or self._database is None:
            return None, None
        time = moment(self._question(unit).at)
        with suppress(sqlite3.Error, ValueError, TypeError, RecursionError):
            row = self._database.execute(_FIND, (key, time)).fetchone()
            if row is not None and time <= row[1]:
                found = [require_sound(unpacked(one)) for one in json.loads(row[0])]
                if row[2] != self._day:
                    self._use(key, row[3])
                return key, found
        return key, None

    def keep(self, found: Sequence[tuple[bytes | None, list[Sighting]]]) -> None:
        """Keep what was found in units, each with its key, but not failures that have another cause than the files."""
        rows = [
            (key, *_common(sightings), self._day, json.dumps([packed(one) for one in sightings]))
            for key, sightings in found
            if key is not None and not any(one.reason.rule in _PASSING for one in sightings)
        ]
        self._write("INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?)", rows)

    def _use(self, key: bytes, since: int) -> None:
        """Note that an entry is in use, so that others are dropped first."""
        self._used.append((self._day, key, since))
        if len(self._used) >= _USES:
            self._write_uses()

    def _write_uses(self) -> None:
        self._write("UPDATE answer SET used = ? WHERE key = ? AND since = ?", self._used)
        self._used.clear()

    def _write(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Execute a statement with each row, together. A failure means only that nothing is kept."""
        if self._database is None or not rows:
            return
        with suppress(*_FAILURES), self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(statement, rows)

    def _question(self, unit: Unit) -> KeptQuestion:
        return self._questions.get(unit.machine, self._questions[""])

    def _key(self, unit: Unit) -> bytes | None:
        """Return the digest of the question, the unit, and the status of each file that it may read."""
        try:
            status = list(_status(unit))
        except OSError:
            return None
        if len(status) > _MAX_FILES or unit.unreadable:
            return None
        digest = sha256(self._question(unit).fingerprint)
        digest.update(repr((str(unit.archive or unit.folder), unit.machine, *_names(unit), status)).encode())
        return digest.digest()


def _common(sightings: Iterable[Sighting]) -> tuple[int, int]:
    """Return the beginning and the end of the span within which all answers stay the same."""
    span = reduce(and_, (one.span for one in sightings), ALWAYS)
    return span.since, span.until


def _names(unit: Unit) -> Iterator[list[str]]:
    """Yield the names of the unit's INFs, images and catalogs: a call can name one INF of a folder."""
    for paths in (unit.infs, unit.files, unit.catalogs):
        yield [path.name for path in paths]


def _opened(path: Path) -> sqlite3.Connection | None:
    """Open a database; a damaged one is made anew. None if that is not possible."""
    for _ in range(2):
        with suppress(SignerError):
            ensure_folder(path.parent)
        try:
            return _with_schema(sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None))
        except sqlite3.OperationalError:
            return None
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            with suppress(SignerError):
                remove(path)
    return None


def _with_schema(database: sqlite3.Connection) -> sqlite3.Connection:
    """Create the tables that are missing. Raises sqlite3.Error, after closing the database."""
    try:
        for statement in _SCHEMA:
            database.execute(statement)
    except _FAILURES:
        database.close()
        raise
    return database


def _status(unit: Unit) -> Iterator[tuple[str | int, ...]]:
    """Yield name, size, times of change and inode of each file: of a folder with INFs all files below it.

    Of the folders of a disk with catalogs and INFs only their own: it changes when a file is added or removed.
    """
    found: Iterable[str]
    if unit.archive is not None:
        found = (str(unit.archive), *_cabinets_beside(unit.archive))
    elif unit.infs:
        found = (os.path.join(root, name) for root, _, names in _walk(unit.folder) for name in sorted(names))  # noqa: PTH118
    else:
        found = (str(path) for path in (*unit.files, *unit.catalogs))
    if unit.disk is not None:
        folders = (unit.disk.catalogs, unit.disk.infs)
        found = chain((str(path) for path in folders if path is not None), found)
    for number, path in enumerate(found):
        status = os.stat(path)  # noqa: PTH116  (a Path for each file takes as long as asking for its status)
        yield path, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino
        if number > _MAX_FILES:
            return


def _cabinets_beside(archive: Path) -> Iterator[str]:
    """Yield the cabinets in the folder of an MSI, which may have its files."""
    if archive.suffix.lower() == ".msi":
        yield from sorted(str(path) for path in archive.parent.iterdir() if path.suffix.lower() == ".cab")


def _walk(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for root, folders, names in os.walk(folder):
        folders.sort()
        yield root, folders, names

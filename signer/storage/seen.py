"""Count texts, in a temporary database: memory does not grow with their number."""

from __future__ import annotations

import sqlite3
from hashlib import sha256
from typing import Self

_SIZE = 16
"""Size in bytes of the digest by which a text is found."""
_SCHEMA = (
    "PRAGMA journal_mode = OFF",  # after a failure, the database is not read
    "CREATE TABLE seen (digest BLOB PRIMARY KEY, count INT) WITHOUT ROWID",
    "BEGIN",
)


class Seen:
    """How often each text was counted. Use it as a context manager: it deletes its database at the end."""

    def __init__(self) -> None:
        # An empty name: SQLite keeps a small database in memory, and a larger one in a file that it deletes.
        self._database = sqlite3.connect("", isolation_level=None)
        for statement in _SCHEMA:
            self._database.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def count(self, text: str) -> int:
        """Count a text; return how often it was counted, this time included."""
        digest = sha256(text.encode("utf-8", "surrogatepass")).digest()[:_SIZE]
        row = self._database.execute("SELECT count FROM seen WHERE digest = ?", (digest,)).fetchone()
        count: int = row[0] + 1 if row is not None else 1
        self._database.execute("INSERT OR REPLACE INTO seen VALUES (?, ?)", (digest, count))
        return count

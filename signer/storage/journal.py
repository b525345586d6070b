"""The journal of an update: the file that records how to restore the old files."""

from __future__ import annotations

from pathlib import Path

from signer.errors import FileError
from signer.storage.files import read, shell_quote

STAGING, JOURNAL = ".drvsign.", "journal.json"
"""Prefix of the staging folder's name, and name of the journal in it."""


MAX_FILES = 100_000
"""Maximum number of files of an update."""


def entries_of(journal: Path) -> list[tuple[str, str | None]]:
    """Read a journal: each target (relative to the folder), and the name of its old file or None. Raises FileError."""
    import json

    try:
        entries = json.loads(read(journal))
        if len(entries) > MAX_FILES:
            raise ValueError
        return [(str(name), None if old is None else str(old)) for name, old in entries]
    except (ValueError, TypeError, RecursionError) as error:
        raise FileError(
            "the journal of an interrupted update can't be parsed",
            path=journal,
            hint=f"Delete the folder {shell_quote(journal.parent)} and build the package again.",
        ) from error

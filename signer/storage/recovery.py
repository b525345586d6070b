"""Detect packages that an interrupted run left half updated.

`signer.storage.transaction.atomic_update` writes a journal before it moves staged files to their targets, and deletes
it after the last move. The journal is in the updated folder, which may be above or below a path that is checked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from signer.errors import FileError, UnfinishedRun
from signer.storage.files import shell_quote
from signer.storage.journal import JOURNAL, STAGING, entries_of
from signer.storage.lock import is_held


class UnfinishedRuns:
    """Find the journals that interrupted runs left behind. Lists each folder only once."""

    def __init__(self) -> None:
        self._journals: dict[Path, list[Path]] = {}

    def require_none(self, path: Path) -> None:
        """Raise UnfinishedRun if an interrupted or running update replaces `path` or files below it.

        For an INF, checks its folder.
        """
        checked = (path.parent if path.suffix.lower() == ".inf" else path).resolve()
        below = _visible_folders(checked) if checked.is_dir() else ()
        for folder in below:
            for journal in self._journals_in(folder):
                raise _unfinished_run(journal)
        for folder in checked.parents:
            for journal in self._journals_in(folder):
                if _has_target_below(journal, checked):
                    raise _unfinished_run(journal)

    def _journals_in(self, folder: Path) -> list[Path]:
        """Return the journals in this folder, from the cache if it was listed before."""
        if folder not in self._journals:
            self._journals[folder] = sorted(_find_journals(folder))
        return self._journals[folder]


def _visible_folders(top: Path) -> Iterator[Path]:
    """Yield a folder and all folders below it that are not hidden."""
    for root, names, _ in os.walk(top):
        names[:] = sorted(name for name in names if not name.startswith("."))
        yield Path(root)


def _find_journals(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            staging = [e.path for e in entries if e.name.startswith(STAGING) and e.name.endswith(".tmp")]
    except OSError:
        return  # a run can't update a folder that can't be listed
    yield from (journal for journal in (Path(name, JOURNAL) for name in staging) if journal.is_file())


def _has_target_below(journal: Path, checked: Path) -> bool:
    """Return whether a journal lists `checked` or a path below it; True if the journal can't be read."""
    folder = journal.parent.parent
    try:
        targets = [(folder / name).resolve() for name, _ in entries_of(journal)]
    except FileError:
        return True
    return any(target.is_relative_to(checked) for target in targets)


def _unfinished_run(journal: Path) -> UnfinishedRun:
    folder = journal.parent.parent
    if is_held(folder):
        return UnfinishedRun(
            "another drvsign process is replacing files in this folder",
            path=folder,
            hint="Run the command again when that process has finished.",
        )
    return UnfinishedRun(
        "an update of this folder was interrupted: some files are new and some are old",
        path=folder,
        hint=f"Run the interrupted command again, for example: drvsign package {shell_quote(folder)} "
        "(it restores the old files first).",
    )

"""Detect packages that an interrupted run left half updated.

`signer.storage.transaction.atomic_update` writes a journal before it moves staged files to their targets, and deletes
it after the last move. The journal is in the updated folder, which may be above or below a path that is checked.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from signer.errors import FileError, UnfinishedRun
from signer.storage.files import shell_quote
from signer.storage.journal import JOURNAL, STAGING, entries_of
from signer.storage.lock import is_held


class UnfinishedRuns:
    """Find the journals that interrupted runs left behind. Lists the folders above paths only once."""

    def __init__(self) -> None:
        self._journals: dict[Path, list[Path]] = {}
        self._above: dict[Path, list[Path]] = {}

    def require_none(self, path: Path) -> None:
        """Raise UnfinishedRun if an interrupted or running update replaces `path` or files below it.

        For an INF, checks its folder.
        """
        checked = (path.parent if path.suffix.lower() == ".inf" else path).resolve()
        for journal in _journals_below(checked) if checked.is_dir() else ():
            raise _unfinished_run(journal)
        for journal in self._journals_above(checked.parent) if checked != checked.parent else ():
            if _has_target_below(journal, checked):
                raise _unfinished_run(journal)

    def _journals_above(self, folder: Path) -> list[Path]:
        """Return the journals in this folder and in those above it, found once for all files of a folder."""
        if folder not in self._above:
            self._above[folder] = [found for one in (folder, *folder.parents) for found in self._journals_in(one)]
        return self._above[folder]

    def _journals_in(self, folder: Path) -> list[Path]:
        """Return the journals in this folder, from the cache if it was listed before."""
        if folder not in self._journals:
            self._journals[folder] = sorted(_find_journals(_entries(folder)))
        return self._journals[folder]


def _journals_below(top: Path) -> Iterator[Path]:
    """Yield the journals in a folder and in all folders below it that are not hidden."""
    folders = [str(top)]
    while folders:
        entries = _entries(folders.pop())
        yield from sorted(_find_journals(entries))
        visible = (one for one in entries if not one.name.startswith(".") and _is_folder(one))
        folders += sorted((one.path for one in visible), reverse=True)


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    """List a folder; no run can update one that can't be listed."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Tell whether an entry is a folder and no link; some file systems only tell those who may search its folder."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _find_journals(entries: Iterable[os.DirEntry[str]]) -> Iterator[Path]:
    staging = (one.path for one in entries if one.name.startswith(STAGING) and one.name.endswith(".tmp"))
    return (journal for journal in (Path(path, JOURNAL) for path in staging) if journal.is_file())


def _has_target_below(journal: Path, checked: Path) -> bool:
    """Return whether a journal lists `checked` or a path below it; True if the journal can't be read.

    A journal lists paths without links, relative to its folder, which is above `checked`.
    """
    relative = os.path.normcase(checked.relative_to(journal.parent.parent))
    try:
        targets = [os.path.normcase(name) for name, _ in entries_of(journal)]
    except FileError:
        return True
    return any(target == relative or target.startswith(f"{relative}{os.sep}") for target in targets)


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

"""Detect packages that an interrupted run left half updated.

`signer.storage.transaction.atomic_update` writes a journal before it moves files to their places, and removes it when
all have been moved. The journal lies in the updated folder, which may be above or below a path that is checked.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from signer.errors import FileError, UnfinishedRun
from signer.storage.files import as_word
from signer.storage.lock import is_held
from signer.storage.transaction import JOURNAL, STAGING, entries_of


class UnfinishedRuns:
    """The journals that interrupted runs left behind. Each folder is looked at once."""

    def __init__(self) -> None:
        self._known: dict[Path, list[Path]] = {}

    def require_none(self, path: Path) -> None:
        """Raise UnfinishedRun where a run was interrupted, or is at work, that replaces `path` or files below it."""
        place = (path.parent if path.suffix.lower() == ".inf" else path).resolve()
        below = _folders(place) if place.is_dir() else ()
        for folder in below:
            for journal in self._in(folder):
                raise _left(journal)
        for folder in place.parents:
            for journal in self._in(folder):
                if _concerns(journal, place):
                    raise _left(journal)

    def _in(self, folder: Path) -> list[Path]:
        """The journals of runs in this folder."""
        if folder not in self._known:
            self._known[folder] = sorted(_journals(folder))
        return self._known[folder]


def _folders(top: Path) -> Iterator[Path]:
    """A folder and all below it that are not hidden."""
    for root, names, _ in os.walk(top):
        names[:] = sorted(name for name in names if not name.startswith("."))
        yield Path(root)


def _journals(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            left = [entry.path for entry in entries if entry.name.startswith(STAGING) and entry.name.endswith(".tmp")]
    except OSError:
        return  # a folder that can't be listed is no place that a run could work in
    yield from (journal for journal in (Path(name, JOURNAL) for name in left) if journal.is_file())


def _concerns(journal: Path, place: Path) -> bool:
    """Whether a journal speaks of a path or of something below it; one that can't be read may."""
    folder = journal.parent.parent
    try:
        targets = [(folder / name).resolve() for name, _ in entries_of(journal)]
    except FileError:
        return True
    return any(target.is_relative_to(place) for target in targets)


def _left(journal: Path) -> UnfinishedRun:
    folder = journal.parent.parent
    if is_held(folder):
        return UnfinishedRun(
            "another run is replacing files in this folder", path=folder, hint="Try again when it is done."
        )
    return UnfinishedRun(
        "a run was interrupted while it replaced files in this folder, so that some are new and some are old",
        path=folder,
        hint=f"Run the same command again, such as drvsign package {as_word(folder)}: "
        "it first puts the old files back.",
    )

"""Walk a folder for the files in it, and move a folder aside."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Collection, Iterator
from pathlib import Path

from signer.storage.files import convert_os_errors, file_error
from signer.storage.streams import is_special


def walk(folder: Path, *, suffix: str = "", without: Collection[Path] = (), hidden: bool = False) -> Iterator[Path]:
    """Yield the files below a folder in sorted order, without hidden files, pipes and devices.

    Yields those whose name ends with `suffix` (lower case), in all folders except `without` and those below them;
    `hidden` includes hidden files. Links to folders are not followed. Raises FileError for a folder that can't be read.
    """
    for root, folders, files in os.walk(folder, onerror=_raise):
        if without and Path(root) in without:
            folders[:] = []
            continue
        folders[:] = sorted(name for name in folders if hidden or not name.startswith("."))
        named = (name for name in files if name.lower().endswith(suffix) and (hidden or name[0] != "."))
        visible = (Path(root, name) for name in sorted(named))
        yield from (path for path in visible if not is_special(path))


def move_aside(folder: Path) -> Path:
    """Rename the folder to a new name beside it, and return its new path. Raises FileError."""
    whole = Path(os.path.realpath(folder))
    names = (whole.with_name(f"{whole.name}.old{number}") for number in itertools.count(1))
    aside = next(path for path in names if not path.exists())
    with convert_os_errors(folder, "rename the folder"):
        return whole.rename(aside)


@contextlib.contextmanager
def put_back(aside: Path | None, folder: Path) -> Iterator[None]:
    """Give a folder that was moved aside its old name if the block raises an exception."""
    try:
        yield
    except BaseException:
        if aside is not None and not folder.exists():
            aside.rename(Path(os.path.realpath(folder)))
        raise


def _raise(error: OSError) -> None:
    raise file_error(error, Path(error.filename), "read the folder") from error

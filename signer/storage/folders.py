"""Walk a folder for the files in it, and move a folder aside."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from signer.errors import FileError
from signer.storage.files import convert_os_errors, exists, file_error
from signer.storage.streams import is_special


def require_folder(path: Path, *, hint: str) -> None:
    """Raise FileError with this hint if the path does not exist or is a file."""
    if not path.is_dir():
        raise FileError("this is a file, not a folder" if exists(path) else "folder not found", path=path, hint=hint)


def walk(folder: Path, *, suffix: str = "", hidden: bool = False) -> Iterator[Path]:
    """Yield the files below a folder in sorted order, without hidden files, pipes and devices.

    Yields those whose name ends with `suffix` (lower case); `hidden` includes hidden files. Raises FileError for a
    folder that can't be read.
    """
    for inside, names in walk_folders(folder, hidden=hidden):
        yield from files_in(inside, (name for name in names if name.lower().endswith(suffix)))


def walk_folders(top: Path, *, hidden: bool = False) -> Iterator[tuple[Path, list[str]]]:
    """Yield each folder, before those in it, and the sorted names of all that is no folder in it.

    Hidden names are left out unless `hidden`. Links to folders are not followed. Raises FileError.
    """
    for root, folders, names in os.walk(top, onerror=_raise):
        folders[:] = sorted(name for name in folders if hidden or not name.startswith("."))
        yield Path(root), sorted(name for name in names if hidden or not name.startswith("."))


def files_in(folder: Path, names: Iterable[str]) -> Iterator[Path]:
    """Yield the paths of these names, without pipes and devices."""
    return (path for name in names if not is_special(path := folder / name))


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

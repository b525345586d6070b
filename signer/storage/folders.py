"""Walk a folder for the files in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from signer.storage.files import file_error, is_special


def walk(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in sorted order, without hidden files, pipes and devices.

    Links to folders are not followed. Raises FileError for a folder that can't be read.
    """
    for root, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        visible = (Path(root, name) for name in sorted(files) if not name.startswith("."))
        yield from (path for path in visible if not is_special(path))


def _raise(error: OSError) -> None:
    raise file_error(error, Path(error.filename), "read the folder") from error

"""Paths that no system accepts. A file that drvsign reads can contain one; the calls of the system raise ValueError."""

from __future__ import annotations

import os
from pathlib import Path

from signer.errors import FileError


def require_name(path: Path) -> None:
    """Raise FileError for a path with a NUL character, or with a surrogate that encodes no byte."""
    try:
        if b"\0" not in os.fsencode(path):
            return
    except UnicodeEncodeError:
        pass
    raise FileError("no file can have this name", path=path, hint="Correct the path.")

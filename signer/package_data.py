"""Read files that are installed with a package, from a folder or from a zip archive.

`importlib.resources` does the same, and imports zipfile and tempfile for files that are extracted: 4 ms of the 150 that
`drvsign verify` takes for one driver (bench/PROFILE.md).
"""

from __future__ import annotations

import errno
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def package_bytes(package: str, *parts: str) -> bytes:
    """Return a file below the folder of a package. Raises OSError."""
    spec: Any = find_spec(package)
    if spec is None:
        raise FileNotFoundError(errno.ENOENT, "the package is not installed", package)
    contents: bytes = spec.loader.get_data(str(Path(spec.submodule_search_locations[0], *parts)))
    return contents


def package_text(package: str, *parts: str) -> str:
    """Return a file below the folder of a package as text, which is UTF-8. Raises OSError."""
    return package_bytes(package, *parts).decode()

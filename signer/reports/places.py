"""Write the paths of a report: relative to the root of the sources, with `/`, and as URIs."""

from __future__ import annotations

import posixpath
from functools import lru_cache
from pathlib import PurePath, PureWindowsPath
from urllib.parse import quote_from_bytes

from signer.records import dataclass

_IN_SEGMENTS = "/!$&'()*+,;=@~"
"""Characters that RFC 3986 allows in the path of a URI. A colon is left out: in a first segment it ends a scheme."""


@dataclass(frozen=True, slots=True)
class Places:
    """The folder that relative paths begin in, and the root of the sources, which reports are relative to.

    Services such as GitHub find a file by its path below the root. Without them, relative paths are left as they are.
    """

    folder: PurePath | None = None
    root: PurePath | None = None

    def relative(self, path: PurePath) -> str:
        """Return a path below the root, with `/` between folders; a path outside the root as an absolute path."""
        below = _below(self, path)
        return below if below is not None else _whole(self, path).as_posix()

    def uri(self, path: PurePath) -> tuple[str, bool]:
        """Return the URI of a path, and whether it is relative to the root."""
        below = _below(self, path)
        if below is not None:
            return _quoted(below), True
        whole = _whole(self, path)
        drive = whole.drive
        if drive.startswith("\\\\"):  # \\server\share
            return f"file:{_quoted(whole.as_posix())}", False
        rest = _quoted(whole.as_posix().removeprefix(drive))
        return f"file:///{drive}{rest}" if drive else f"file://{rest}", False


@lru_cache(maxsize=4096)
def _below(places: Places, path: PurePath) -> str | None:
    """Return a path relative to the root, or None."""
    if places.root is None:
        return None if path.root or path.drive else _normal(path).as_posix()
    whole = _whole(places, path)
    return whole.relative_to(places.root).as_posix() if whole.is_relative_to(places.root) else None


def _whole(places: Places, path: PurePath) -> PurePath:
    """Return the absolute path; a path of another system, such as one from a log of Windows, as it is."""
    folder = places.folder
    same = folder is not None and isinstance(folder, PureWindowsPath) == isinstance(path, PureWindowsPath)
    return _normal(folder / path if folder is not None and same else path)


def _normal(path: PurePath) -> PurePath:
    """Return the path without `.` and `..`."""
    parts = path.parts[1:] if path.anchor else path.parts
    text = posixpath.normpath(posixpath.join("/" if path.anchor else "", *parts))
    return type(path)(path.anchor, text.lstrip("/"))


def _quoted(path: str) -> str:
    """Percent-encode a path in UTF-8; bytes of a name that are not UTF-8 as they are."""
    try:
        data = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that does not represent a byte
        data = path.encode("utf-8", "surrogatepass")
    return quote_from_bytes(data, safe=_IN_SEGMENTS)

"""Bound what is unpacked from archives: only files that an audit reads, and no more than `MAX_SIZE` bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from signer.audit.units import CODE
from signer.errors import MalformedInput
from signer.records import dataclass

MAX_SIZE = 1 << 32
"""Maximum number of bytes of the driver files of an archive."""
MAX_MEMBERS = 200_000
"""Maximum number of driver files of an archive."""
_READ = CODE | {".inf", ".cat"}


@dataclass(frozen=True)
class Member:
    """A file of an archive."""

    name: str
    """With `/` or `\\` between folders."""
    size: int
    pieces: Iterable[bytes]
    """Its bytes. They must be read before the next member."""


def is_wanted(name: str) -> bool:
    """Return whether an audit reads a file with this name: an INF, a catalog, an image, or one compressed."""
    suffix = PurePosixPath(name.replace("\\", "/").lower()).suffix
    return suffix in _READ or (len(suffix) == 4 and suffix.endswith("_"))


def bounded(members: Iterable[Member]) -> Iterator[Member]:
    """Yield members up to the limits. Raises MalformedInput beyond them."""
    size = 0
    for count, one in enumerate(members, 1):
        size += one.size
        if size > MAX_SIZE or count > MAX_MEMBERS:
            raise MalformedInput(
                f"the driver files of the archive exceed {MAX_SIZE:,} bytes or {MAX_MEMBERS:,} files",
                hint="Check its source. If you trust it, unpack it with another program and audit the folder.",
            )
        yield one

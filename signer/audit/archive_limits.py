"""Bound what is unpacked from archives: only files that an audit reads, within the limits of a cabinet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from signer.audit.units import CODE
from signer.cab.read import require_few_files, unpacked_limit
from signer.errors import MalformedInput
from signer.limits import raising
from signer.records import dataclass

_READ = CODE | {".inf", ".cat"}


@dataclass(frozen=True)
class Member:
    """A file of an archive."""

    name: str
    """With `/` or `\\` between folders."""
    size: int
    pieces: Iterable[bytes | memoryview]
    """Its bytes. They must be read before the next member. Reading them raises MalformedInput for damaged ones."""
    fault: str = ""
    """Why its bytes can't be read, as a clause; empty if they can, or if that is unknown before they are read."""

    @classmethod
    def of(cls, name: str, size: int, content: memoryview | MalformedInput) -> Member:
        """Create a member from its bytes, or the error that kept them from being read."""
        if isinstance(content, MalformedInput):
            return cls(name, size, (), content.message)
        return cls(name, size, (content,))


def is_wanted(name: str) -> bool:
    """Return whether an audit reads a file with this name: an INF, a catalog, an image, or one compressed."""
    suffix = PurePosixPath(name.replace("\\", "/").lower()).suffix
    return suffix in _READ or (len(suffix) == 4 and suffix.endswith("_"))


def bounded(members: Iterable[Member], archive: Path) -> Iterator[Member]:
    """Yield members up to the limits, which depend on the size of the archive. Raises MalformedInput beyond them."""
    size, archived = 0, archive.stat().st_size
    limit = unpacked_limit(archived)
    for count, one in enumerate(members, 1):
        size += one.size
        require_few_files(count, archived)
        if size > limit:
            raise MalformedInput(
                f"the driver files of the archive have more than {limit:,} bytes", hint=raising("cabinet-size")
            )
        yield one

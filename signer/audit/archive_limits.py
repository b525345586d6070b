"""Bound what is unpacked from archives: only files that an audit reads, within the limits of a cabinet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from signer.audit.units import CODE
from signer.cab.read import require_few_files, unpacked_limit
from signer.errors import MalformedInput, SignerError
from signer.limits import raising
from signer.records import dataclass

_COPY_AGAIN = "Download or copy the archive again."
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
    remedy: str = ""
    """What helps against the fault, if that is not to unpack the member with another program."""

    @classmethod
    def of(cls, name: str, size: int, content: memoryview | MalformedInput) -> Member:
        """Create a member from its bytes, or the error that kept them from being read."""
        if isinstance(content, MalformedInput):
            return cls(name, size, (), content.message, remedy_for(content))
        return cls(name, size, (content,))


def remedy_for(error: SignerError) -> str:
    """Return what helps against an error about members; empty if that is to unpack them with another program.

    A MalformedInput with a hint of its own is about an encrypted member, or about compression that is not supported.
    """
    if isinstance(error, MalformedInput):
        return _COPY_AGAIN if error.hint == MalformedInput.default_hint else ""
    return error.hint or ""


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

"""Unpack the driver files of cabinets, .zip files, ISO images and MSIs."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from catalogs.submission.names import name_fault, parts_of
from catalogs.submission.unpack import zip_entries
from signer.audit.archive_limits import Member, bounded, is_wanted, remedy_for
from signer.audit.iso import iso_members
from signer.audit.msi import msi_members
from signer.cab.read import Listing
from signer.errors import FileError, MalformedInput, SignerError
from signer.records import dataclass
from signer.storage.files import atomic_writer, convert_os_errors, ensure_folder, mapped

_INVALID_NAME = frozenset({errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.ENOENT})
"""The errors of systems about names that they can't have, such as one of more than 255 bytes."""


@dataclass(frozen=True)
class LeftOut:
    """A driver file of an archive that was not unpacked."""

    name: str
    """Its name in the archive, which can be anything."""
    reason: str
    """A clause."""
    remedy: str = ""
    """What helps against it, if that is not to unpack it with another program or under another name."""


def unpack_drivers(path: Path, folder: Path) -> list[LeftOut]:
    """Unpack the driver files of an archive, and return those that were left out.

    Raises FileError and MalformedInput.
    """
    found = []
    try:
        for member in READERS[path.suffix.lower()](path):
            left = _unpack(member, folder)
            if left is not None:
                found.append(left)
    except SignerError as error:
        raise error.at(path) from error
    return found


def _unpack(member: Member, folder: Path) -> LeftOut | None:
    """Write a member below the folder, or return why that is impossible. Raises FileError."""
    parts = parts_of(member.name)
    if member.fault or parts is None:
        return LeftOut(member.name, member.fault or name_fault(member.name) or "", member.remedy)
    target = folder.joinpath(*parts)
    try:
        reason = _conflict(member, target, folder)
        if reason is None and not target.exists():
            _write(member, target)
    except MalformedInput as error:
        return LeftOut(member.name, error.message, remedy_for(error))
    except FileError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in _INVALID_NAME:
            return LeftOut(member.name, "this system can't have a file with its path")
        raise
    return LeftOut(member.name, reason) if reason is not None else None


def _conflict(member: Member, target: Path, folder: Path) -> str | None:
    """Return why a member can't be beside those that were written; None also for one with the same bytes.

    A comparison reads the member, whose bytes can be read only once.
    """
    with convert_os_errors(target):
        if not target.parent.is_dir() and any(one.is_file() for one in target.parents if one.is_relative_to(folder)):
            return "the archive has a file with the name of its folder"
        if target.is_dir():
            return "the archive has a folder with its name"
        if target.exists() and not _has_bytes(target, member.pieces):
            return "the archive has another file with its name"
    return None


def _has_bytes(path: Path, pieces: Iterable[bytes | memoryview]) -> bool:
    """Return whether a file has exactly these bytes."""
    with path.open("rb") as file:
        return all(file.read(len(piece)) == piece for piece in pieces) and not file.read(1)


def _write(member: Member, target: Path) -> None:
    ensure_folder(target.parent)
    with atomic_writer(target) as file, convert_os_errors(target):
        for piece in member.pieces:
            file.write(piece)


def _of_cabinet(path: Path) -> Iterator[Member]:
    with mapped(path) as data:
        found = Listing.parse(data).each(is_wanted)
        yield from bounded((Member.of(one.name, one.size, content) for one, content in found), path)


def _of_zip(path: Path) -> Iterator[Member]:
    yield from bounded((Member(one.name, one.size, one.pieces) for one in zip_entries(path, is_wanted)), path)


READERS: Mapping[str, Callable[[Path], Iterator[Member]]] = {
    ".cab": _of_cabinet,
    ".zip": _of_zip,
    ".iso": iso_members,
    ".msi": msi_members,
}

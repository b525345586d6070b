"""Unpack the driver files of cabinets, .zip files, ISO images and MSIs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from catalogs.submission.names import parts_of
from catalogs.submission.unpack import zip_entries
from signer.audit.archive_limits import Member, bounded, is_wanted
from signer.audit.iso import iso_members
from signer.audit.msi import msi_members
from signer.cab.read import Listing
from signer.errors import SignerError
from signer.storage.files import atomic_writer, convert_os_errors, ensure_folder, mapped


def unpack_drivers(path: Path, folder: Path) -> None:
    """Unpack the driver files of an archive; files whose names lead out of the folder are left out.

    Raises FileError and MalformedInput.
    """
    try:
        for member in READERS[path.suffix.lower()](path):
            parts = parts_of(member.name)
            if parts is not None:
                _write(member, folder.joinpath(*parts))
    except SignerError as error:
        raise error.at(path) from error


def _write(member: Member, target: Path) -> None:
    ensure_folder(target.parent)
    with atomic_writer(target) as file, convert_os_errors(target):
        for piece in member.pieces:
            file.write(piece)


def _of_cabinet(path: Path) -> Iterator[Member]:
    with mapped(path) as data:
        found = Listing.parse(data).contents(is_wanted)
        yield from bounded((Member(one.name, len(content), (content,)) for one, content in found), path)


def _of_zip(path: Path) -> Iterator[Member]:
    yield from bounded((Member(name, len(data), (data,)) for name, data in zip_entries(path, is_wanted)), path)


READERS: Mapping[str, Callable[[Path], Iterator[Member]]] = {
    ".cab": _of_cabinet,
    ".zip": _of_zip,
    ".iso": iso_members,
    ".msi": msi_members,
}

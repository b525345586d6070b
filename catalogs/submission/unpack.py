"""A folder, a cabinet or a .zip as a folder. The portal gives back a .zip."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

from catalogs.submission.cabinet import unpack, unpack_files
from signer.cab.read import Listing
from signer.errors import FileError, MalformedInput, SignerError
from signer.formats.detect import detect
from signer.formats.table import CABINET
from signer.storage.files import file_error, read

_MOST_UNPACKED = 1 << 32


def opened(path: Path, room: Path) -> Path:
    """The folder, or `room` with the files of the cabinet or .zip in it. Raises FileError, MalformedInput."""
    if path.is_dir():
        return path
    if not path.exists():
        raise FileError("there is no such file or folder", path=path, hint="Check the path.")
    try:
        data = read(path)
        if detect(data) is CABINET:
            unpack(Listing.parse(data), room)
        elif zipfile.is_zipfile(path):
            unpack_files(_zipped(path), room)
        else:
            raise MalformedInput("neither a folder, a cabinet nor a .zip", hint="Name what was sent or came back.")
    except SignerError as error:
        raise error.at(path) from error
    return room


def _zipped(path: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a .zip with their names."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > _MOST_UNPACKED:
                raise MalformedInput("the .zip would unpack to more than 4 GiB", hint="This is no driver package.")
            for entry in entries:
                yield entry.filename, archive.read(entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise MalformedInput("the .zip can't be read: it is damaged or encrypted") from error
    except OSError as error:
        raise file_error(error, path, "read the file") from error

"""Extract a cabinet or .zip (the portal returns a .zip) into a folder."""

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

_MAX_EXTRACTED_SIZE = 1 << 32


def unpack_submission(path: Path, target: Path) -> Path:
    """Return `path` if it is a folder, or extract it into `target`. Raises FileError and MalformedInput."""
    if path.is_dir():
        return path
    if not path.exists():
        raise FileError("the file or folder does not exist", path=path, hint="Check the path.")
    try:
        data = read(path)
        if detect(data) is CABINET:
            unpack(Listing.parse(data), target)
        elif zipfile.is_zipfile(path):
            unpack_files(zip_entries(path), target)
        else:
            raise MalformedInput(
                "neither a folder, a cabinet nor a .zip", hint="Specify a submission or a returned package."
            )
    except SignerError as error:
        raise error.at(path) from error
    return target


def zip_entries(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of a .zip. Raises FileError and MalformedInput."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > _MAX_EXTRACTED_SIZE:
                raise MalformedInput(
                    "the .zip has more than 4 GiB when extracted",
                    hint="Check the path: this is probably not a driver package.",
                )
            for entry in entries:
                yield entry.filename, archive.read(entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise MalformedInput("the .zip is damaged or encrypted") from error
    except OSError as error:
        raise file_error(error, path, "read the file") from error

"""Extract a cabinet or .zip (the portal returns a .zip) into a folder."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from catalogs.submission.cabinet import unpack, unpack_files
from signer.cab.read import Listing, unpacked_limit
from signer.errors import FileError, MalformedInput, SignerError
from signer.formats.detect import detect
from signer.formats.table import CABINET
from signer.limits import raising
from signer.storage.files import file_error, read


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


def zip_entries(path: Path, is_wanted: Callable[[str], bool] = bool) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the files in a .zip with wanted names; the limits are those of a cabinet.

    Raises FileError and MalformedInput.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir() and is_wanted(one.filename)]
            size, limit = sum(entry.file_size for entry in entries), unpacked_limit(path.stat().st_size)
            if size > limit:
                raise MalformedInput(
                    f"the .zip would decompress to {size:,} bytes; the limit is {limit:,}",
                    hint=raising("cabinet-size"),
                )
            for entry in entries:
                yield entry.filename, archive.read(entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, UnicodeDecodeError) as error:
        raise MalformedInput("the .zip is damaged or encrypted") from error
    except OSError as error:
        raise file_error(error, path, "read the file") from error

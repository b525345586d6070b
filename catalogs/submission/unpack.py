"""Extract a cabinet or .zip (the portal returns a .zip) into a folder."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from catalogs.submission.cabinet import unpack, unpack_files
from signer.cab.read import Listing, require_few_files, unpacked_limit
from signer.errors import FileError, MalformedInput, SignerError
from signer.formats.detect import detect
from signer.formats.table import CABINET
from signer.limits import raising
from signer.records import dataclass
from signer.storage.files import file_error, read

_CHUNK = 1 << 20
_ENCRYPTED = 1
"""The bit of an entry's flags."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The methods of compression that Windows reads, except Deflate64, which Python does not read."""
_DAMAGED = (
    *(zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OverflowError),
    *(zlib.error, struct.error),
)
"""What zipfile raises for damaged archives and entries."""


def unpack_submission(path: Path, target: Path) -> Path:
    """Return `path` if it is a folder, or extract it into `target`. Raises FileError and MalformedInput."""
    if path.is_dir():
        return path
    if not path.exists():
        raise FileError("the file or folder does not exist", path=path, hint="Check the path.")
    try:
        data = read(path)
        if detect(data) is CABINET:
            listing = Listing.parse(data)
            require_few_files(len(listing.files), len(data))
            unpack(listing, target)
        elif zipfile.is_zipfile(path):
            unpack_files(((one.name, one.pieces) for one in zip_entries(path)), target)
        else:
            raise MalformedInput(
                "neither a folder, a cabinet nor a .zip", hint="Specify a submission or a returned package."
            )
    except SignerError as error:
        raise error.at(path) from error
    return target


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A file in a .zip."""

    name: str
    size: int
    """Uncompressed size in bytes."""
    pieces: Iterator[bytes]
    """Its bytes, while the .zip is open. Reading them raises MalformedInput for a damaged or encrypted entry."""


def zip_entries(path: Path, is_wanted: Callable[[str], bool] = bool) -> Iterator[ZipEntry]:
    """Yield the files in a .zip with wanted names; the limits are those of a cabinet.

    Raises FileError, and MalformedInput for the .zip as a whole.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir() and is_wanted(one.filename)]
            archived = path.stat().st_size
            require_few_files(len(entries), archived)
            size, limit = sum(entry.file_size for entry in entries), unpacked_limit(archived)
            if size > limit:
                raise MalformedInput(
                    f"the .zip would decompress to {size:,} bytes; the limit is {limit:,}",
                    hint=raising("cabinet-size"),
                )
            for entry in entries:
                yield ZipEntry(entry.filename, entry.file_size, _pieces(archive, entry))
    except _DAMAGED as error:
        raise MalformedInput("the .zip is damaged", hint="Copy or download it again.") from error
    except OSError as error:
        raise file_error(error, path, "read the file") from error


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield the bytes of an entry. Raises MalformedInput, and OSError."""
    if entry.flag_bits & _ENCRYPTED:
        raise MalformedInput(f"{entry.filename!r} in the .zip is encrypted", hint="Make the .zip without a password.")
    if entry.compress_type not in _METHODS:
        raise MalformedInput(
            f"{entry.filename!r} in the .zip is compressed with method {entry.compress_type}, which is not supported",
            hint="Make the .zip with Deflate compression.",
        )
    try:
        with archive.open(entry) as file:
            while piece := file.read(_CHUNK):
                yield piece
    except _DAMAGED as error:
        raise MalformedInput(f"{entry.filename!r} in the .zip is damaged") from error

"""Create a cabinet with MSZIP compression.

Source: "Microsoft Cabinet Format" (CFHEADER, CFFOLDER, CFFILE). Writes a single cabinet, not a multi-cabinet set. The
output is reproducible: equal files, names and times give equal bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

from signer.cab.data import MAX_BLOCKS, MSZIP, PIECE, pack
from signer.errors import SigningError
from signer.records import dataclass

MAX_NAME_LENGTH = 255
"""Maximum length of a name in bytes, without its NUL (CFFILE.szName)."""
MAX_FOLDER_SIZE = MAX_BLOCKS * PIECE
"""Maximum uncompressed size of a folder in bytes: 2 GiB less 32 KiB."""

_HEADER = struct.Struct("<4sIIIIIBBHHHHH")
_FOLDER = struct.Struct("<IHH")
_FILE = struct.Struct("<IIHHHH")
_ARCHIVE, _NAME_IS_UTF8 = 0x20, 0x80
_MAX_CABINET_SIZE = 0xFFFFFFFF
_MIN_TIME, _MAX_TIME = datetime(1980, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to add to a cabinet."""

    name: str
    """Relative path with `\\` between folders."""
    data: bytes
    time: datetime
    """Aware. Written in UTC, because cabinets have no time zone, with a precision of two seconds."""


def write(files: Sequence[NewFile]) -> bytes:
    """Create a cabinet with these files, in this order. Raises SigningError if they exceed a limit of the format.

    Consecutive files with the same top-level folder in their names share a CFFOLDER and are compressed together.
    """
    folders = [folder for _, group in groupby(files, _top) for folder in _split(list(group))]
    if len(files) > 0xFFFF:
        raise SigningError(
            f"a cabinet can't contain more than {0xFFFF} files, and these are {len(files)}",
            hint="Create several cabinets.",
        )
    blocks = [list(pack(b"".join(file.data for file in folder))) for folder in folders]
    entries = b"".join(_entries(folder, number) for number, folder in enumerate(folders))
    first_file = _HEADER.size + _FOLDER.size * len(folders)
    table, offset = b"", first_file + len(entries)
    for packed in blocks:
        table += _FOLDER.pack(offset, len(packed), MSZIP)
        offset += sum(map(len, packed))
        if offset > _MAX_CABINET_SIZE:
            raise SigningError("a cabinet can't be larger than 4 GiB", hint="Create several cabinets.")
    header = _HEADER.pack(b"MSCF", 0, offset, 0, first_file, 0, 3, 1, len(folders), len(files), 0, 0, 0)
    return b"".join((header, table, entries, *(block for packed in blocks for block in packed)))


def _top(file: NewFile) -> str:
    return file.name.partition("\\")[0].lower()


def _split(files: list[NewFile]) -> list[list[NewFile]]:
    """Distribute the files, in order, to folders of at most `MAX_FOLDER_SIZE` bytes. Raises SigningError."""
    folders: list[list[NewFile]] = [[]]
    size = 0
    for file in files:
        if len(file.data) > MAX_FOLDER_SIZE:
            raise SigningError(
                f"{file.name} is too large: a file in a cabinet can have at most {MAX_FOLDER_SIZE:,} bytes",
                hint="Split the file or leave it out.",
            )
        if size + len(file.data) > MAX_FOLDER_SIZE:
            folders.append([])
            size = 0
        folders[-1].append(file)
        size += len(file.data)
    return folders


def _entries(files: Sequence[NewFile], folder: int) -> bytes:
    """Return the CFFILE entries of the files of a folder. Raises SigningError for a name that is not allowed."""
    entries, offset = b"", 0
    for file in files:
        name = file.name.encode("utf-8", "surrogateescape")
        if not name or len(name) > MAX_NAME_LENGTH or b"\0" in name:
            raise SigningError(
                f"a cabinet can't contain a file with the name {file.name!r}",
                hint=f"Use a name of 1 to {MAX_NAME_LENGTH} bytes without NUL characters.",
            )
        attributes = _ARCHIVE if name.isascii() else _ARCHIVE | _NAME_IS_UTF8
        entries += _FILE.pack(len(file.data), offset, folder, *_dos_time(file.time), attributes) + name + b"\0"
        offset += len(file.data)
    return entries


def _dos_time(time: datetime) -> tuple[int, int]:
    """Convert a time to CFFILE.date and CFFILE.time; a time outside of 1980 to 2107 becomes the nearest valid one."""
    utc = min(max(time.astimezone(UTC), _MIN_TIME), _MAX_TIME)
    date = (utc.year - 1980) << 9 | utc.month << 5 | utc.day
    return date, utc.hour << 11 | utc.minute << 5 | utc.second // 2

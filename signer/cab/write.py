"""Make a cabinet: files in folders, packed with MSZIP.

Source: "Microsoft Cabinet Format" (CFHEADER, CFFOLDER, CFFILE). What is made is one cabinet, never one of a set. Same
files, same names, same times: the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from signer.cab.data import MAX_BLOCKS, MSZIP, PIECE, pack
from signer.errors import SigningError

MAX_NAME_LENGTH = 255
"""How many bytes a name has at most, its NUL not counted (CFFILE.szName)."""
MAX_FILES_PER_FOLDER = MAX_BLOCKS * PIECE
"""How many bytes go into one folder at most: 2 GiB less 32 KiB."""

_HEADER = struct.Struct("<4sIIIIIBBHHHHH")
_FOLDER = struct.Struct("<IHH")
_FILE = struct.Struct("<IIHHHH")
_ARCHIVE, _NAME_IS_UTF8 = 0x20, 0x80
_LARGEST = 0xFFFFFFFF
_EARLIEST, _LATEST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that is to go into a cabinet."""

    name: str
    """With its folders, `\\` between them."""
    data: bytes
    time: datetime
    """Aware. Cabinets have no time zone: it is written in UTC, with a precision of two seconds."""


def write(files: Sequence[NewFile]) -> bytes:
    """A cabinet with these files, in this order. Raises SigningError for what no cabinet can hold.

    Files that stand together and share the first part of their names share a CFFOLDER, so that they are packed as one.
    """
    folders = [folder for _, group in groupby(files, _top) for folder in _split(list(group))]
    if len(files) > 0xFFFF:
        raise SigningError(f"{len(files)} files are more than a cabinet can hold", hint="Make several cabinets.")
    blocks = [list(pack(b"".join(file.data for file in folder))) for folder in folders]
    entries = b"".join(_entries(folder, number) for number, folder in enumerate(folders))
    first_file = _HEADER.size + _FOLDER.size * len(folders)
    table, offset = b"", first_file + len(entries)
    for packed in blocks:
        table += _FOLDER.pack(offset, len(packed), MSZIP)
        offset += sum(map(len, packed))
        if offset > _LARGEST:
            raise SigningError("a cabinet can't be larger than 4 GiB", hint="Make several cabinets.")
    header = _HEADER.pack(b"MSCF", 0, offset, 0, first_file, 0, 3, 1, len(folders), len(files), 0, 0, 0)
    return b"".join((header, table, entries, *(block for packed in blocks for block in packed)))


def _top(file: NewFile) -> str:
    return file.name.partition("\\")[0].lower()


def _split(files: list[NewFile]) -> list[list[NewFile]]:
    """The files in as few folders as hold them."""
    folders: list[list[NewFile]] = [[]]
    size = 0
    for file in files:
        if len(file.data) > MAX_FILES_PER_FOLDER:
            raise SigningError(f"{file.name} is larger than a cabinet can hold", hint="2 GiB is the most for a file.")
        if size + len(file.data) > MAX_FILES_PER_FOLDER:
            folders.append([])
            size = 0
        folders[-1].append(file)
        size += len(file.data)
    return folders


def _entries(files: Sequence[NewFile], folder: int) -> bytes:
    """The CFFILE entries of a folder's files."""
    entries, offset = b"", 0
    for file in files:
        name = file.name.encode("utf-8", "surrogateescape")
        if not name or len(name) > MAX_NAME_LENGTH or b"\0" in name:
            raise SigningError(
                f"a cabinet can't hold a file called {file.name!r}", hint=f"{MAX_NAME_LENGTH} bytes is the most."
            )
        attributes = _ARCHIVE if name.isascii() else _ARCHIVE | _NAME_IS_UTF8
        entries += _FILE.pack(len(file.data), offset, folder, *_dos_time(file.time), attributes) + name + b"\0"
        offset += len(file.data)
    return entries


def _dos_time(time: datetime) -> tuple[int, int]:
    """A time as CFFILE.date and CFFILE.time; one that they can't say becomes the nearest that they can."""
    utc = min(max(time.astimezone(UTC), _EARLIEST), _LATEST)
    date = (utc.year - 1980) << 9 | utc.month << 5 | utc.day
    return date, utc.hour << 11 | utc.minute << 5 | utc.second // 2

"""What is in a cabinet: its files, and their bytes.

Source: "Microsoft Cabinet Format". Nothing in a cabinet is believed: sizes, offsets and checksums are checked, and a
file is unpacked into memory, never to where its name says.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from signer.cab.cabinet import Cabinet
from signer.cab.data import HEADER, MSZIP, PIECE, STORED, checksum, unpack
from signer.errors import MalformedInput

_FIXED = 36
_FILE = struct.Struct("<IIHHHH")
_RESERVE_PRESENT, _IN_A_SET = 0x0004, 0x0003
_NAME_IS_UTF8 = 0x80
_METHODS = {STORED: "none", MSZIP: "MSZIP", 2: "Quantum", 3: "LZX"}
_CODE_PAGE = "cp1252"  # of names that are not UTF-8: the format does not say; what follows 0x7F is shown, not used
_MOST_UNPACKED = 1 << 32


@dataclass(frozen=True, slots=True)
class CabinetFolder:
    """A run of data blocks: files that are packed as one."""

    offset: int
    blocks: int
    method: int
    """CFFOLDER.typeCompress, without the parameters of the compression."""

    @property
    def compression(self) -> str:
        """`none`, `MSZIP`, `Quantum`, `LZX` or the number."""
        return _METHODS.get(self.method, str(self.method))


@dataclass(frozen=True, slots=True)
class CabinetFile:
    """A file in a cabinet."""

    name: str
    """As it stands there, mostly with `\\` between folders."""
    size: int
    offset: int
    """Where it begins in its folder's bytes."""
    folder: int
    time: datetime | None
    """As it stands there; a cabinet has no time zone. None for a date that does not exist."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a cabinet says that it holds."""

    cabinet: Cabinet
    folders: tuple[CabinetFolder, ...]
    files: tuple[CabinetFile, ...]
    """In the order of the cabinet; nothing keeps two of them from having one name."""
    block_reserve: int = 0

    @classmethod
    def parse(cls, data: memoryview | bytes) -> Listing:
        """The listing of a cabinet. Raises MalformedInput, also for one of a set."""
        cabinet = Cabinet.parse(data)
        view = cabinet.data
        first_file, folders, files, flags = (*_at("<I", view, 16), *_at("<HHH", view, 26))
        if flags & _IN_A_SET:
            raise MalformedInput("the cabinet is one of a set", offset=30, hint="Make one cabinet of it.")
        place, per_folder, per_block = _FIXED, 0, 0
        if flags & _RESERVE_PRESENT:
            in_header, per_folder, per_block = _at("<HBB", view, _FIXED)
            place += 4 + in_header
        found = tuple(_folder(view, place + number * (8 + per_folder)) for number in range(folders))
        return cls(cabinet, found, tuple(_files(view, first_file, files, len(found))), per_block)

    def contents(self) -> Iterator[tuple[CabinetFile, bytes]]:
        """Each file with its bytes, one folder after another. Raises MalformedInput."""
        if sum(folder.blocks for folder in self.folders) * PIECE > _MOST_UNPACKED:
            raise MalformedInput("the cabinet would unpack to more than 4 GiB", hint="This is no driver package.")
        for number, folder in enumerate(self.folders):
            files = [file for file in self.files if file.folder == number]
            data = b"".join(self._pieces(folder))
            for file in files:
                if file.offset + file.size > len(data):
                    raise MalformedInput(f"{file.name!r} lies beyond the end of its data")
                yield file, data[file.offset : file.offset + file.size]

    def _pieces(self, folder: CabinetFolder) -> Iterator[bytes]:
        """What the blocks of a folder hold."""
        if folder.method not in (STORED, MSZIP):
            raise MalformedInput(
                f"the cabinet is packed with {folder.compression}, which can't be read here",
                hint="Make it with MSZIP, as the Hardware Dev Center wants it.",
            )
        view, place, dictionary = self.cabinet.data, folder.offset, b""
        for _ in range(folder.blocks):
            expected, packed, size = _at("<IHH", view, place)
            start = place + HEADER.size + self.block_reserve
            if start + packed > self.cabinet.size or size > PIECE:
                raise MalformedInput("a block of the cabinet is larger than it can be", offset=place)
            block = view[start : start + packed]
            covered = bytes(view[place + 4 : start]) if self.block_reserve == 0 else None
            if expected and covered is not None and checksum(covered, checksum(block)) != expected:
                raise MalformedInput("a block of the cabinet has another checksum than it says", offset=place)
            dictionary = unpack(block, size, folder.method, dictionary, place)
            yield dictionary
            place = start + packed


def _folder(view: memoryview, place: int) -> CabinetFolder:
    offset, blocks, kind = _at("<IHH", view, place)
    return CabinetFolder(offset, blocks, kind & 0x000F)


def _files(view: memoryview, place: int, count: int, folders: int) -> Iterator[CabinetFile]:
    for _ in range(count):
        size, offset, folder, date, time, attributes = _at(_FILE.format, view, place)
        if folder >= folders:
            raise MalformedInput(f"a file is said to be in folder {folder} of {folders}", offset=place)
        start = place + _FILE.size
        raw = bytes(view[start : start + 257])
        end = raw.find(b"\0")
        if end < 1:
            raise MalformedInput("a file's name in the cabinet has no end", offset=start)
        encoding = "utf-8" if attributes & _NAME_IS_UTF8 else _CODE_PAGE
        yield CabinetFile(raw[:end].decode(encoding, "backslashreplace"), size, offset, folder, _time(date, time))
        place = start + end + 1


def _time(date: int, time: int) -> datetime | None:
    try:
        return datetime(
            1980 + (date >> 9), date >> 5 & 15, date & 31, time >> 11, time >> 5 & 63, (time & 31) * 2, tzinfo=UTC
        )
    except ValueError:
        return None


def _at(form: str, view: memoryview, place: int) -> tuple[int, ...]:
    """Numbers at an offset. Raises MalformedInput where the cabinet ends before."""
    if place + struct.calcsize(form) > len(view):
        raise MalformedInput("the cabinet ends in its tables", offset=place)
    return struct.unpack_from(form, view, place)

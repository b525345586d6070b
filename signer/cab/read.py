"""List and unpack the files in a cabinet.

Source: "Microsoft Cabinet Format". A cabinet is untrusted input: sizes, offsets and checksums are checked, and files
are unpacked into memory, never to the paths that their names give.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from signer.cab.cabinet import Cabinet
from signer.cab.data import HEADER, MSZIP, PIECE, STORED, checksum, unpack
from signer.cab.lzx import LZX, Decompressed, PackedFolder, decompressed
from signer.errors import MalformedInput
from signer.limits import LIMITS, raising
from signer.records import dataclass

_FIXED = 36
_FILE = struct.Struct("<IIHHHH")
_RESERVE_PRESENT, _IN_A_SET = 0x0004, 0x0003
_NAME_IS_UTF8 = 0x80
_METHODS = {STORED: "none", MSZIP: "MSZIP", 2: "Quantum", LZX: "LZX"}
_CODE_PAGE = "cp1252"
"""Encoding of names that are not UTF-8. The format doesn't define it; such names are only displayed."""
MAX_UNPACKED = 1 << 32
"""Maximum size in bytes of all files of a cabinet."""
MAX_EXPANSION = 16
"""Maximum ratio of the size of all files to the size of the cabinet, beyond the limit `cabinet-size`. MSZIP reaches
1000 for zeros, drivers up to 10."""

MIN_BYTES_PER_FILE = 2_500
"""Minimum ratio of the size of an archive to the number of its files, beyond the limit `archive-files`. Those of driver
packages have 5,000 bytes and more."""


@dataclass(frozen=True, slots=True)
class CabinetFolder:
    """A CFFOLDER: consecutive data blocks with files that are compressed together."""

    offset: int
    blocks: int
    method: int
    """CFFOLDER.typeCompress, without the parameters of the compression."""
    window: int
    """The parameter of LZX: its window is 2 to the power of this number, in bytes."""

    @property
    def compression(self) -> str:
        """`none`, `MSZIP`, `Quantum`, `LZX` or the number."""
        return _METHODS.get(self.method, str(self.method))


@dataclass(frozen=True, slots=True)
class CabinetFile:
    """A file in a cabinet."""

    name: str
    """As stored, usually with `\\` between folders."""
    size: int
    """Uncompressed size in bytes."""
    offset: int
    """Offset in the uncompressed bytes of its folder."""
    folder: int
    """Index of its CFFOLDER."""
    time: datetime | None
    """As stored, read as UTC, because a cabinet has no time zone. None for an invalid date."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The folders and files of a cabinet."""

    cabinet: Cabinet
    folders: tuple[CabinetFolder, ...]
    files: tuple[CabinetFile, ...]
    """In the order of the cabinet. Two files can have the same name."""
    block_reserve: int = 0
    """cbCFData: reserved bytes in the header of each data block."""

    @classmethod
    def parse(cls, data: memoryview | bytes) -> Listing:
        """Parse the tables of a cabinet. Raises MalformedInput, also for a part of a multi-cabinet set."""
        cabinet = Cabinet.parse(data)
        view = cabinet.data
        first_file, folders, files, flags = (*_at("<I", view, 16), *_at("<HHH", view, 26))
        if flags & _IN_A_SET:
            raise MalformedInput(
                "the cabinet is part of a multi-cabinet set", offset=30, hint="Put all files into one cabinet."
            )
        place, per_folder, per_block = _FIXED, 0, 0
        if flags & _RESERVE_PRESENT:
            in_header, per_folder, per_block = _at("<HBB", view, _FIXED)
            place += 4 + in_header
        found = tuple(_folder(view, place + number * (8 + per_folder)) for number in range(folders))
        return cls(cabinet, found, tuple(_files(view, first_file, files, len(found))), per_block)

    def contents(self, is_wanted: Callable[[str], bool] = bool) -> Iterator[tuple[CabinetFile, memoryview]]:
        """Yield each file with a wanted name and its bytes, folder by folder; folders without one are not decompressed.

        Raises MalformedInput, and FileError for LZX without the library that decompresses it.
        """
        for file, content in self.each(is_wanted):
            if isinstance(content, MalformedInput):
                raise content
            yield file, content

    def each(self, is_wanted: Callable[[str], bool]) -> Iterator[tuple[CabinetFile, memoryview | MalformedInput]]:
        """Do the same, but give a file that is in damaged data an error, and go on.

        Raises MalformedInput only for the cabinet as a whole.
        """
        self._require_bounded()
        by_folder: dict[int, list[CabinetFile]] = {}
        for file in self.files:
            if is_wanted(file.name):
                by_folder.setdefault(file.folder, []).append(file)
        for folder, (data, damage) in self._decompressed(sorted(by_folder)):
            for file in by_folder[folder]:
                if file.offset + file.size <= len(data):
                    yield file, memoryview(data)[file.offset : file.offset + file.size]
                else:
                    message = f"the data of {file.name!r} extends beyond the end of its folder"
                    yield file, damage or MalformedInput(message)

    def _decompressed(self, numbers: Sequence[int]) -> Iterator[tuple[int, Decompressed]]:
        """Yield the bytes of these folders."""
        packed: list[PackedFolder] = []
        damaged: dict[int, MalformedInput] = {}
        for number in numbers:
            if self.folders[number].method == LZX:
                try:
                    packed.append(self._packed(self.folders[number]))
                except MalformedInput as error:
                    damaged[number] = error
        lzx = decompressed(packed)
        for number in numbers:
            folder = self.folders[number]
            if number in damaged:
                yield number, Decompressed(bytearray(), damaged[number])
            else:
                yield number, next(lzx) if folder.method == LZX else self._unpacked(folder)

    def _packed(self, folder: CabinetFolder) -> PackedFolder:
        """Return the compressed blocks of a folder with LZX. Raises MalformedInput."""
        return PackedFolder.of(folder.window, folder.offset, self.sized_blocks(folder))

    def sized_blocks(self, folder: CabinetFolder) -> list[tuple[memoryview, int]]:
        """Return the compressed bytes of each data block, and its decompressed size. Raises MalformedInput."""
        return [(block, size) for _, block, size in self._blocks(folder)]

    def _unpacked(self, folder: CabinetFolder) -> Decompressed:
        """Decompress a folder without LZX, up to its first damaged block."""
        data = bytearray()
        try:
            for piece in self._pieces(folder):
                data += piece
        except MalformedInput as error:
            return Decompressed(data, error)
        return Decompressed(data)

    def _require_bounded(self) -> None:
        """Raise MalformedInput for a cabinet that expands beyond the limits, or whose files share bytes."""
        unpacked = sum(folder.blocks for folder in self.folders) * PIECE
        limit = unpacked_limit(len(self.cabinet.data))
        if unpacked > limit:
            raise MalformedInput(
                f"the cabinet would decompress to {unpacked:,} bytes; the limit is {limit:,}",
                hint=raising("cabinet-size"),
            )
        total = sum(file.size for file in self.files)
        if total > unpacked:
            raise MalformedInput(
                f"the files of the cabinet have {total:,} bytes, but its data has at most {unpacked:,}",
                hint="Check its source: files that share their data can fill the memory.",
            )

    def _pieces(self, folder: CabinetFolder) -> Iterator[bytes]:
        """Yield the decompressed blocks of a folder."""
        if folder.method not in (STORED, MSZIP):
            raise MalformedInput(
                f"the cabinet is compressed with {folder.compression}, which is not supported",
                hint="Create the cabinet with MSZIP compression, which the Hardware Dev Center requires.",
            )
        dictionary = b""
        for place, block, size in self._blocks(folder):
            dictionary = unpack(block, size, folder.method, dictionary, place)
            yield dictionary

    def _blocks(self, folder: CabinetFolder) -> Iterator[tuple[int, memoryview, int]]:
        """Yield the data blocks of a folder: offset, compressed bytes and decompressed size."""
        view, place = self.cabinet.data, folder.offset
        for _ in range(folder.blocks):
            expected, packed, size = _at("<IHH", view, place)
            start = place + HEADER.size + self.block_reserve
            if start + packed > self.cabinet.size or size > PIECE:
                raise MalformedInput("the size of a data block of the cabinet is out of range", offset=place)
            block = view[start : start + packed]
            covered = bytes(view[place + 4 : start]) if self.block_reserve == 0 else None
            if expected and covered is not None and checksum(covered, checksum(block)) != expected:
                raise MalformedInput("the checksum of a data block of the cabinet is wrong", offset=place)
            yield place, block, size
            place = start + packed


def unpacked_limit(size: int) -> int:
    """Return how many bytes an archive of this size may decompress to."""
    return min(MAX_UNPACKED, max(LIMITS["cabinet-size"], MAX_EXPANSION * size))


def require_few_files(count: int, size: int) -> None:
    """Refuse to unpack this number of files from an archive of this size. Raises MalformedInput."""
    limit = max(LIMITS["archive-files"], size // MIN_BYTES_PER_FILE)
    if count > limit:
        message = f"the archive has more than {limit:,} files that would be unpacked"
        raise MalformedInput(message, hint=raising("archive-files"))


def _folder(view: memoryview, place: int) -> CabinetFolder:
    offset, blocks, kind = _at("<IHH", view, place)
    return CabinetFolder(offset, blocks, kind & 0x000F, kind >> 8 & 0x1F)


def _files(view: memoryview, place: int, count: int, folders: int) -> Iterator[CabinetFile]:
    for _ in range(count):
        size, offset, folder, date, time, attributes = _at(_FILE.format, view, place)
        if folder >= folders:
            raise MalformedInput(
                f"a file refers to folder {folder}, but the cabinet has {folders} folders", offset=place
            )
        start = place + _FILE.size
        raw = bytes(view[start : start + 257])
        end = raw.find(b"\0")
        if end < 1:
            raise MalformedInput("a file name in the cabinet is empty or not terminated", offset=start)
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
    """Unpack numbers at an offset. Raises MalformedInput if the cabinet ends before."""
    if place + struct.calcsize(form) > len(view):
        raise MalformedInput("the cabinet is truncated in its tables", offset=place)
    return struct.unpack_from(form, view, place)

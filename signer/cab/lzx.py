"""Decompress the folders of a cabinet that are compressed with LZX, with libarchive in a process of its own.

A decoder in Python would take half a minute for 10 MB. libarchive gets a new cabinet for each folder: one file with the
folder's data blocks, so that only the decoder reads untrusted bytes, and names, sizes and limits stay those of
`signer.cab.read`. Sources: "Microsoft Cabinet Format"; "Microsoft LZX Data Compression Format" (Cabinet SDK).
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from subprocess import Popen
from threading import Thread
from typing import NamedTuple

from signer.errors import FileError, MalformedInput
from signer.helper_program import started
from signer.records import dataclass

LZX = 3
"""The value of CFFOLDER.typeCompress."""
MIN_WINDOW, MAX_WINDOW = 15, 21
"""The window is 2 to the power of this number, in bytes."""

MAX_DAMAGED = 8
"""Maximum number of damaged folders of a cabinet after which others are decompressed."""
_PROGRAM = Path(__file__).with_name("lzx_reader.py")
_CHUNK = 1 << 20
_NAME = b"folder\0"


@dataclass(frozen=True, slots=True)
class PackedFolder:
    """The data blocks of a folder."""

    window: int
    """The window is 2 to the power of this number, in bytes."""
    offset: int
    """Offset of the data in the file, for errors."""
    blocks: Sequence[tuple[memoryview, int]]
    """Compressed bytes of each block, and its decompressed size."""

    @classmethod
    def of(cls, window: int, offset: int, blocks: Sequence[tuple[memoryview, int]]) -> PackedFolder:
        """Create one. Raises MalformedInput for a window that LZX does not have."""
        if not MIN_WINDOW <= window <= MAX_WINDOW:
            message = f"the LZX window of the cabinet has 2^{window} bytes; LZX allows 2^15 to 2^21"
            raise MalformedInput(message, offset=offset)
        return cls(window, offset, blocks)

    @property
    def size(self) -> int:
        """Decompressed size in bytes."""
        return sum(size for _, size in self.blocks)


class Decompressed(NamedTuple):
    """The bytes of a folder."""

    data: bytearray
    """Up to the damage."""
    damage: MalformedInput | None = None
    """The error of damaged data; None if there is none."""


def is_available() -> bool:
    """Return whether the library is installed."""
    return find_spec("archi") is not None


def decompressed(folders: Sequence[PackedFolder]) -> Iterator[Decompressed]:
    """Yield the bytes of each folder. One process decompresses them, and another one those after a damaged folder.

    After MAX_DAMAGED damaged folders, the others count as damaged too. Raises FileError without the library.
    """
    if folders and not is_available():
        raise FileError(
            "the cabinet is compressed with LZX, and reading it requires the library archi",
            hint="Run: pip install 'drvsign[archives]'. Or unpack the cabinet with: cabextract -d FOLDER FILE.cab "
            "(on Windows: expand FILE.cab -F:* FOLDER)",
        )
    done = 0
    for _ in range(MAX_DAMAGED):
        for one in _of_one_process(folders[done:]):
            done += 1
            yield one
    for folder in folders[done:]:
        yield Decompressed(bytearray(), _damage(folder))


def _of_one_process(folders: Sequence[PackedFolder]) -> Iterator[Decompressed]:
    """Yield the bytes of the folders up to the first damaged one."""
    full = [folder for folder in folders if folder.size]
    pieces = _through_libarchive(_cabinet(full)) if full else iter(())
    data = bytearray()
    for folder in folders:
        while len(data) < folder.size:
            piece = next(pieces, b"")
            if not piece:
                yield Decompressed(data, _damage(folder))
                return
            data += piece
        rest = data[folder.size :]
        yield Decompressed(data[: folder.size] if rest else data)
        data = rest


def _damage(folder: PackedFolder) -> MalformedInput:
    return MalformedInput("the LZX data of the cabinet can't be decompressed", offset=folder.offset)


def _cabinet(folders: Sequence[PackedFolder]) -> bytes:
    """Return a cabinet with one file for each folder. Checksums are left out (0)."""
    entries = b"".join(
        struct.pack("<IIHHHH", folder.size, 0, number, 0x21, 0, 0) + _NAME for number, folder in enumerate(folders)
    )
    first = 36 + 8 * len(folders)
    table, body, place = b"", [], first + len(entries)
    for folder in folders:
        table += struct.pack("<IHH", place, len(folder.blocks), LZX | folder.window << 8)
        for block, size in folder.blocks:
            body += [struct.pack("<IHH", 0, len(block), size), bytes(block)]
            place += 8 + len(block)
    count = len(folders)
    header = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, place, 0, first, 0, 3, 1, count, count, 0, 0, 0)
    return b"".join((header, table, entries, *body))


def _through_libarchive(cabinet: bytes) -> Iterator[bytes]:
    """Yield what the process writes; it ends early for damaged data."""
    with started(_PROGRAM) as process:
        Thread(target=_feed, args=(process, cabinet), daemon=True).start()
        assert process.stdout is not None
        while piece := process.stdout.read(_CHUNK):
            yield piece


def _feed(process: Popen[bytes], cabinet: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(OSError, ValueError), process.stdin as stdin:
        stdin.write(cabinet)

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

from signer.errors import FileError, MalformedInput
from signer.helper_program import started
from signer.records import dataclass

LZX = 3
"""The value of CFFOLDER.typeCompress."""
MIN_WINDOW, MAX_WINDOW = 15, 21
"""The window is 2 to the power of this number, in bytes."""

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

    @property
    def size(self) -> int:
        """Decompressed size in bytes."""
        return sum(size for _, size in self.blocks)


def is_available() -> bool:
    """Return whether the library is installed."""
    return find_spec("archi") is not None


def decompressed(folders: Sequence[PackedFolder]) -> Iterator[bytearray]:
    """Yield the bytes of each folder, all from one process. Raises FileError and MalformedInput."""
    for folder in folders:
        if not MIN_WINDOW <= folder.window <= MAX_WINDOW:
            message = f"the LZX window of the cabinet has 2^{folder.window} bytes; LZX allows 2^15 to 2^21"
            raise MalformedInput(message, offset=folder.offset)
    if folders and not is_available():
        raise FileError(
            "the cabinet is compressed with LZX, and reading it requires the library archi",
            hint="Run: pip install 'drvsign[archives]'. Or unpack the cabinet with: cabextract -d FOLDER FILE.cab "
            "(on Windows: expand FILE.cab -F:* FOLDER)",
        )
    full = [folder for folder in folders if folder.size]
    pieces = _through_libarchive(_cabinet(full)) if full else iter(())
    data = bytearray()
    for folder in folders:
        while len(data) < folder.size:
            piece = next(pieces, b"")
            if not piece:
                raise MalformedInput("the LZX data of the cabinet can't be decompressed", offset=folder.offset)
            data += piece
        yield data[: folder.size]
        del data[: folder.size]


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

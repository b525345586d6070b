"""LZX: cabinets whose folders libarchive decompresses, many in one process."""

from __future__ import annotations

import atexit
import functools
import random
import struct
from collections.abc import Iterator, Sequence
from unittest import mock

from signer.cab import lzx
from signer.cab.data import PIECE
from signer.cab.read import Listing
from signer.errors import SignerError
from tests.fuzz.harness import Harness
from tests.fuzz.lzx_process import Decompressor
from tests.fuzz.mutation import mutated_bytes
from tests.support.lzx_cabinets import lzx_cabinet, lzx_frames

INSTRUMENTED = ("signer.cab.lzx", "signer.cab.read")
TEXT = b"[Version]\r\nSignature=$CHICAGO$\r\n"
CALLS = b"\xe8\x10\x00\x00\x00MZ" * 12
CONTENTS = (TEXT, CALLS, bytes(300), bytes(range(64)), b"ab" * 40 + TEXT * 5)
WINDOWS = range(lzx.MIN_WINDOW, lzx.MAX_WINDOW + 1)


def seeds() -> Iterator[bytes]:
    yield lzx_cabinet({"a.inf": TEXT})
    yield lzx_cabinet({"a.inf": TEXT, "b.sys": CALLS}, 17, 12_000_000)
    yield lzx_cabinet({"z.sys": bytes(40_000), "empty": b""}, 21)
    yield lzx_cabinet({"a.sys": bytes(range(64))}, 16)


@functools.cache
def decompressor() -> Decompressor:
    """Return the process that has libarchive."""
    found = Decompressor()
    atexit.register(found.end)
    return found


def through_one_process(cabinet: bytes) -> Iterator[bytes]:
    """Decompress a cabinet as `lzx._through_libarchive` does, without a process of its own."""
    yield decompressor().decompress(cabinet)


def run(data: bytes) -> bool:
    with mock.patch.object(lzx, "_through_libarchive", through_one_process):
        try:
            for file, content in Listing.parse(data).contents():
                assert len(content) == file.size
        except SignerError:
            return False
    return True


_HEADERS = 36 + 8
"""Bytes of the header of a cabinet and of its first folder, in which `_with_blocks` writes sizes."""


@functools.cache
def packed(content: bytes, window: int, translation: int) -> tuple[bytes, int]:
    """Return a block of this content and its size."""
    return lzx_frames(content, window, translation)[0], len(content)


def mutate(data: bytes, chooser: random.Random) -> bytes:
    """Change a block of the first folder, and keep the sizes of the cabinet consistent; else, change any byte."""
    try:
        listing = Listing.parse(data)
        blocks = [(bytes(block), size) for block, size in listing.sized_blocks(listing.folders[0])]
    except (SignerError, IndexError):
        return mutated_bytes(data, chooser)
    if chooser.random() < 0.2 or not blocks or listing.folders[0].offset < _HEADERS:
        return mutated_bytes(data, chooser)
    place = chooser.randrange(len(blocks))
    block, size = blocks[place]
    match chooser.randrange(4):
        case 0:
            blocks[place] = packed(chooser.choice(CONTENTS), chooser.choice(WINDOWS), chooser.choice((0, 0, 1 << 20)))
        case 1:
            blocks.insert(place, blocks[chooser.randrange(len(blocks))])
        case 2:
            blocks[place] = block, chooser.choice((0, 1, size - 1, size + 1, PIECE))
        case _:
            blocks[place] = mutated_bytes(block, chooser), size
    return _with_blocks(data, listing, blocks)


def _with_blocks(data: bytes, listing: Listing, blocks: Sequence[tuple[bytes, int]]) -> bytes:
    """Return the cabinet with other blocks in its first folder, which is the last thing in it. No checksums."""
    start = listing.folders[0].offset
    body = b"".join(struct.pack("<IHH", 0, len(one) & 0xFFFF, size & 0xFFFF) + one for one, size in blocks)
    changed = bytearray(data[:start].ljust(start, b"\0") + body)
    struct.pack_into("<I", changed, 8, len(changed))
    struct.pack_into("<H", changed, 40, len(blocks))
    return bytes(changed)


HARNESS = Harness(
    "lzx",
    run,
    seeds,
    (lzx.decompressed, lzx._cabinet, Listing.sized_blocks),
    mutate=mutate,
    max_size=1024,
)

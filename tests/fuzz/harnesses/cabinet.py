"""Cabinets: the layout, the files in them, the evidence, and signatures added and removed."""

from __future__ import annotations

import contextlib
import random
import struct
from collections.abc import Iterator

from signer.cab import data as blocks
from signer.cab import embed
from signer.cab.cabinet import Cabinet
from signer.cab.read import Listing
from signer.cab.write import NewFile, write
from signer.errors import SignerError
from signer.verify.gather import gather
from tests.fuzz.harness import Harness
from tests.fuzz.mutation import mutated_bytes
from tests.support.cabinets import cabinet
from tests.support.timestamping import NOON

INSTRUMENTED = (
    "signer.cab.cabinet",
    "signer.cab.data",
    "signer.cab.embed",
    "signer.cab.read",
    "signer.formats.cabinet",
)
HEADER_SIZE = 36
FILES = {"a.inf": b"[Version]", "d\\b.sys": bytes(range(64)) * 3}
SIGNATURE = bytes.fromhex("3003020101")
"""An element that is no signature: the harness `signed_data` has real ones."""


def seeds() -> Iterator[bytes]:
    plain = cabinet(FILES)
    yield plain
    yield cabinet(FILES, folders=2)
    yield write([NewFile(name, data, NOON) for name, data in FILES.items()])
    yield write([NewFile("z\\é.bin", bytes(70_000), NOON)])
    yield embed.embed(embed.prepare(Cabinet.parse(plain)), SIGNATURE)


def run(data: bytes) -> bool:
    with contextlib.suppress(SignerError):
        assert gather(data, "cabinet", "a.cab").kind == "cabinet"
    with contextlib.suppress(SignerError):
        _sign_and_strip(Cabinet.parse(data))
    try:
        for file, content in Listing.parse(data).contents():
            assert len(content) == file.size
    except SignerError:
        return False
    return True


def _sign_and_strip(found: Cabinet) -> None:
    """Add and remove a signature, and compare the bytes that a signature covers."""
    signed = Cabinet.parse(embed.embed(embed.prepare(found), SIGNATURE))
    assert signed.signed_data() == SIGNATURE
    covered = b"".join(signed.hashed_ranges())
    if found.has_signature_reserve:
        assert covered == b"".join(found.hashed_ranges())
        return
    assert embed.strip(signed) == bytes(found.data)


def mutate(data: bytes, chooser: random.Random) -> bytes:
    """Change bytes; in most cases, remove the checksums of the data blocks, which are optional."""
    changed = bytearray(mutated_bytes(data, chooser))
    if chooser.random() < 0.2 or len(changed) < HEADER_SIZE:
        return bytes(changed)
    (folders,) = struct.unpack_from("<H", changed, 26)
    for entry in range(HEADER_SIZE, HEADER_SIZE + 8 * min(folders, 4), 8):
        place, count = struct.unpack_from("<IH", changed.ljust(entry + 8, b"\0"), entry)
        for _ in range(min(count, 4)):
            if place + blocks.HEADER.size <= len(changed):
                changed[place : place + 4] = bytes(4)
                place += blocks.HEADER.size + struct.unpack_from("<H", changed, place + 4)[0]
    return bytes(changed)


HARNESS = Harness(
    "cabinet",
    run,
    seeds,
    (blocks.unpack, embed.prepare, embed.strip, Listing.contents),
    mutate=mutate,
    max_size=512,
)

"""SZDD: files that COMPRESS.EXE compressed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from signer.cab import szdd
from signer.errors import MalformedInput
from tests.fuzz.harness import Harness
from tests.fuzz.mutation import mutated_bytes
from tests.support.cabinets import szdd as literal
from tests.support.cabinets import szdd_header

INSTRUMENTED = ("signer.cab.szdd",)
HEADER_SIZE = 14
COPIES = b"\x00" + b"\xf0\xf1" * 8
"""A group of eight copies from the window."""


def seeds() -> Iterator[bytes]:
    yield literal(b"[Version]\r\nSignature=$CHICAGO$\r\n")
    yield literal(bytes(range(128)))
    yield szdd_header(144) + COPIES + b"\x00" + b"\x00\x0f" * 8 + b"\x55ab\x01\x02"
    yield szdd_header(8) + b"\x0fabcd\xee\xf1\xf2\xf3"


def run(data: bytes) -> bool:
    try:
        expanded = szdd.expand(data)
    except MalformedInput:
        return False
    assert len(expanded) == int.from_bytes(data[10:14], "little")
    return True


def mutate(data: bytes, chooser: random.Random) -> bytes:
    """Change bytes; in most cases, write the size into the header that the data expands to."""
    data = mutated_bytes(data, chooser)
    if chooser.random() < 0.2:
        return data
    size = len(szdd._expand_lzss(data[HEADER_SIZE:], 1 << 16))
    return szdd_header(size) + data[HEADER_SIZE:]


HARNESS = Harness("szdd", run, seeds, (szdd._expand_lzss, szdd._repeated), mutate=mutate, max_size=256)

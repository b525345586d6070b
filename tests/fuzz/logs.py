"""Read a log, for the harnesses of all its forms."""

from __future__ import annotations

from zlib import crc32

from signer.explain.context import Context
from signer.explain.explain import Input, explain
from signer.explain.readers.table import read_records

PIECE = 700
"""Size of the pieces that a log is read in: lines and events cross their borders."""
EXPLAINED = 64
"""One of so many inputs is explained too, which takes longer than reading it."""


def read_log(data: bytes) -> bool:
    """Read a log in pieces. Return whether it has a record; raise for an answer that says nothing."""
    pieces = [data[at : at + PIECE] for at in range(0, len(data), PIECE)]
    if crc32(data) % EXPLAINED == 0:
        for answer in explain([Input("log", pieces)]).answers:
            assert answer.cause and answer.reason and answer.next
    return sum(1 for _ in read_records(pieces, Context())) > 0

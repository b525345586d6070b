"""MSIs: the compound file, the tables, and the driver files of the cabinets with their paths."""

from __future__ import annotations

import atexit
import functools
import io
import random
import shutil
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

from signer.audit import msi as reader
from signer.audit.archive_limits import is_wanted
from signer.audit.msi_database import _DAMAGED, MsiDatabase
from signer.errors import SignerError
from tests.fuzz.harness import Harness
from tests.fuzz.mutation import mutated_bytes
from tests.support.cabinets import cabinet
from tests.support.msi_files import Rows, compound_file, msi, stored_name

INSTRUMENTED = ("signer.audit.msi", "signer.audit.msi_database")
FILES = {"INF": "HELLO.INF|hello driver.inf", "SYS": "hello.sys", "TXT": "readme.txt"}
FOLDERS: Rows = (
    ("TARGETDIR", "", "SourceDir"),
    ("PF", "TARGETDIR", "PFiles|Program Files:source"),
    ("APP", "PF", "CONTOS~1|Contoso"),
    ("LOOP", "LOOP", "."),
)
CABINET = cabinet({"INF": b"[Version]", "SYS": b"MZ", "TXT": b"text"})
PIECES = (
    "",
    ".",
    "..",
    "|",
    ":",
    "/",
    "\\",
    "a.sys",
    "A|b.inf",
    "#x.cab",
    "#",
    "x.cab",
    "LOOP",
    "APP",
    "SYS",
    "File",
    "Media",
)
POOL, DATA = (f"\u4840{stored_name(name)}" for name in ("_StringPool", "_StringData"))


def seeds() -> Iterator[bytes]:
    yield msi(FILES, {"x.cab": CABINET}, FOLDERS)
    yield msi({"SYS": "LOOP:a.sys"}, {"x.cab": CABINET}, FOLDERS, wide=True)
    yield msi({"SYS": "a.sys", "INF": "b.inf"}, {"x.cab": CABINET, "y.cab": CABINET})
    yield msi({"SYS": "a.sys"}, {"x.cab": cabinet({"SYS": bytes(range(256)) * 17})})
    yield msi({"SYS": "a.sys"}, {}, media=["data.cab"])


@functools.cache
def folder() -> Path:
    """Return a folder with a cabinet that an MSI may name."""
    found = Path(tempfile.mkdtemp(prefix="msi."))
    atexit.register(shutil.rmtree, found, ignore_errors=True)
    (found / "data.cab").write_bytes(CABINET)
    return found


def run(data: bytes) -> bool:
    path = folder() / "x.msi"
    path.write_bytes(data)
    try:
        for member in reader.msi_members(path):
            assert is_wanted(member.name)
            assert member.fault or sum(map(len, member.pieces)) == member.size
    except SignerError:
        return False
    return True


def mutate(data: bytes, chooser: random.Random) -> bytes:
    """Change a string or a stream and write the compound file anew; else, change any byte."""
    streams = dict(_streams(data)) if chooser.random() < 0.8 else {}
    if not streams:
        return mutated_bytes(data, chooser)
    if POOL in streams and DATA in streams and chooser.random() < 0.4:
        streams[POOL], streams[DATA] = _with_other_string(streams[POOL], streams[DATA], chooser)
    else:
        name = chooser.choice(sorted(streams))
        match chooser.randrange(8):
            case 0:
                del streams[name]
            case 1:
                streams[name] = streams[chooser.choice(sorted(streams))]
            case _:
                streams[name] = mutated_bytes(streams[name], chooser)
    try:
        return compound_file(streams)
    except (ValueError, struct.error, StopIteration):
        return mutated_bytes(data, chooser)


@functools.lru_cache(1024)
def _streams(data: bytes) -> dict[str, bytes]:
    """Return the streams of a compound file; nothing if it is damaged."""
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            names = [one for one in file.listdir() if len(one) == 1 and file.get_size(one) <= len(data)]
            return {name: file.openstream([name]).read() for (name,) in names}
    except _DAMAGED:
        return {}


def _with_other_string(pool: bytes, data: bytes, chooser: random.Random) -> tuple[bytes, bytes]:
    """Replace, double or remove a string of the pool."""
    sizes = [struct.unpack_from("<H", pool, place)[0] for place in range(4, len(pool) - 3, 4)]
    if not sizes:
        return pool, data
    number = chooser.randrange(len(sizes))
    start = sum(sizes[:number])
    old = data[start : start + sizes[number]]
    new = chooser.choice((*(piece.encode() for piece in PIECES), old + old, b"x" * chooser.choice((60, 255, 300))))
    place = 4 + 4 * number
    return pool[:place] + struct.pack("<H", len(new)) + pool[place + 2 :], data[:start] + new + data[start + len(old) :]


HARNESS = Harness(
    "msi",
    run,
    seeds,
    (reader._path, reader._unpacked, MsiDatabase.stream, MsiDatabase._values),
    mutate=mutate,
    max_size=12288,
)

"""Archives and requests of a given size that take the most time or memory to read."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from collections.abc import Mapping, Sequence

from bench._worst_files import NOON
from signer.cab.write import NewFile, write

_MAX_COMPOUND = 7_000_000
"""The largest compound file whose table of sectors is in the header, in bytes."""
_SECTOR = 512
_END, _TABLE, _FREE = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"


def cabinet_of_driver(size: int) -> bytes:
    """A cabinet with one file, which expands almost as much as an archive may."""
    block = random.Random(1).randbytes(1990) + bytes(0x8000 - 1990)
    return write([NewFile("a.sys", block * (size // 2100), NOON)])


def zip_of_drivers(size: int) -> bytes:
    """A .zip with as many empty drivers as fit."""
    return _zip([(f"{number}.sys", 0) for number in range(size // 100)], size)


def zip_of_zeros(size: int) -> bytes:
    """A .zip with one driver, which expands as much as an archive may."""
    return _zip([("a.sys", 16 * size - 10_000)], size)


def zip_of_names(size: int) -> bytes:
    """A .zip whose directory names one file again and again."""
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 0x21, 0, 0, 0, 1, 0) + b"a"
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0x21, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    count = (size - 100) // len(entry)
    most = min(count, 0xFFFF)
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, most, most, len(entry) * count, len(local), 0)
    return local + entry * count + end


def _zip(files: list[tuple[str, int]], size: int) -> bytes:
    """Return a .zip of files of zeros, behind as many zeros as bring it to a size."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, length in files:
            archive.writestr(name, bytes(length))
    return bytes(max(0, size - len(buffer.getvalue()))) + buffer.getvalue()


def msi_of_strings(size: int) -> bytes:
    """An MSI with as many strings of two characters as fit."""
    count = min(size, _MAX_COMPOUND) // 6
    pool = struct.pack("<I", 1252 | 1 << 31) + struct.pack("<HH", 2, 1) * count
    return _compound_file({"_StringPool": pool, "_StringData": bytes(range(256)) * (2 * count // 256)})


def msi_of_folders(size: int) -> bytes:
    """An MSI of drivers in many folders, each in 90 others with long names."""
    count = min(size // 100, 50_000)
    above = [(f"A{one}", f"A{one - 1}" if one else "TARGETDIR", "x" * 60_000) for one in range(90)]
    tables: dict[str, tuple[tuple[str, ...], list[tuple[str, ...]]]] = {
        "Directory": (
            ("Directory", "Directory_Parent", "DefaultDir"),
            [("TARGETDIR", "", "S"), *above, *((f"L{one}", "A89", "y") for one in range(count))],
        ),
        "Component": (("Component", "Directory_"), [(f"C{one}", f"L{one}") for one in range(count)]),
        "File": (("File", "Component_", "FileName"), [(f"F{one}", f"C{one}", f"{one}.sys") for one in range(count)]),
    }
    pool: dict[str, int] = {"": 0}
    streams = {name: _columns(rows, pool) for name, (_, rows) in tables.items()}
    kinds = [(table, one, name) for table, (names, _) in tables.items() for one, name in enumerate(names, 1)]
    kinds += [
        ("Other", one, f"N{one}") for one in range(1, 500)
    ]  # a stream of less than 4,096 bytes is stored otherwise
    streams["_Columns"] = _columns([(table, one, name, _TEXT - (1 << 15)) for table, one, name in kinds], pool)
    texts = list(pool)[1:]
    sizes = b"".join(struct.pack("<HH", len(one), 1) for one in texts)
    streams["_StringPool"] = struct.pack("<I", 1252 | 1 << 31) + sizes
    return _compound_file(streams | {"_StringData": "".join(texts).encode()})


_TEXT = 0x8D48
"""The type of a column of text, as it is stored."""


def _columns(rows: Sequence[Sequence[str | int]], pool: dict[str, int]) -> bytes:
    """Return a table as an MSI stores it: column by column, text as a number of three bytes."""
    return b"".join(
        pool.setdefault(value, len(pool)).to_bytes(3, "little")
        if isinstance(value, str)
        else (value + (1 << 15)).to_bytes(2, "little")
        for column in zip(*rows, strict=True)
        for value in column
    )


def _compound_file(tables: Mapping[str, bytes]) -> bytes:
    """Return a compound file of an MSI's tables; each has at least 4,096 bytes."""
    streams = {"\u4840" + _stored(name): data for name, data in tables.items()}
    entries, sectors, fat = [_entry("Root Entry", 5, _END, 0, child=1)], [], list[int]()
    for number, (name, data) in enumerate(streams.items(), 1):
        right = number + 1 if number < len(streams) else _FREE
        entries.append(_entry(name, 2, len(fat), len(data), right=right))
        sectors.append(_chained(data, fat))
    directory = len(fat)
    sectors.append(_chained(b"".join(entries), fat))
    count = next(one for one in range(1, 110) if len(fat) + one <= one * 128)
    places = range(len(fat), len(fat) + count)
    fat += [_TABLE] * count
    fat += [_FREE] * (count * 128 - len(fat))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<9I", 0, count, directory, 0, 4096, _END, 0, _END, 0)
    head += struct.pack("<109I", *places, *[_FREE] * (109 - count))
    return head + b"".join(sectors) + struct.pack(f"<{len(fat)}I", *fat)


def _chained(data: bytes, fat: list[int]) -> bytes:
    """Return whole sectors, and add them to the table as a chain."""
    count = -(-len(data) // _SECTOR)
    fat += [*range(len(fat) + 1, len(fat) + count), _END]
    return data.ljust(count * _SECTOR, b"\0")


def _entry(name: str, kind: int, start: int, size: int, child: int = _FREE, right: int = _FREE) -> bytes:
    stored = name.encode("utf-16-le") + b"\0\0"
    head = stored.ljust(64, b"\0") + struct.pack("<HBBIII", len(stored), kind, 1, _FREE, right, child)
    return head + struct.pack("<16s20xIQ", bytes(16), start, size)


def _stored(name: str) -> str:
    """Return the name of a stream as an MSI stores it, two characters in one."""
    codes = [_ALPHABET.index(one) for one in name]
    pairs = [chr(0x3800 + first + (second << 6)) for first, second in zip(codes[::2], codes[1::2], strict=False)]
    return "".join(pairs) + (chr(0x4800 + codes[-1]) if len(codes) % 2 else "")


def pvk(size: int) -> bytes:
    """A .pvk file with a long salt and a long key, both encrypted."""
    half = size // 2
    header = struct.pack("<6L", 0xB0B5F11E, 0, 1, 1, half, half)
    return header + bytes(half) + struct.pack("<BBHL", 7, 2, 0, 0x2400) + bytes(half - 8)

"""Build MSIs: compound files ([MS-CFB]) with the tables and cabinets of an installer."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

Rows = Sequence[Sequence[str | int]]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_END, _FAT, _FREE = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
_TEXT, _SHORT, _LONG = 0x0D48, 0x0502, 0x0104
"""Types of columns: text of at most 72 characters, and numbers of 2 and 4 bytes."""
COLUMNS = {
    "Media": (("DiskId", _SHORT), ("LastSequence", _LONG), ("Cabinet", _TEXT)),
    "File": (("File", _TEXT), ("Component_", _TEXT), ("FileName", _TEXT), ("FileSize", _LONG), ("Sequence", _LONG)),
    "Component": (("Component", _TEXT), ("Directory_", _TEXT), ("Attributes", _SHORT)),
    "Directory": (("Directory", _TEXT), ("Directory_Parent", _TEXT), ("DefaultDir", _TEXT)),
}
FOLDERS: Rows = (("TARGETDIR", "", "SourceDir"), ("APP", "TARGETDIR", "."))


def msi(
    files: Mapping[str, str],
    cabinets: Mapping[str, bytes],
    folders: Rows = FOLDERS,
    media: Sequence[str] | None = None,
    **options: bool,
) -> bytes:
    """Build an MSI. `files` has FileName by key, all in the folder APP, or `FOLDER:FileName` for another one."""
    named = [(key, *(name if ":" in name else f"APP:{name}").split(":", 1)) for key, name in files.items()]
    tables: dict[str, Rows] = {
        "Media": [(1, 99, name) for name in ([f"#{name}" for name in cabinets] if media is None else media)],
        "File": [(key, f"C{folder}", name, 1, number) for number, (key, folder, name) in enumerate(named, 1)],
        "Component": [(f"C{folder}", folder, 0) for folder in dict.fromkeys(folder for _, folder, _ in named)],
        "Directory": folders,
    }
    return database(tables, cabinets, **options)


def database(tables: Mapping[str, Rows], streams: Mapping[str, bytes], wide: bool = False, page: int = 1252) -> bytes:
    """Build a database with these rows; with `wide`, a reference to a string has 3 bytes."""
    pool: dict[str, int] = {}
    columns = [(table, number, name, kind) for table in tables for number, (name, kind) in enumerate(COLUMNS[table], 1)]
    kinds = {table: [kind for _, kind in COLUMNS[table]] for table in tables}
    kinds |= {"_Columns": [_TEXT, _SHORT, _TEXT, _SHORT], "_Tables": [_TEXT]}
    every = {**tables, "_Columns": columns, "_Tables": [(name,) for name in tables]}
    stored = {f"\u4840{stored_name(name)}": _table(rows, kinds[name], pool, wide) for name, rows in every.items()}
    encoding = "utf-8" if page == 65001 else f"cp{page}"
    texts = [text.encode(encoding) for text in pool]
    sizes = b"".join(_pool_entry(len(text)) for text in texts)
    stored["\u4840" + stored_name("_StringPool")] = struct.pack("<I", page | (1 << 31 if wide else 0)) + sizes
    stored["\u4840" + stored_name("_StringData")] = b"".join(texts)
    return compound_file(stored | {stored_name(name): data for name, data in streams.items()})


def _pool_entry(size: int) -> bytes:
    return struct.pack("<HH", size, 1) if size < 1 << 16 else struct.pack("<HHI", 0, 1, size)


def _table(rows: Rows, kinds: Sequence[int], pool: dict[str, int], wide: bool) -> bytes:
    """Return the columns one after the other."""
    out = b""
    for number, kind in enumerate(kinds):
        for row in rows:
            value = row[number]
            if isinstance(value, str):
                reference = pool.setdefault(value, len(pool) + 1) if value else 0
                out += reference.to_bytes(3 if wide else 2, "little")
            else:
                size = 4 if kind & 0xFF == 4 else 2
                out += (value + (1 << size * 8 - 1)).to_bytes(size, "little")
    return out


def stored_name(name: str) -> str:
    codes = [_ALPHABET.index(one) for one in name]
    pairs = [chr(0x3800 + first + (second << 6)) for first, second in zip(codes[::2], codes[1::2], strict=False)]
    return "".join(pairs) + (chr(0x4800 + codes[-1]) if len(codes) % 2 else "")


def compound_file(streams: Mapping[str, bytes]) -> bytes:
    """Build a compound file of version 3. Streams below 4096 bytes are in the mini stream."""
    small = {name: data for name, data in streams.items() if len(data) < _CUTOFF}
    mini, mini_fat, starts = b"", list[int](), dict[str, int]()
    for name, data in small.items():
        starts[name] = len(mini_fat) if data else _END
        count = -(-len(data) // _MINI)
        mini_fat += [*range(len(mini_fat) + 1, len(mini_fat) + count), _END] if count else []
        mini += data.ljust(count * _MINI, b"\0")
    chains = {name: data for name, data in streams.items() if name not in small}
    chains |= {"mini": mini, "mini fat": struct.pack(f"<{len(mini_fat)}I", *mini_fat), "directory": bytes(128)}
    chains["directory"] = bytes(128 * (len(streams) + 1))
    fat: list[int] = []
    for name, data in chains.items():
        starts[name] = len(fat) if data else _END
        count = -(-len(data) // _SECTOR)
        fat += [*range(len(fat) + 1, len(fat) + count), _END] if count else []
    chains["directory"] = _directory(streams, starts, len(mini))
    sectors = b"".join(data + bytes(-len(data) % _SECTOR) for data in chains.values())
    fats = next(count for count in range(1, 110) if len(fat) + count <= count * 128)
    fat_at = range(len(fat), len(fat) + fats)
    fat += [_FAT] * fats
    fat += [_FREE] * (fats * 128 - len(fat))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    mini_sectors = -(-len(mini_fat) * 4 // _SECTOR)
    header += struct.pack("<9I", 0, fats, starts["directory"], 0, _CUTOFF, starts["mini fat"], mini_sectors, _END, 0)
    header += struct.pack("<109I", *fat_at, *[_FREE] * (109 - fats))
    return header + sectors + struct.pack(f"<{len(fat)}I", *fat)


def _directory(streams: Mapping[str, bytes], starts: Mapping[str, int], mini: int) -> bytes:
    entries = [_entry("Root Entry", 5, starts["mini"], mini, child=1 if streams else _FREE)]
    for number, (name, data) in enumerate(streams.items(), 1):
        right = number + 1 if number < len(streams) else _FREE
        entries.append(_entry(name, 2, starts[name], len(data), right=right))
    return b"".join(entries)


def _entry(name: str, kind: int, start: int, size: int, child: int = _FREE, right: int = _FREE) -> bytes:
    stored = name.encode("utf-16-le") + b"\0\0"
    head = stored.ljust(64, b"\0") + struct.pack("<HBBIII", len(stored), kind, 1, _FREE, right, child)
    return head + struct.pack("<16s20xIQ", bytes(16), start, size)

"""Build small uncompressed cabinets, and individually compressed files."""

from __future__ import annotations

import struct


def cabinet(files: dict[str, bytes], folders: int = 1) -> bytes:
    """Build a cabinet with these files and number of folders; each folder is one uncompressed block."""
    names = list(files)
    groups = [names[i::folders] for i in range(folders)]
    entries, blocks = b"", []
    for number, group in enumerate(groups):
        offset = 0
        for name in group:
            entries += struct.pack("<IIHHHH", len(files[name]), offset, number, 0x5821, 0x6000, 0x20)
            entries += name.encode() + b"\0"
            offset += len(files[name])
        data = b"".join(files[name] for name in group)
        blocks.append(_block(data))
    first_file = 36 + 8 * folders
    start = first_file + len(entries)
    table = b""
    for block in blocks:
        table += struct.pack("<IHH", start, 1, 0)
        start += len(block)
    size = start
    header = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, size, 0, first_file, 0, 3, 1, folders, len(names), 0, 7, 0)
    return header + table + entries + b"".join(blocks)


def _block(data: bytes) -> bytes:
    sizes = struct.pack("<HH", len(data), len(data))
    return struct.pack("<I", _checksum(sizes, _checksum(data, 0))) + sizes + data


def _checksum(data: bytes, seed: int) -> int:
    """Compute CFDATA.csum: XOR of 32-bit words; the bytes of an incomplete last word are in reverse order."""
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        seed ^= int.from_bytes(data[i : i + 4], "little")
    return seed ^ int.from_bytes(data[whole:], "big")


def szdd(data: bytes) -> bytes:
    """Compress like COMPRESS.EXE with data that never repeats: groups of eight literal bytes."""
    groups = (data[start : start + 8] for start in range(0, len(data), 8))
    return szdd_header(len(data)) + b"".join(b"\xff" + group for group in groups)


def szdd_header(size: int, method: bytes = b"A") -> bytes:
    return b"SZDD\x88\xf0\x27\x33" + method + b"s" + struct.pack("<I", size)

"""Build version resources (VS_VERSIONINFO)."""

from __future__ import annotations

import struct


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _node(key: str, value: bytes, *children: bytes, text: bool = True) -> bytes:
    """Encode one node of a version resource: length, value length, type, key, value, children."""
    name = _padded(bytes(6) + (key + "\0").encode("utf-16-le"))[6:]
    body = name + _padded(value) + b"".join(map(_padded, children))
    count = len(value) // 2 if text else len(value)
    return struct.pack("<HHH", 6 + len(body), count, int(text)) + body


def resource(version: tuple[int, int, int, int], **strings: str) -> bytes:
    """Return a resource with a file version and strings in American English."""
    fixed = struct.pack("<IIII", 0xFEEF04BD, 0x10000, version[0] << 16 | version[1], version[2] << 16 | version[3])
    table = _node("040904B0", b"", *(_node(key, (text + "\0").encode("utf-16-le")) for key, text in strings.items()))
    return _node("VS_VERSION_INFO", fixed + bytes(36), _node("StringFileInfo", b"", table), text=False)

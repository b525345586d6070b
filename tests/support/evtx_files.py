"""Write event logs in Windows' binary form (.evtx): one chunk, and BinXML without templates.

Source: libyal/libevtx, documentation/Windows XML Event Log (EVTX).asciidoc.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from zlib import crc32

_CHUNK, _CHUNK_HEADER, _FILE_HEADER = 0x10000, 512, 4096
_ELEMENT = struct.Struct("<BI")
"""Start of an element outside of a template: token and size."""
_MORE = 0x40
"""Flag of a token: another attribute follows, or the element has attributes."""


def evtx(events: Sequence[str]) -> bytes:
    """Return a log with these events, each an <Event> element as text."""
    chunk = bytearray(_CHUNK)
    position = _CHUNK_HEADER
    for number, text in enumerate(events, 1):
        root = ElementTree.fromstring(text.replace(" xmlns=", " space="))
        body = b"\x0f\x01\x01\x00" + _Writer(position + 24 + 4).element(root) + b"\x00"
        size = 24 + len(body) + 4
        chunk[position : position + size] = (
            struct.pack("<4sIQQ", b"**\0\0", size, number, 0x01DA000000000000) + body + struct.pack("<I", size)
        )
        position += size
    assert len(chunk) == _CHUNK
    count = len(events)
    head = struct.pack(
        "<8sQQQQIIII", b"ElfChnk\0", 1, count, 1, count, 128, position, position, crc32(chunk[512:position])
    )
    chunk[: len(head)] = head
    chunk[124:128] = struct.pack("<I", crc32(bytes(chunk[:120]) + bytes(chunk[128:512])))
    file = struct.pack("<8sQQQIHHHH", b"ElfFile\0", 0, 0, count + 1, 128, 1, 3, _FILE_HEADER, 1).ljust(120, b"\0")
    return (file + struct.pack("<II", 0, crc32(file))).ljust(_FILE_HEADER, b"\0") + bytes(chunk)


class _Writer:
    """Writes BinXML that begins at an offset of the chunk; names are written where they are used."""

    def __init__(self, start: int) -> None:
        self._at = start

    def element(self, element: Element) -> bytes:
        """Return an element with its attributes, text and children."""
        token = 0x01 | (_MORE if element.attrib else 0)
        start = self._at
        self._at += _ELEMENT.size
        name = self._name(element.tag)
        attributes = b""
        if element.attrib:
            self._at += 4
            attributes = self._attributes(element)
            attributes = struct.pack("<I", len(attributes)) + attributes
        self._at += 1
        text = self._value((element.text or "").strip())
        children = b"".join(self.element(child) for child in element)
        self._at += 1
        inner = name + attributes + b"\x02" + text + children + b"\x04"
        assert self._at == start + _ELEMENT.size + len(inner)
        return _ELEMENT.pack(token, len(inner)) + inner

    def _attributes(self, element: Element) -> bytes:
        written = b""
        for number, (name, value) in enumerate(element.attrib.items(), 1):
            self._at += 1
            token = 0x06 | (_MORE if number < len(element.attrib) else 0)
            written += bytes([token]) + self._name(name) + self._value(value, always=True)
        return written

    def _name(self, name: str) -> bytes:
        encoded = name.encode("utf-16-le")
        written = struct.pack("<IIHH", self._at + 4, 0, 0, len(name)) + encoded + b"\0\0"
        self._at += len(written)
        return written

    def _value(self, text: str, *, always: bool = False) -> bytes:
        if not text and not always:
            return b""
        encoded = text.encode("utf-16-le")
        written = struct.pack("<BBH", 0x05, 0x01, len(text)) + encoded
        self._at += len(written)
        return written

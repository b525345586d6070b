"""Estimate how long the XML of an event in .evtx gets, before the library `evtx` builds it.

An event of 1 KB can expand to terabytes: a template can insert a value, which can be an instance of a template, many
times; an element with values that are lists is repeated for each combination of their items; elements can share one
long name. The estimate may exceed the real length, in particular for events with several lists.

Source: MS-EVEN6, 2.2.12 to 2.2.18 (BinXml) and 3.1.4.7.5 (arrays).
"""

from __future__ import annotations

import struct
from collections import Counter
from dataclasses import field

from signer.records import dataclass

_RECORDS, _RECORD_HEADER = 512, 24
_RECORD_SIGNATURE = b"**\0\0"
_MORE = 0x40
"""Flag of a token: an element has attributes, or another attribute follows."""
_END, _ELEMENT, _CLOSE, _CLOSE_EMPTY, _END_ELEMENT, _VALUE, _ATTRIBUTE = range(7)
_CDATA, _CHARACTER, _ENTITY, _TARGET, _INSTRUCTION, _INSTANCE = range(7, 13)
_SUBSTITUTION, _OPTIONAL, _FRAGMENT = 13, 14, 15
_STRING, _BINARY_XML, _LIST = 0x01, 0x21, 0x80
_ITEM_SIZES = {5: 2, 6: 2, 7: 4, 8: 4, 9: 8, 10: 8, 11: 4, 12: 8, 13: 4, 15: 16, 17: 8, 18: 16, 19: 8, 20: 4, 21: 8}
"""Bytes of the items of lists, by their type; at least, for security identifiers."""
_MAX_NESTING, _MAX_TOKENS, _MAX_REPEATS = 8, 50_000, 32
"""Instances of templates within each other; tokens of a chunk that are read, some thousand in a real one; and how often
a list counts."""
_ESCAPED, _FIXED = 3, 40
"""Characters for each byte of a value, and for each value: a quotation mark of two bytes becomes six characters."""


class UnreadableEvent(ValueError):
    """An event has no valid BinXml, or nests templates too deep."""


@dataclass(slots=True)
class _Content:
    """BinXml without the values that it inserts."""

    size: int = 0
    places: Counter[int] = field(default_factory=Counter)
    """How often each value is inserted."""


class ChunkSizes:
    """The sizes of the events in a chunk, which is 64 KB."""

    def __init__(self, chunk: bytes) -> None:
        self._chunk = chunk
        self._templates: dict[int, _Content] = {}
        self._tokens = 0

    def records(self) -> list[tuple[int, int]]:
        """Return where the BinXml of each record starts and ends."""
        found, at = [], _RECORDS
        while self._chunk[at : at + 4] == _RECORD_SIGNATURE and at + 8 <= len(self._chunk):
            size = self._number(at + 4)
            if size < _RECORD_HEADER + 4 or at + size - 4 > len(self._chunk):
                break
            found.append((at + _RECORD_HEADER, at + size - 4))
            at += size
        return found

    def size(self, start: int, end: int) -> int:
        """Return at least the number of characters of the XML of an event. Raises UnreadableEvent."""
        try:
            return self._content(start, end, 0, in_template=False).size
        except (struct.error, IndexError, KeyError) as error:
            raise UnreadableEvent from error

    def _content(self, at: int, end: int, nesting: int, *, in_template: bool) -> _Content:
        """Read the tokens up to the end token."""
        found, depth = _Content(), 0
        while at < end and (token := self._chunk[at] & ~_MORE) != _END:
            self._spend(1)
            if token in (_SUBSTITUTION, _OPTIONAL):
                found.places[self._short(at + 1)] += 1
                at += 4
            elif token == _INSTANCE:
                at, size = self._instance(at, end, nesting)
                found.size += size
            else:
                depth += (token == _ELEMENT) - (token in (_CLOSE_EMPTY, _END_ELEMENT))
                at, size = self._plain(token, at, in_template=in_template)
                found.size += size + (2 * depth if token == _ELEMENT else 0)
        return found

    def _plain(self, token: int, at: int, *, in_template: bool) -> tuple[int, int]:
        """Return the end of a token without values, and its characters."""
        if token == _ELEMENT:
            after, length = self._name(at + 5 + 2 * in_template)
            return after + (4 if self._chunk[at] & _MORE else 0), 2 * length + 8
        if token in (_ATTRIBUTE, _ENTITY, _TARGET):
            after, length = self._name(at + 1)
            return after, length + 8
        if token == _VALUE and self._chunk[at + 1] != _STRING:
            raise UnreadableEvent
        if token in (_VALUE, _CDATA, _INSTRUCTION):
            text = at + (2 if token == _VALUE else 1)
            return text + 2 + 2 * self._short(text), 6 * self._short(text) + 12
        lengths = {_CLOSE: 1, _CLOSE_EMPTY: 1, _END_ELEMENT: 1, _CHARACTER: 3, _FRAGMENT: 4}
        return at + lengths[token], 8

    def _name(self, at: int) -> tuple[int, int]:
        """Return the end of a name's reference, with the name if it is there, and its length."""
        offset = self._number(at)
        length = self._short(offset + 6)
        return at + 4 + (10 + 2 * length if offset == at + 4 else 0), length

    def _instance(self, at: int, end: int, nesting: int) -> tuple[int, int]:
        """Return the end of an instance of a template, and its characters."""
        if nesting == _MAX_NESTING:
            raise UnreadableEvent
        offset = self._number(at + 6)
        at += 10
        if offset == at:
            at += 24 + self._number(at + 20)
        count, at = self._number(at), at + 4
        if count * 4 > end - at:
            raise UnreadableEvent
        self._spend(count)
        descriptors = list(struct.iter_unpack("<HBx", self._chunk[at : at + 4 * count]))
        at += 4 * count
        template = self._template(offset, nesting)
        size, repeats = template.size, 1
        for index, (length, kind) in enumerate(descriptors):
            times = template.places[index]
            if times:
                size += times * self._value(at, length, kind, nesting)
                repeats *= self._items(at, length, kind) ** min(times, _MAX_REPEATS)
            at += length
        return at, size * repeats

    def _items(self, at: int, length: int, kind: int) -> int:
        """Return the number of items of a list; 1 for another value."""
        if not kind & _LIST:
            return 1
        if kind & ~_LIST == _STRING:
            self._spend(length // 64)
            units = memoryview(self._chunk)[at : at + length // 2 * 2].cast("H")
            return sum(not unit for unit in units) + 1
        return length // _ITEM_SIZES.get(kind & ~_LIST, 1) + 1

    def _value(self, at: int, length: int, kind: int, nesting: int) -> int:
        if kind == _BINARY_XML:
            return self._content(at, at + length, nesting + 1, in_template=False).size
        return _ESCAPED * length + _FIXED

    def _template(self, offset: int, nesting: int) -> _Content:
        if offset not in self._templates:
            start = offset + 24
            end = min(start + self._number(offset + 20), len(self._chunk))
            self._templates[offset] = self._content(start, end, nesting + 1, in_template=True)
        return self._templates[offset]

    def _spend(self, work: int) -> None:
        self._tokens += work
        if self._tokens > _MAX_TOKENS:
            raise UnreadableEvent

    def _number(self, at: int) -> int:
        return int(struct.unpack_from("<I", self._chunk, at)[0])

    def _short(self, at: int) -> int:
        return int(struct.unpack_from("<H", self._chunk, at)[0])

"""Build cabinets that are compressed with LZX, which no free tool writes.

Sources: "LZX DELTA Compression and Decompression" ([MS-PATCH], 2); "Microsoft LZX Data Compression Format" (Cabinet
SDK). Each data block of the cabinet is one verbatim block with trees of its own; matches are found greedily.
"""

from __future__ import annotations

import heapq
import struct
from collections import Counter
from collections.abc import Mapping, Sequence

from signer.cab.data import checksum

FRAME = 0x8000
_SLOTS = {15: 30, 16: 32, 17: 34, 18: 36, 19: 38, 20: 42, 21: 50}
_EXTRA = [0, 0, *(min(slot // 2 - 1, 17) for slot in range(2, 51))]
_BASE = [sum(1 << bits for bits in _EXTRA[:slot]) for slot in range(51)]
_LITERALS, _LENGTHS, _PRETREE = 256, 249, 20
_MIN_MATCH, _MAX_MATCH, _LONG = 2, 257, 7
_VERBATIM = 1
_MAX_CODE = 16


class Bits:
    """A stream of bits in 16-bit words, the most significant bit first."""

    def __init__(self) -> None:
        self._words = bytearray()
        self._value = 0
        self._size = 0

    def put(self, value: int, size: int) -> None:
        self._value = self._value << size | value
        self._size += size
        while self._size >= 16:
            self._size -= 16
            self._words += (self._value >> self._size).to_bytes(2, "little")
            self._value &= (1 << self._size) - 1

    def take(self) -> bytes:
        """Return the words so far, filled with zeros, and begin again."""
        self.put(0, -self._size % 16)
        data = bytes(self._words)
        self._words.clear()
        return data


def lzx_cabinet(files: Mapping[str, bytes], window: int = 15, translation: int = 0) -> bytes:
    """Return a cabinet whose files are in one folder; `translation` is the file size of the E8 translation, or 0."""
    data = b"".join(files.values())
    frames = lzx_frames(data, window, translation)
    entries, offset = b"", 0
    for name, content in files.items():
        entries += struct.pack("<IIHHHH", len(content), offset, 0, 0x5921, 0, 0x20) + name.encode() + b"\0"
        offset += len(content)
    start = 36 + 8 + len(entries)
    body = b"".join(
        _with_header(packed, min(FRAME, len(data) - number * FRAME)) for number, packed in enumerate(frames)
    )
    head = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, start + len(body), 0, 44, 0, 3, 1, 1, len(files), 0, 0, 0)
    return head + struct.pack("<IHH", start, len(frames), 3 | window << 8) + entries + body


def _with_header(packed: bytes, size: int) -> bytes:
    sizes = struct.pack("<HH", len(packed), size)
    return struct.pack("<I", checksum(sizes, checksum(packed))) + sizes + packed


def lzx_frames(data: bytes, window: int, translation: int) -> list[bytes]:
    """Return the compressed frames of 32 KiB of a folder."""
    if translation:
        data = _translated(data, translation)
    bits = Bits()
    bits.put(1 if translation else 0, 1)
    if translation:
        bits.put(translation, 32)
    lengths: tuple[list[int], list[int]] = ([0] * (_LITERALS + 8 * _SLOTS[window]), [0] * _LENGTHS)
    known: dict[bytes, int] = {}
    frames = []
    for start in range(0, len(data), FRAME):
        size = min(FRAME, len(data) - start)
        lengths = _block(bits, _items(data, start, start + size, known, 1 << window), size, lengths)
        frames.append(bits.take())
    return frames


def _translated(data: bytes, translation: int) -> bytes:
    """Replace the relative targets of x86 calls (E8) by absolute ones, as the compressor does."""
    out = bytearray(data)
    for start in range(0, min(len(data), 1 << 30), FRAME):
        end = min(start + FRAME, len(data))
        place = start
        while place < end - 10:
            if out[place] != 0xE8:
                place += 1
                continue
            (relative,) = struct.unpack_from("<i", out, place + 1)
            if -place <= relative < translation:
                absolute = relative + place if relative < translation - place else relative - translation
                struct.pack_into("<i", out, place + 1, absolute)
            place += 5
    return bytes(out)


def _items(data: bytes, start: int, end: int, known: dict[bytes, int], window: int) -> list[int | tuple[int, int]]:
    """Return literals, and matches as length and distance, of a frame."""
    found: list[int | tuple[int, int]] = []
    place = start
    while place < end:
        key = data[place : place + 4]
        before = known.get(key, -1) if len(key) == 4 else -1
        known[key] = place
        length = 0
        if before >= 0 and place - before <= window - 3:
            limit = min(_MAX_MATCH, end - place)
            while length < limit and data[before + length] == data[place + length]:
                length += 1
        if length >= 3:
            found.append((length, place - before))
            place += length
        else:
            found.append(data[place])
            place += 1
    return found


def _block(
    bits: Bits, items: Sequence[int | tuple[int, int]], size: int, before: tuple[list[int], list[int]]
) -> tuple[list[int], list[int]]:
    """Write a verbatim block, and return the lengths of its codes."""
    symbols: list[tuple[int, int | None, int, int]] = []
    for item in items:
        if isinstance(item, int):
            symbols.append((item, None, 0, 0))
            continue
        length, distance = item[0] - _MIN_MATCH, item[1] + 2
        slot = next(number for number in range(3, 51) if distance < _BASE[number + 1]) if distance >= 3 else 0
        footer = length - _LONG if length >= _LONG else None
        symbols.append((_LITERALS + slot * 8 + min(length, _LONG), footer, distance - _BASE[slot], _EXTRA[slot]))
    main = _code_lengths(Counter(one[0] for one in symbols), len(before[0]))
    long = _code_lengths(Counter(one[1] for one in symbols if one[1] is not None), _LENGTHS)
    bits.put(_VERBATIM, 3)
    bits.put(size, 24)
    _tree(bits, main[:_LITERALS], before[0][:_LITERALS])
    _tree(bits, main[_LITERALS:], before[0][_LITERALS:])
    _tree(bits, long, before[1])
    main_codes, long_codes = _codes(main), _codes(long)
    for symbol, footer, extra, count in symbols:
        bits.put(main_codes[symbol], main[symbol])
        if footer is not None:
            bits.put(long_codes[footer], long[footer])
        bits.put(extra, count)
    return main, long


def _tree(bits: Bits, lengths: Sequence[int], before: Sequence[int]) -> None:
    deltas = [(old - new) % 17 for new, old in zip(lengths, before, strict=True)]
    pre = _code_lengths(Counter(deltas), _PRETREE)
    codes = _codes(pre)
    for length in pre:
        bits.put(length, 4)
    for delta in deltas:
        bits.put(codes[delta], pre[delta])


def _code_lengths(counts: Mapping[int, int], size: int) -> list[int]:
    """Return the lengths of a canonical code of at most 15 bits; at least two symbols, so that it is complete."""
    weights = {symbol: counts.get(symbol, 0) for symbol in range(size)}
    used = {symbol: weight for symbol, weight in weights.items() if weight}
    if not used:
        return [0] * size
    for symbol in range(size):
        if len(used) < 2:
            used.setdefault(symbol, 1)
    while True:
        lengths = _huffman(used, size)
        if max(lengths) < _MAX_CODE:
            return lengths
        used = {symbol: weight // 2 + 1 for symbol, weight in used.items()}


def _huffman(used: Mapping[int, int], size: int) -> list[int]:
    heap = [(weight, symbol, (symbol,)) for symbol, weight in used.items()]
    heapq.heapify(heap)
    lengths = [0] * size
    while len(heap) > 1:
        first, second = heapq.heappop(heap), heapq.heappop(heap)
        members = first[2] + second[2]
        for symbol in members:
            lengths[symbol] += 1
        heapq.heappush(heap, (first[0] + second[0], min(members), members))
    return lengths


def _codes(lengths: Sequence[int]) -> list[int]:
    codes, code = [0] * len(lengths), 0
    for length in range(1, _MAX_CODE + 1):
        for symbol, one in enumerate(lengths):
            if one == length:
                codes[symbol] = code
                code += 1
        code <<= 1
    return codes

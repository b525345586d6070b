"""Reading an App Control policy's binary form: little-endian numbers, lengths and strings, each within the file.

Whatever is not there ends in a ConfigError with its offset; what a file claims to have is never more than it has bytes
for, so that time and memory go with the size of the file.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable
from typing import NoReturn, TypeVar

from signer.errors import ConfigError
from signer.policy.file_facts import Version

Item = TypeVar("Item")

_HINT = "Take the .cip or .p7b file from the machine once more, or give the policy as XML."


class Cursor:
    """A place in a policy, which every read moves on."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._start = start
        """Where the policy begins in its file, for the offsets of errors."""
        self._at = 0

    @property
    def offset(self) -> int:
        """Where the next read begins, in the file."""
        return self._start + self._at

    def refuse(self, message: str, *, before: int = 0) -> NoReturn:
        """Raise ConfigError for what stands `before` bytes before this place."""
        raise ConfigError(message, hint=_HINT, offset=self.offset - before)

    def take(self, size: int, what: str) -> bytes:
        """The next bytes as they are."""
        if size > len(self._data) - self._at:
            self.refuse(f"the policy ends in the middle of {what}")
        found = self._data[self._at : self._at + size]
        self._at += size
        return found

    def number(self, what: str, most: int = 0xFFFFFFFF) -> int:
        """A 32-bit number of no more than `most`."""
        (value,) = struct.unpack("<I", self.take(4, what))
        if value > most:
            self.refuse(f"{what} is {value}, where the most is {most}", before=4)
        return int(value)

    def index(self, what: str, count: int) -> int:
        """A reference to one of `count` things."""
        value = self.number(f"a reference to {what}")
        if value >= count:
            self.refuse(f"a reference to {what} number {value}, of which there are {count}", before=4)
        return value

    def count(self, what: str, least: int) -> int:
        """How many follow, each of no fewer than `least` bytes."""
        return self.room_for(self.number(f"the number of {what}"), what, least)

    def room_for(self, count: int, what: str, least: int) -> int:
        """The count, if there are bytes enough for so many."""
        if count > (len(self._data) - self._at) // least:
            self.refuse(f"{count} {what} are more than the policy has bytes for")
        return count

    def many(self, what: str, least: int, read: Callable[[Cursor], Item]) -> list[Item]:
        """A list with its length before it."""
        return [read(self) for _ in range(self.count(what, least))]

    def indexes(self, what: str, count: int) -> tuple[int, ...]:
        """References, their number before them."""
        return tuple(self.many(f"references to {what}", 4, lambda cursor: cursor.index(what, count)))

    def version(self, what: str) -> Version:
        """A version of four parts, the last one first."""
        fourth, third, second, first = struct.unpack("<4H", self.take(8, what))
        return first, second, third, fourth

    def guid(self, what: str) -> str:
        """A GUID in braces and upper case."""
        return "{" + str(uuid.UUID(bytes_le=self.take(16, what))).upper() + "}"

    def octets(self, what: str) -> bytes:
        """Bytes with their length before them, padded with zeros to a multiple of four."""
        size = self.number(f"the length of {what}")
        found = self.take(size, what)
        padding = -size % 4
        if any(self.take(padding, what)):
            self.refuse(f"the padding behind {what} is not zero", before=padding)
        return found

    def text(self, what: str) -> str | None:
        """A string of UTF-16 with a zero behind it; None where it is empty."""
        start = self.offset
        data = self.octets(what)
        if self.number(what):
            self.refuse(f"{what} does not end in zero", before=4)
        try:
            found = data.decode("utf-16-le")
        except UnicodeDecodeError as error:
            raise ConfigError(f"{what} is not UTF-16", hint=_HINT, offset=start + 4 + error.start) from error
        if "\0" in found:
            raise ConfigError(f"{what} has a zero in it", hint=_HINT, offset=start + 4)
        return found or None

    def tag(self, number: int) -> None:
        """The number that a block begins with, and the whole policy ends with."""
        value = self.number(f"the mark of block {number}")
        if value != number:
            self.refuse(f"the mark of block {number} was due, and here is {value}", before=4)

    def end(self) -> None:
        """Nothing may follow."""
        if self._at != len(self._data):
            self.refuse(f"{len(self._data) - self._at} bytes follow the policy")

"""Read the primitives of the binary form of App Control policies: little-endian numbers, lengths and strings.

Every read is bounds-checked and raises ConfigError with its offset. A count may not exceed the remaining bytes, so time
and memory are proportional to the size of the file.
"""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable
from typing import NoReturn, TypeVar

from signer.errors import ConfigError
from signer.numbers import counted
from signer.pe.file_facts import Version

Item = TypeVar("Item")

_HINT = "Copy the .cip or .p7b file from the machine again, or give the policy in XML form."


class Cursor:
    """A position in a policy, which every read advances. The parameter `what` names the item in messages."""

    def __init__(self, data: bytes, start: int) -> None:
        self._data = data
        self._start = start
        """The offset of the policy in its file, for error offsets."""
        self._at = 0

    @property
    def offset(self) -> int:
        """The offset of the next read in the file."""
        return self._start + self._at

    def refuse(self, message: str, *, before: int = 0) -> NoReturn:
        """Raise ConfigError at `before` bytes before the current position."""
        raise ConfigError(message, hint=_HINT, offset=self.offset - before)

    def take(self, size: int, what: str) -> bytes:
        """Read `size` bytes."""
        if size > len(self._data) - self._at:
            self.refuse(f"the policy ends in the middle of {what}")
        found = self._data[self._at : self._at + size]
        self._at += size
        return found

    def number(self, what: str, maximum: int = 0xFFFFFFFF) -> int:
        """Read a 32-bit number of at most `maximum`."""
        (value,) = struct.unpack("<I", self.take(4, what))
        if value > maximum:
            self.refuse(f"{what} is {value}; the maximum is {maximum}", before=4)
        return int(value)

    def index(self, what: str, count: int) -> int:
        """Read an index below `count`."""
        value = self.number(f"a reference to {what}")
        if value >= count:
            self.refuse(f"a reference to {what} has the index {value}, but the policy has only {count}", before=4)
        return value

    def count(self, what: str, item_size: int) -> int:
        """Read the number of items, each of at least `item_size` bytes."""
        return self.check_count(self.number(f"the number of {what}"), what, item_size)

    def check_count(self, count: int, what: str, item_size: int) -> int:
        """Return `count` if the remaining bytes suffice for so many items of at least `item_size` bytes."""
        if count > (len(self._data) - self._at) // item_size:
            self.refuse(f"the policy is too short for {count} {what}")
        return count

    def many(self, what: str, item_size: int, read: Callable[[Cursor], Item]) -> list[Item]:
        """Read a count and as many items."""
        return [read(self) for _ in range(self.count(what, item_size))]

    def indexes(self, what: str, count: int) -> tuple[int, ...]:
        """Read a count and as many indexes, each below `count`."""
        return tuple(self.many(f"references to {what}", 4, lambda cursor: cursor.index(what, count)))

    def version(self, what: str) -> Version:
        """Read a version of four parts, stored in reverse order."""
        fourth, third, second, first = struct.unpack("<4H", self.take(8, what))
        return first, second, third, fourth

    def guid(self, what: str) -> str:
        """Read a GUID; return it in braces and upper case."""
        return "{" + str(uuid.UUID(bytes_le=self.take(16, what))).upper() + "}"

    def octets(self, what: str) -> bytes:
        """Read a length and as many bytes, padded with zeros to a multiple of four."""
        size = self.number(f"the length of {what}")
        found = self.take(size, what)
        padding = -size % 4
        if any(self.take(padding, what)):
            self.refuse(f"the padding after {what} is not zero", before=padding)
        return found

    def text(self, what: str) -> str | None:
        """Read a UTF-16 string and the zero after it; return None for an empty string."""
        start = self.offset
        data = self.octets(what)
        if self.number(what):
            self.refuse(f"{what} is not followed by zero", before=4)
        try:
            found = data.decode("utf-16-le")
        except UnicodeDecodeError as error:
            raise ConfigError(f"{what} is not UTF-16", hint=_HINT, offset=start + 4 + error.start) from error
        if "\0" in found:
            raise ConfigError(f"{what} contains a NUL character", hint=_HINT, offset=start + 4)
        return found or None

    def tag(self, number: int) -> None:
        """Read the number at the beginning of a block or at the end of the policy."""
        value = self.number(f"the number of block {number}")
        if value != number:
            self.refuse(f"expected the number of block {number}, found {value}", before=4)

    def end(self) -> None:
        """Check that no data follows."""
        if self._at != len(self._data):
            self.refuse(f"the end of the policy is followed by {counted(len(self._data) - self._at, 'byte')}")

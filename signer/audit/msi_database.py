"""Read tables and streams of an MSI: a database in an OLE compound file. Only this module imports olefile.

Microsoft does not publish the format of the tables. Sources: wine's dlls/msi/table.c and string.c, and msitools. A
stream for each table has its columns one after the other; text is a number in a pool of strings, which two streams
hold. The names of streams are compressed, two characters in one.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from signer.errors import FileError, MalformedInput

MAX_ROWS = 200_000
"""Maximum number of rows of a table that is read."""
MAX_STRINGS = 500_000
"""Maximum number of strings of all tables."""

Value = str | int
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
_TABLE = "\u4840"
"""The first character of a table's name."""
_PAIR, _SINGLE = 0x3800, 0x4800
_IS_TEXT = 0x0800
"""The bit of a column's type; the lowest byte is its size."""
_WIDE = 0x8000_0000
"""The bit of the pool's header: a number of a string has 3 bytes instead of 2."""
_COLUMNS = (("Table", _IS_TEXT | 64), ("Number", 2), ("Name", _IS_TEXT | 64), ("Type", 2))
"""The columns of the table that lists the columns of the others."""
_UTF8 = 65001
_DAMAGED = (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError, struct.error)
"""What olefile raises for damaged files."""


class MsiDatabase:
    """The tables and streams of an MSI. Use it as a context manager."""

    def __init__(self, path: Path) -> None:
        """Open the file. Raises FileError without the library olefile, and MalformedInput."""
        try:
            import olefile
        except ImportError as error:
            hint = f"Run: pip install 'drvsign[archives]'. {unpack_hint(path)}"
            raise FileError("reading an MSI requires the library olefile", hint=hint) from error
        self._path, self._size = path, path.stat().st_size
        try:
            self._file: Any = olefile.OleFileIO(str(path), raise_defects=olefile.DEFECT_INCORRECT)
        except _DAMAGED as error:
            raise self._damaged() from error
        try:
            self._strings, self._reference = self._read_strings()
            self._columns = self._read_columns()
        except MalformedInput:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def rows(self, table: str, *columns: str) -> Iterator[tuple[Value, ...]]:
        """Yield the values of these columns of each row; nothing for a table that does not exist.

        Text that is missing is empty, a number that is missing 0. Raises MalformedInput.
        """
        layout = self._columns.get(table, ())
        if layout and not set(columns) <= {name for name, _ in layout}:
            raise self._damaged()
        return self._rows(table, layout, columns) if layout else iter(())

    def stream(self, name: str) -> bytes | None:
        """Return the bytes of a stream, such as an embedded cabinet; None if it does not exist."""
        return self._stream(_stored_name(name))

    def _stream(self, name: str) -> bytes | None:
        try:
            if not self._file.exists([name]):
                return None
            if self._file.get_size([name]) > self._size:
                raise self._damaged()
            with self._file.openstream([name]) as stream:
                return bytes(stream.read())
        except _DAMAGED as error:
            raise self._damaged() from error

    def _read_strings(self) -> tuple[list[str], int]:
        """Return the strings by number, and the size of a number in bytes."""
        pool, data = self._stream(_table_name("_StringPool")), self._stream(_table_name("_StringData"))
        if pool is None or data is None or len(pool) < 4:
            raise self._damaged()
        header = int.from_bytes(pool[:4], "little")
        page = header & 0xFFFF
        encoding = "utf-8" if page == _UTF8 else f"cp{page or 1252}"
        words = struct.unpack(f"<{len(pool) // 2}H", pool[: len(pool) // 2 * 2])
        found, place, number = [""], 0, 2
        while number + 1 < len(words):
            size, uses = words[number], words[number + 1]
            if size == 0 and uses and number + 3 < len(words):  # a string of 64 KiB or more: the next two words
                number += 2
                size = words[number] | words[number + 1] << 16
            if len(found) > MAX_STRINGS:
                message = f"the tables of the MSI have more than {MAX_STRINGS:,} strings"
                raise MalformedInput(message, hint=unpack_hint(self._path))
            found.append(self._text(data[place : place + size], encoding))
            place += size
            number += 2
        return found, 3 if header & _WIDE else 2

    def _text(self, data: bytes, encoding: str) -> str:
        try:
            return data.decode(encoding, "replace")
        except LookupError as error:
            raise self._damaged() from error

    def _read_columns(self) -> dict[str, list[tuple[str, int]]]:
        """Return the names and types of the columns of each table."""
        found: dict[str, list[tuple[str, int]]] = {}
        names = [name for name, _ in _COLUMNS]
        for table, _, name, kind in sorted(self._rows("_Columns", _COLUMNS, names), key=lambda row: (row[0], row[1])):
            assert isinstance(kind, int)
            found.setdefault(str(table), []).append((str(name), kind))
        return found

    def _rows(self, table: str, layout: Any, columns: Any) -> Iterator[tuple[Value, ...]]:
        data = self._stream(_table_name(table)) or b""
        sizes = [self._column_size(kind) for _, kind in layout]
        count, rest = divmod(len(data), sum(sizes))
        if rest:
            raise self._damaged()
        if count > MAX_ROWS:
            raise MalformedInput(
                f"a table of the MSI has more than {MAX_ROWS:,} rows: {table}", hint=unpack_hint(self._path)
            )
        starts = dict(zip((name for name, _ in layout), itertools.accumulate(sizes, initial=0), strict=False))
        kinds = dict(layout)
        read = [self._values(data, starts[name] * count, count, kinds[name]) for name in columns]
        return zip(*read, strict=True)

    def _column_size(self, kind: int) -> int:
        if kind & _IS_TEXT:
            return self._reference if kind & 0xFF else 2  # without a length: a number of a stream
        return 4 if kind & 0xFF == 4 else 2

    def _values(self, data: bytes, start: int, count: int, kind: int) -> list[Value]:
        size = self._column_size(kind)
        part = data[start : start + count * size]
        numbers = [int.from_bytes(part[place : place + size], "little") for place in range(0, len(part), size)]
        if not kind & _IS_TEXT:
            return [number - (1 << size * 8 - 1) if number else 0 for number in numbers]
        if numbers and max(numbers) >= len(self._strings):
            raise self._damaged()
        return [self._strings[number] for number in numbers]

    def _damaged(self) -> MalformedInput:
        return MalformedInput("the MSI is damaged, or is not an MSI", hint=unpack_hint(self._path))


def unpack_hint(path: Path) -> str:
    """Return the sentence that says how to unpack an MSI with another program."""
    from signer.storage.files import shell_quote

    return f"Unpack it with: msiextract -C FOLDER {shell_quote(path)} (on Windows: msiexec /a), and audit FOLDER."


def _table_name(name: str) -> str:
    return _TABLE + _stored_name(name)


def _stored_name(name: str) -> str:
    """Return the name of a stream as it is stored: two characters of the alphabet, or one, become one character."""
    stored, place = "", 0
    while place < len(name):
        first = _ALPHABET.find(name[place])
        second = _ALPHABET.find(name[place + 1]) if place + 1 < len(name) else -1
        if first >= 0 and second >= 0:
            stored += chr(_PAIR + (second << 6) + first)
            place += 2
        else:
            stored += chr(_SINGLE + first) if first >= 0 else name[place]
            place += 1
    return stored

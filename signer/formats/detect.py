"""Detect the format of a file from its first bytes."""

from __future__ import annotations

from pathlib import Path

from signer.formats import table
from signer.formats.table import FormatRow, Reader
from signer.storage.files import file_error, require_data

_HEAD_SIZE = 4096


def detect(data: memoryview | bytes) -> FormatRow | None:
    """Find the row of the format that these bytes have; None where there is no such format."""
    return _row(lambda offset, size: bytes(data[offset : offset + size]))


def detect_file(path: Path) -> FormatRow | None:
    """Find the row of the format that a file has; None where there is no such format. Raises FileError."""
    require_data(path)
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(_HEAD_SIZE)

            def read(offset: int, size: int) -> bytes:
                if offset + size <= len(head) or len(head) < _HEAD_SIZE:
                    return head[offset : offset + size]
                file.seek(offset)
                return file.read(size)

            return _row(read)
    except OSError as error:
        raise file_error(error, path, "read the file") from error


def by_suffix(path: Path) -> FormatRow | None:
    """Find the row of the format that a file's name promises, whatever the file holds."""
    return next((row for row in table.TABLE if path.suffix.lower() in row.suffixes), None)


def expected(path: Path) -> FormatRow | None:
    """Find the row of the format to read a file as: its own, else the one that only its suffix promises.

    A text called .sys is read as an image, so that the error says why it is not one. Raises FileError.
    """
    found = detect_file(path)
    if found is not None:
        return found
    promised = by_suffix(path)
    return promised if promised is not None and not promised.shares_suffixes else None


def kind_of(path: Path) -> str:
    """Name the kind of a file: its format, else `inf` by its suffix, else `file`. Raises FileError."""
    return kind(detect_file(path), path.suffix)


def kind(row: FormatRow | None, suffix: str) -> str:
    """Name the kind of a file of this format, called like this."""
    if row is not None:
        return row.name
    return "inf" if suffix.lower() in (".inf", ".inx") else "file"


def _row(read: Reader) -> FormatRow | None:
    return next((row for row in table.TABLE if row.matches(read)), None)

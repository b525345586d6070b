"""Detect the format of a file from its first bytes, and open the adapter for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from signer.errors import SignerError, SigningError
from signer.formats import table
from signer.formats.table import FormatRow, Reader
from signer.storage.files import file_error, mapped, require_data
from signer.storage.files import read as whole
from signer.storage.streams import STANDARD, is_stream

if TYPE_CHECKING:
    from signer.formats.format import Format

INF_SUFFIXES = (".inf", ".inx")
_HEAD_SIZE = 4096
Answer = TypeVar("Answer")


def detect(data: memoryview | bytes) -> FormatRow | None:
    """Return the format of these bytes, or None."""
    return _row(lambda offset, size: bytes(data[offset : offset + size]))


def detect_file(path: Path) -> FormatRow | None:
    """Return the format of a file, or None. Raises FileError."""
    return _peek(path, _row)


def plain_signatures(path: Path) -> tuple[bytes, ...] | None:
    """Read the signatures of a file, in DER, from where its header says; None if only its parser can tell.

    Much faster than parsing the file, and not as strict: for questions that signing asks again. Raises FileError.
    """

    def peek(read: Reader) -> tuple[bytes, ...] | None:
        row = _row(read)
        return row.plain_signatures(read) if row is not None else None

    return _peek(path, peek)


def _peek(path: Path, ask: Callable[[Reader], Answer]) -> Answer:
    """Return the answer to a question about the first bytes of a file. Raises FileError."""
    require_data(path)
    if path == STANDARD:
        data = whole(path)
        return ask(lambda offset, size: data[offset : offset + size])
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(_HEAD_SIZE)

            def read(offset: int, size: int) -> bytes:
                if offset + size <= len(head) or len(head) < _HEAD_SIZE:
                    return head[offset : offset + size]
                file.seek(offset)
                return file.read(size)

            return ask(read)
    except OSError as error:
        raise file_error(error, path, "read the file") from error


def opened(data: memoryview | bytes) -> tuple[FormatRow, Format]:
    """Open a file with the adapter of its format. Raises SigningError for an unknown format, MalformedInput."""
    row = detect(data)
    if row is None:
        raise _not_signable()
    return row, row.load()(data)


def is_signable(path: Path) -> bool:
    """Tell whether a file has a format that carries signatures. Raises FileError."""
    return detect_file(path) is not None


def is_signed(path: Path) -> bool:
    """Tell whether a file has a signature; False for one that is missing, can't be read, or is a stream."""
    try:
        if is_stream(path) or not path.is_file():
            return False
        with mapped(path) as data:
            return opened(data)[1].is_signed
    except (SignerError, OSError):
        return False


def names(feature: Callable[[FormatRow], bool] = lambda _: True, *, last: str = "or", also: Sequence[str] = ()) -> str:
    """List the names of the formats with a feature, by default of all, in the plural, and then `also`."""
    return listed([*(f"{row.name}s" for row in table.TABLE if feature(row)), *also], last)


def titles(last: str = "or") -> str:
    """List all formats, each with its article."""
    return listed([row.title for row in table.TABLE], last)


def listed(words: Sequence[str], last: str = "or") -> str:
    """Join words as an English list."""
    *head, tail = words
    return f"{', '.join(head)} {last} {tail}" if head else tail


def by_suffix(path: Path) -> FormatRow | None:
    """Return the format that the file's suffix indicates, without reading the file."""
    return next((row for row in table.TABLE if path.suffix.lower() in row.suffixes), None)


def expected(path: Path) -> FormatRow | None:
    """Return the format to read a file as: that of its content, else that of its suffix.

    A text called .sys is read as an image, so that the error says why it is not one. Raises FileError.
    """
    found = detect_file(path)
    if found is not None:
        return found
    promised = by_suffix(path)
    return promised if promised is not None and not promised.shares_suffixes else None


def named(name: str) -> FormatRow | None:
    """Return the format with this name, or None."""
    return next((row for row in table.TABLE if row.name == name), None)


def kind_of(path: Path) -> str:
    """Name the kind of a file: its format, else `inf` by its suffix, else `file`. Raises FileError."""
    return kind(detect_file(path), path.suffix)


def kind(row: FormatRow | None, suffix: str) -> str:
    """Name the kind of a file with this format and suffix."""
    if row is not None:
        return row.name
    return "inf" if suffix.lower() in INF_SUFFIXES else "file"


def _not_signable() -> SigningError:
    return SigningError(
        f"not {titles()}: the file can't have an embedded signature",
        hint="Other files of a driver package are covered by its catalog: drvsign package DIR",
    )


def _row(read: Reader) -> FormatRow | None:
    return next((row for row in table.TABLE if row.matches(read)), None)

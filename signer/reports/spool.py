"""Keep long texts in a temporary file until they are written, so that they take no memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile

_IN_MEMORY = 4 << 20
"""Bytes that are kept in memory, without a file."""

Place = tuple[int, int]
"""Offset and size in bytes of a text."""


class Spool:
    """Texts in one temporary file, which is deleted when the process ends."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - it is open as long as this object exists
        self._end = 0

    def keep(self, text: str) -> Place:
        """Append a text, and return its place."""
        data = text.encode()
        place = self._end, len(data)
        self._file.seek(self._end)
        self._file.write(data)
        self._end += len(data)
        return place

    def texts(self, kept: Iterable[Place | str]) -> Iterator[str]:
        """Yield the texts at these places; one that was not kept is there itself."""
        for one in kept:
            if isinstance(one, str):
                yield one
            else:
                self._file.seek(one[0])
                yield self._file.read(one[1]).decode()

"""Keep long texts in a temporary file until they are written, so that they take no memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import IO

Place = tuple[int, int]
"""Offset and size in bytes of a text."""


class Spool:
    """Texts in one temporary file, which is made for the first of them and deleted with this object."""

    def __init__(self) -> None:
        self._opened: IO[bytes] | None = None
        self._end = 0

    def __del__(self) -> None:
        if self._opened is not None:
            self._opened.close()

    @property
    def _file(self) -> IO[bytes]:
        if self._opened is None:
            self._opened = TemporaryFile()  # noqa: SIM115 - it is open as long as this object exists
        return self._opened

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

"""Record what a renderer writes, to write it elsewhere: in another process, or later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from signer.reports.sink import Sink

Recording = tuple[tuple[str, tuple[Any, ...], dict[str, Any]], ...]
"""The calls of a sink's methods: their names and arguments. It is picklable."""


class Recorder:
    """A sink that records each call. It does not know the width of the sink for which it records."""

    def __init__(self) -> None:
        self._calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    @property
    def recording(self) -> Recording:
        """The calls so far."""
        return tuple(self._calls)

    def write(self, text: str) -> None:
        """Record text."""
        self._calls.append(("write", (text,), {}))

    def print(self, text: str = "", style: str | None = None) -> None:
        """Record one line."""
        self._calls.append(("print", (text, style), {}))

    def line(self, word: str, text: str, style: str | None = None) -> None:
        """Record a line that begins with a word in a style."""
        self._calls.append(("line", (word, text, style), {}))

    def paragraph(self, mark: str, text: str, style: str | None = None) -> None:
        """Record text beside a mark."""
        self._calls.append(("paragraph", (mark, text, style), {}))

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        title: str | None = None,
        *,
        cut_last: bool = False,
    ) -> None:
        """Record a table."""
        self._calls.append(("table", (columns, list(rows), title), {"cut_last": cut_last}))

    def fits(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bool:
        """Return True, as a sink without a width."""
        return True


def replay(recording: Recording, sink: Sink) -> None:
    """Call the methods of `sink` as they were recorded."""
    for name, arguments, named in recording:
        getattr(sink, name)(*arguments, **named)

"""Decode logs of any size to lines, in constant memory."""

from __future__ import annotations

import codecs
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator

from signer.explain.budget import LEFT_OUT
from signer.explain.context import Context

MAX_LINE = 1 << 20
"""Length of the longest line, in characters; a longer one is cut. An event of Windows has at most 64 KiB."""

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_EVENT_END = "</Event>"
"""The end of a line, too: wevtutil writes all events into one line."""
_QUOTE = re.compile(r"(?:\s{0,3}>(?!>>?\s+(?:\[|Section )) ?){1,16}")
"""The marks of a quoted line in mail and Markdown; setupapi.dev.log begins its sections with ">>>"."""


def decoded(chunks: Iterable[bytes]) -> Iterator[str]:
    """Decode UTF-8 or UTF-16, with or without a byte order mark; bytes of other encodings become U+FFFD."""
    decoder: codecs.IncrementalDecoder | None = None
    for chunk in chunks:
        decoder = decoder or codecs.getincrementaldecoder(encoding_of(chunk))(errors="replace")
        yield decoder.decode(chunk)
    if decoder is not None:
        yield decoder.decode(b"", final=True)


def encoding_of(start: bytes) -> str:
    """Return the encoding of a text from its first bytes: by its mark, else by the zero bytes of ASCII in UTF-16."""
    for mark, name in _MARKS.items():
        if start.startswith(mark):
            return name
    start = start[:4096]
    zeros = start.count(0)
    if zeros * 4 < len(start) or not zeros:
        return "utf-8"
    return "utf-16-le" if start[1::2].count(0) * 2 > zeros else "utf-16-be"


class Lines(Iterator[str]):
    """The lines of a text that its budget allows, with a view of those that follow."""

    def __init__(self, pieces: Iterable[str], context: Context) -> None:
        self._source = _lines(pieces, context)
        self._ahead: deque[str] = deque()

    def __next__(self) -> str:
        return self._ahead.popleft() if self._ahead else next(self._source)

    def peek(self, index: int = 0) -> str | None:
        """Return the line `index` lines after the next one; None behind the last."""
        while len(self._ahead) <= index:
            line = next(self._source, None)
            if line is None:
                return None
            self._ahead.append(line)
        return self._ahead[index]

    def take_while(self, wanted: Callable[[str], bool], most: int) -> list[str]:
        """Take lines as long as they are wanted, at most `most`."""
        taken: list[str] = []
        while len(taken) < most and (line := self.peek()) is not None and wanted(line):
            taken.append(next(self))
        return taken

    def put_back(self, lines: Iterable[str]) -> None:
        """Make these lines the next ones."""
        self._ahead.extendleft(reversed(list(lines)))


def _lines(pieces: Iterable[str], context: Context) -> Iterator[str]:
    rest = ""
    for piece in pieces:
        context.budget.add(len(piece))
        most = max(context.budget.left, 1)
        *complete, rest = _with_line_feeds(rest + piece).split("\n", most)
        for line in complete:
            context.budget.spend(1)
            yield unquoted(line[:MAX_LINE])
        if len(complete) == most and "\n" in rest:
            context.damaged(LEFT_OUT)
            rest = rest[rest.rfind("\n") + 1 :]
        if len(rest) > MAX_LINE:
            yield unquoted(rest[:MAX_LINE])
            rest = ""
    if rest:
        yield unquoted(rest.rstrip("\r"))


def _with_line_feeds(text: str) -> str:
    """Return a text with "\\n" at the end of each line and event. A "\\r" at its end stays: "\\n" may follow it."""
    if "\r" in text:
        end = "\r" if text.endswith("\r") else ""
        text = text.removesuffix(end).replace("\r\n", "\n").replace("\r", "\n") + end
    if _EVENT_END in text:
        text = text.replace(f"{_EVENT_END}\n", _EVENT_END).replace(_EVENT_END, f"{_EVENT_END}\n")
    return text


def unquoted(line: str) -> str:
    """Return a line without the marks of a quotation."""
    marks = _QUOTE.match(line) if ">" in line[:4] else None
    return line[marks.end() :] if marks is not None and marks.end() < len(line) else line

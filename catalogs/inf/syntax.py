"""INF text to sections of entries, and back.

What `Inf` holds is the file itself, so writing it back gives its bytes; the sections are a reading of it. The reading
is that of Windows: sections of one name are one section, names are compared without regard to case, a backslash at the
end of a line continues it, text from a semicolon on is a comment, quotes protect what stands between them and a doubled
quote in them is a quote. Source: "General Syntax Rules for INF Files" (windows-driver-docs,
install/general-syntax-rules-for-inf-files.md); where the page is silent, what setupapi does (Wine's parser agrees).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePath

from catalogs.inf.problems import Problem, Severity
from catalogs.inf.text import InfText, decode
from signer.errors import InfError

MAX_NAME_LENGTH = 255
"""The most characters of a section's name (MAX_SECT_NAME_LEN of setupapi.h)."""

_MOST_WARNINGS = 100
_MOST_ENTRIES, _MOST_PIECES = 500_000, 1_000_000
"""More lines, and more names and marks in one line, than any INF has: the largest have some 50,000 lines."""
_BLANK = "".join(map(chr, range(1, 33)))
"""What Windows takes for white space: everything up to the space."""
_END_OF_TEXT = "\x1a"
_TOKEN = re.compile(
    r'"[^"]*(?:""[^"]*)*"?'
    r"|\\[\x01-\x20\\]*"
    r'|%[^%;",=\\]*%|%[^%;",=\\\s]*;[^%",=\\\s]*%'
    r'|[^",=;\\%]+|[,=;%]'
)
"""A quoted text, backslashes with the white space behind them, a %token% (a semicolon in it is no comment), plain text,
or a mark. It never goes back further than to the percent sign before."""
_MUST_QUOTE = re.compile(r'[",;\\=\[\x01-\x20]')


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a section, continuation lines included."""

    line: int
    """Where it begins, counted from 1."""
    key: str | None
    """What stands to the left of the equals sign; None where there is no such sign."""
    values: tuple[str, ...]
    """What stands to its right, or the whole line: split at commas, without quotes, %strings% not yet replaced."""

    def value(self, index: int = 0) -> str:
        """The value at `index`; empty where the line is shorter."""
        return self.values[index] if index < len(self.values) else ""


@dataclass(frozen=True)
class Section:
    """A section: all lines under all its headers."""

    name: str
    """As its first header spells it."""
    lines: tuple[int, ...]
    """Where its headers are: more than one line where it was split up."""
    entries: tuple[Entry, ...]

    @property
    def line(self) -> int:
        """Where its first header is."""
        return self.lines[0]

    def all(self, key: str) -> Iterator[Entry]:
        """The entries with this key, in their order."""
        return iter(self._by_key.get(key.lower(), ()))

    def first(self, key: str) -> Entry | None:
        """The first entry with this key."""
        return next(self.all(key), None)

    @cached_property
    def _by_key(self) -> dict[str, list[Entry]]:
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            if entry.key is not None:
                found.setdefault(entry.key.lower(), []).append(entry)
        return found


@dataclass(frozen=True, eq=False)
class Inf:
    """An INF: its text, and its sections by name."""

    source: InfText
    sections: Mapping[str, Section]
    """By name in lower case, in the order of their first headers."""
    path: PurePath | None = None
    """Where it was read from, for messages."""
    problems: tuple[Problem, ...] = field(default=())
    """What Windows overlooks and its author may want to know."""

    @classmethod
    def parse(cls, data: bytes, path: PurePath | None = None) -> Inf:
        """Read an INF. Raises InfError, with the line, for what Windows refuses to read as one."""
        try:
            source = decode(data)
            return _Reader(source, path).read()
        except InfError as error:
            if path is not None:
                error.at(str(path))
            raise

    def to_bytes(self) -> bytes:
        """The bytes that it was read from."""
        return self.source.to_bytes()

    def section(self, name: str) -> Section | None:
        """The section of this name, in any case."""
        return self.sections.get(name.lower())

    def value(self, section: str, key: str) -> str | None:
        """The first value of a key; None where the section or the key is missing."""
        found = self.section(section)
        entry = found.first(key) if found else None
        return None if entry is None else entry.value()


def write(sections: Iterable[Section]) -> str:
    """Sections as INF text that reads as the same keys and values; comments and layout are not kept."""
    lines: list[str] = []
    for section in sections:
        lines.append(f"[{section.name}]")
        for entry in section.entries:
            values = ",".join(map(_written, entry.values))
            lines.append(values if entry.key is None else f"{_written(entry.key)}={values}")
        lines.append("")
    return "\r\n".join(lines)


def _written(value: str) -> str:
    """A key or value, in quotes where it needs them."""
    return '"' + value.replace('"', '""') + '"' if not value or _MUST_QUOTE.search(value) else value


class _Reader:
    """One pass over the lines of an INF."""

    def __init__(self, source: InfText, path: PurePath | None) -> None:
        self._source = source
        self._path = path
        self._headers: dict[str, tuple[str, list[int], list[Entry]]] = {}
        self._entries: list[Entry] | None = None
        self._count = 0
        self._problems: list[Problem] = []
        self._warned: Counter[str] = Counter()

    def read(self) -> Inf:
        """The INF. Raises InfError."""
        lines = enumerate(self._source.text.partition(_END_OF_TEXT)[0].split("\n"), start=1)
        for number, text in lines:
            stripped = text.strip(_BLANK)
            if not stripped or stripped[0] == ";":
                continue
            if stripped[0] == "[":
                self._header(number, stripped)
            else:
                self._entry(number, self._whole(number, stripped, lines))
        if not self._headers:
            raise InfError("there is no section in it, so this is not an INF", hint="An INF has at least [Version].")
        sections = {
            name: Section(spelled, tuple(numbers), tuple(entries))
            for name, (spelled, numbers, entries) in self._headers.items()
        }
        return Inf(self._source, sections, self._path, tuple(self._problems))

    def _header(self, number: int, text: str) -> None:
        """A line that begins with a bracket: everything after the closing one is ignored."""
        end = text.find("]")
        if end < 0:
            raise InfError("the section's name has no closing bracket", line=number, hint='Write "[Name]".')
        # Spaces and semicolons are part of it: "such a name matches exactly", says the page on syntax.
        name = text[1:end]
        if len(name) > MAX_NAME_LENGTH:
            raise InfError(f"the section's name is longer than {MAX_NAME_LENGTH} characters", line=number)
        _, numbers, self._entries = self._headers.setdefault(name.lower(), (name, [], []))
        numbers.append(number)

    def _whole(self, number: int, text: str, lines: Iterator[tuple[int, str]]) -> list[str]:
        """An entry's line with those that continue it, each without its comment: parts to be read one by one."""
        parts = []
        while True:
            tokens, continues = _tokens(text)
            parts += tokens
            if len(parts) > _MOST_PIECES:
                raise InfError("a line of more fields than any INF has", line=number)
            if not continues:
                return parts
            _, text = next(lines, (0, ""))
            text = text.strip(_BLANK)

    def _entry(self, number: int, tokens: list[str]) -> None:
        """The fields of an entry, from its tokens. What stands before the first section is left out."""
        if self._entries is None:
            self._warn(
                "text-before-section",
                "there is text before the first section; Inf2Cat overlooks it, other parsers may not",
                number,
                "Comments begin with a semicolon.",
            )
            return
        self._count += 1
        if self._count > _MOST_ENTRIES:
            raise InfError(f"more than {_MOST_ENTRIES:,} lines, which no INF has", line=number)
        key: str | None = None
        values: list[str] = []
        parts: list[str] = []
        for piece in tokens:
            if piece == "=" and key is None and not values:
                key, parts = _field(parts), []
            elif piece == ",":
                values.append(_field(parts))
                parts = []
            else:
                parts.append(piece)
                self._check_quote(number, piece)
        if parts or values or key is None:
            values.append(_field(parts))
        self._entries.append(Entry(number, key, tuple(values)))

    def _check_quote(self, number: int, piece: str) -> None:
        if piece[0] == '"' and (len(piece) == 1 or piece.count('"') % 2):
            self._warn(
                "unterminated-quote",
                "a quoted text has no closing quote, and ends with its line",
                number,
                'Close it; a quote inside quotes is written "".',
            )

    def _warn(self, code: str, message: str, number: int, hint: str) -> None:
        """Note a problem; of one kind no more than the first hundred."""
        self._warned[code] += 1
        if self._warned[code] <= _MOST_WARNINGS:
            self._problems.append(Problem(code, message, self._path, number, hint, Severity.WARNING))


def _tokens(text: str) -> tuple[list[str], bool]:
    """A line cut into quoted texts, plain texts, commas and equals signs; and whether the next line continues it."""
    if '"' not in text and ";" not in text and "\\" not in text:
        return _simple(text), False
    tokens: list[str] = []
    for match in _TOKEN.finditer(text):
        piece = match.group()
        if piece == ";":
            break
        if piece[0] == "\\" and text[match.end() : match.end() + 1] in ("", ";"):
            return tokens, True
        tokens.append(piece)
    return tokens, False


def _simple(text: str) -> list[str]:
    """The tokens of a line without quotes, comments and backslashes."""
    return [piece for piece in re.split(r"([,=])", text) if piece]


def _field(tokens: list[str]) -> str:
    """A key or value: white space around it doesn't count unless it is in quotes."""
    if len(tokens) == 1 and tokens[0][0] != '"':
        return tokens[0].strip(_BLANK)
    first = next((index for index, piece in enumerate(tokens) if piece.strip(_BLANK)), len(tokens))
    last = next((index for index in range(len(tokens) - 1, first, -1) if tokens[index].strip(_BLANK)), first)
    pieces = [_unquoted(piece) if piece[0] == '"' else piece for piece in tokens[first : last + 1]]
    if pieces and tokens[first][0] != '"':
        pieces[0] = pieces[0].lstrip(_BLANK)
    if pieces and tokens[last][0] != '"':
        pieces[-1] = pieces[-1].rstrip(_BLANK)
    return "".join(pieces)


def _unquoted(piece: str) -> str:
    """A quoted text without its quotes; one that lacks the closing quote ends with the line."""
    inner = piece[1:]
    if piece.count('"') % 2 == 0:
        inner = inner[:-1]
    return inner.replace('""', '"')

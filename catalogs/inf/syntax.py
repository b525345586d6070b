"""Parse INF text into sections of entries, and write sections as INF text.

`Inf` keeps the original text, so `to_bytes` returns the original bytes; its sections follow Windows' rules: sections of
the same name are merged, names are case-insensitive, a backslash at the end of a line continues it, a semicolon starts
a comment, quotes protect the text between them, and a doubled quote inside quotes is a quote character. Source:
"General Syntax Rules for INF Files" (windows-driver-docs, install/general-syntax-rules-for-inf-files.md); for cases
that the page does not cover, the behavior of setupapi (Wine's parser agrees).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from pathlib import PurePath
from typing import NoReturn

from catalogs.inf.problems import PackageProblem, Severity
from catalogs.inf.text import InfText, decode
from signer.errors import InfError
from signer.limits import LIMITS, raising
from signer.records import dataclass

MAX_NAME_LENGTH = 255
"""Maximum length of a section name in characters (MAX_SECT_NAME_LEN in setupapi.h)."""

_MAX_WARNINGS = 100
_BLANK = "".join(map(chr, range(1, 33)))
"""White space in an INF: all characters from U+0001 to the space."""
_END_OF_TEXT = "\x1a"
_TOKEN = re.compile(
    r'"[^"]*(?:""[^"]*)*"?'
    r"|\\[\x01-\x20\\]*"
    r'|%[^%;",=\\]*%|%[^%;",=\\\s]*;[^%",=\\\s]*%'
    r'|[^",=;\\%]+|[,=;%]'
)
"""A quoted string, backslashes with the white space after them, a %token% (which may contain a semicolon), plain text,
or a delimiter. Backtracking never goes past the last percent sign, so matching takes linear time.
"""
_STRING = re.compile(r'([^",;=\\]*)=[\x01-\x20]*"([^"]*)"')
"""`name = "text"`: the usual form of a line in [Strings]."""
_OUTSIDE_NAMES = ' \t",='
_MUST_QUOTE = re.compile(r'[",;\\=\[\x01-\x20]')


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a section, including its continuation lines."""

    line: int
    """First line number, counted from 1."""
    key: str | None
    """The text before the equals sign; None without an equals sign."""
    values: tuple[str, ...]
    """The text after the equals sign, or the whole line: split at commas, unquoted, %strings% not replaced."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The key, if there is one, and the values."""
        return self.values if self.key is None else (self.key, *self.values)

    def value(self, index: int = 0) -> str:
        """Return the value at `index`, or an empty string if the line has fewer values."""
        return self.values[index] if index < len(self.values) else ""


@dataclass(frozen=True)
class Section:
    """A section: the entries under all of its headers."""

    name: str
    """Name, spelled as in the first header."""
    lines: tuple[int, ...]
    """Line numbers of its headers; more than one if the section is split."""
    entries: tuple[Entry, ...]

    @property
    def line(self) -> int:
        """Line number of the first header."""
        return self.lines[0]

    def all(self, key: str) -> Iterator[Entry]:
        """Iterate over the entries with this key, in order."""
        return iter(self._by_key.get(key.lower(), ()))

    def first(self, key: str) -> Entry | None:
        """Return the first entry with this key, or None."""
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
    """Sections by lower-case name, in the order of their first headers."""
    path: PurePath | None = None
    """Path of the file, for messages."""
    problems: tuple[PackageProblem, ...] = field(default=())
    """Syntax warnings: mistakes that Windows ignores."""

    @classmethod
    def parse(cls, data: bytes, path: PurePath | None = None) -> Inf:
        """Parse an INF. Raises InfError, with the line number, for text that Windows rejects."""
        try:
            source = decode(data)
            return _Reader(source, path).read()
        except InfError as error:
            if path is not None:
                error.at(str(path))
            raise

    def to_bytes(self) -> bytes:
        """Return the original bytes."""
        return self.source.to_bytes()

    def section(self, name: str) -> Section | None:
        """Return the section with this name (case is ignored), or None."""
        return self.sections.get(name.lower())

    def value(self, section: str, key: str) -> str | None:
        """Return the first value of a key; None if the section or the key is missing."""
        found = self.section(section)
        entry = found.first(key) if found else None
        return None if entry is None else entry.value()


def write(sections: Iterable[Section]) -> str:
    """Return INF text that parses to the same sections. Comments and layout are not preserved."""
    lines: list[str] = []
    for section in sections:
        lines.append(f"[{section.name}]")
        for entry in section.entries:
            values = ",".join(map(_quoted, entry.values))
            lines.append(values if entry.key is None else f"{_quoted(entry.key)}={values}")
        lines.append("")
    return "\r\n".join(lines)


def _quoted(value: str) -> str:
    """Quote a key or value if necessary."""
    return '"' + value.replace('"', '""') + '"' if not value or _MUST_QUOTE.search(value) else value


def _refuse(message: str, line: int, limit: str) -> NoReturn:
    """Raise InfError for an INF that exceeds a limit of `signer.limits`."""
    raise InfError(message, line=line, hint=raising(limit))


class _Reader:
    """Parser state for one pass over the lines of an INF."""

    def __init__(self, source: InfText, path: PurePath | None) -> None:
        self._source = source
        self._path = path
        self._headers: dict[str, tuple[str, list[int], list[Entry]]] = {}
        self._entries: list[Entry] | None = None
        self._count = 0
        self._max_entries, self._max_line = LIMITS["inf-entries"], LIMITS["inf-line"]
        self._problems: list[PackageProblem] = []
        self._warned: Counter[str] = Counter()

    def read(self) -> Inf:
        """Parse all lines. Raises InfError."""
        lines = enumerate(self._source.text.partition(_END_OF_TEXT)[0].split("\n"), start=1)
        for number, text in lines:
            stripped = text.strip(_BLANK)
            if not stripped or stripped[0] == ";":
                continue
            self._require_short(number, stripped)
            if stripped[0] == "[":
                self._header(number, stripped)
            elif (plain := _plain_entry(stripped)) is not None:
                self._add(Entry(number, *plain))
            else:
                self._entry(number, self._tokens_of_entry(number, stripped, lines))
        if not self._headers:
            raise InfError("not an INF: it has no sections", hint="Add a [Version] section, or specify another file.")
        sections = {
            name: Section(spelled, tuple(numbers), tuple(entries))
            for name, (spelled, numbers, entries) in self._headers.items()
        }
        return Inf(self._source, sections, self._path, tuple(self._problems))

    def _header(self, number: int, text: str) -> None:
        """Parse a section header; text after the closing bracket is ignored."""
        end = text.find("]")
        if end < 0:
            raise InfError("the section header has no closing bracket", line=number, hint="Write the header as [Name].")
        # Spaces and semicolons are part of the name (general syntax rules: the name is matched exactly).
        name = text[1:end]
        if len(name) > MAX_NAME_LENGTH:
            raise InfError(f"the section name is longer than {MAX_NAME_LENGTH} characters", line=number)
        _, numbers, self._entries = self._headers.setdefault(name.lower(), (name, [], []))
        numbers.append(number)
        if len(self._headers) > (limit := LIMITS["inf-sections"]):
            _refuse(f"the INF has more than {limit:,} sections", number, "inf-sections")

    def _tokens_of_entry(self, number: int, text: str, lines: Iterator[tuple[int, str]]) -> list[str]:
        """Return the tokens of an entry's line and its continuation lines, without comments."""
        parts: list[str] = []
        lengths = 0
        while True:
            tokens, continues = _tokens(text)
            parts += tokens
            lengths += max(len(tokens), 1)  # a continued line without tokens takes time, too
            if lengths > (limit := LIMITS["inf-tokens"]):
                _refuse(f"the line has more than {limit:,} tokens", number, "inf-tokens")
            if not continues:
                return parts
            following, text = next(lines, (0, ""))
            text = text.strip(_BLANK)
            self._require_short(following, text)

    def _require_short(self, number: int, text: str) -> None:
        """Raise InfError for a line that is too long. Windows reads at most 4096 characters of a value."""
        if len(text) > self._max_line:
            _refuse(f"the line is longer than {self._max_line:,} characters", number, "inf-line")

    def _entry(self, number: int, tokens: list[str]) -> None:
        """Parse the tokens of an entry."""
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
                if piece[0] == '"':
                    self._check_quote(number, piece)
        if "".join(parts).strip(_BLANK) or values or key is None:
            values.append(_field(parts))
        self._add(Entry(number, key, tuple(values)))

    def _add(self, entry: Entry) -> None:
        """Add an entry to its section. An entry before the first section is skipped."""
        if self._entries is None:
            self._warn(
                "text-before-section",
                "text before the first section: Inf2Cat ignores it, other parsers may not",
                entry.line,
                "Remove it, or start the line with a semicolon to make it a comment.",
            )
            return
        self._count += 1
        if self._count > self._max_entries:
            _refuse(f"the INF has more than {self._max_entries:,} entries", entry.line, "inf-entries")
        self._entries.append(entry)

    def _check_quote(self, number: int, piece: str) -> None:
        """Warn about a quoted piece without its closing quote."""
        if len(piece) == 1 or piece.count('"') % 2:
            self._warn(
                "unterminated-quote",
                "missing closing quote: the quoted string ends at the end of the line",
                number,
                'Add the closing quote. Write a quote inside quotes as "".',
            )

    def _warn(self, code: str, message: str, number: int, hint: str) -> None:
        """Add a warning; at most the first hundred of each code."""
        self._warned[code] += 1
        if self._warned[code] <= _MAX_WARNINGS:
            self._problems.append(PackageProblem(code, message, self._path, number, hint, Severity.WARNING))


def _plain_entry(text: str) -> tuple[str | None, tuple[str, ...]] | None:
    """Split a line without quotes or a continuation, or one string definition; None for other lines.

    Nearly all lines of an INF are of these two forms. Without tokens, they take a fifth to a half of the time.
    """
    if '"' in text and (string := _STRING.fullmatch(text)) is not None:
        return string[1].strip(_BLANK), (string[2],)
    if ";" in text:
        before, _, comment = text.partition(";")
        if "%" in before and "%" in comment and before[-1] not in _OUTSIDE_NAMES:  # it may be inside a %token%
            return None
        text = before.rstrip(_BLANK)
    if '"' in text:
        string = _STRING.fullmatch(text)
        return (string[1].strip(_BLANK), (string[2],)) if string is not None else None
    if text[-1] == "\\":
        return None
    key, equals, rest = text.partition("=")
    if not equals or "," in key:
        return None, tuple([value.strip(_BLANK) for value in text.split(",")])
    return key.strip(_BLANK), tuple([value.strip(_BLANK) for value in rest.split(",")]) if rest else ()


def _tokens(text: str) -> tuple[list[str], bool]:
    """Split a line into quoted strings, plain text, commas and equals signs; also tell whether it is continued."""
    tokens: list[str] = []
    for match in _TOKEN.finditer(text):
        piece = match.group()
        if piece == ";":
            break
        if piece[0] == "\\" and text[match.end() : match.end() + 1] in ("", ";"):
            return tokens, True
        tokens.append(piece)
    return tokens, False


def _field(tokens: list[str]) -> str:
    """Join tokens into a key or value, without the white space around it unless that is quoted."""
    text = "".join(tokens)
    if '"' not in text:
        return text.strip(_BLANK)
    first = next((index for index, piece in enumerate(tokens) if piece.strip(_BLANK)), len(tokens))
    last = next((index for index in range(len(tokens) - 1, first, -1) if tokens[index].strip(_BLANK)), first)
    pieces = [_unquoted(piece) if piece[0] == '"' else piece for piece in tokens[first : last + 1]]
    if pieces and tokens[first][0] != '"':
        pieces[0] = pieces[0].lstrip(_BLANK)
    if pieces and tokens[last][0] != '"':
        pieces[-1] = pieces[-1].rstrip(_BLANK)
    return "".join(pieces)


def _unquoted(piece: str) -> str:
    """Remove the quotes of a quoted string; the closing quote may be missing."""
    inner = piece[1:]
    if piece.count('"') % 2 == 0:
        inner = inner[:-1]
    return inner.replace('""', '"')

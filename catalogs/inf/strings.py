"""The [Strings] sections of an INF, and replacement of %token% in text.

Source: "INF Strings Section" (windows-driver-docs, install/inf-strings-section.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from catalogs.inf.syntax import Entry, Inf, Section
from signer.errors import InfError
from signer.limits import LIMITS, raising

ENGLISH = 0x0409
"""LANGID of US English: the language of build machines and the fallback of INFs."""

_TOKEN = re.compile(r"%([^%]*)%")


class Strings:
    """The strings of an INF for one language."""

    def __init__(self, inf: Inf, language: int = ENGLISH) -> None:
        """`language` is a Windows LANGID: [Strings.0409] precedes [Strings.09], which precedes [Strings]."""
        self._values: dict[str, str] = {}
        self._left = LIMITS["inf-text"]
        for name in ("strings", f"strings.{language & 0x3FF:02x}", f"strings.{language:04x}"):
            found = inf.section(name)
            if found is not None:
                self._values.update(_defined(found))

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def expand(self, text: str, line: int | None = None) -> str:
        """Replace each token in `text` once: `%%` becomes a percent sign; undefined tokens remain.

        Raises InfError at `line` if the values that were inserted so far exceed the limit `inf-text`.
        """
        if "%" not in text:
            return text
        expanded = _TOKEN.sub(self._replacement, text)
        if self._left < 0:
            message = f"the INF inserts more than {LIMITS['inf-text']:,} characters of its strings"
            raise InfError(message, line=line, hint=raising("inf-text"))
        return expanded

    def unresolved(self, text: str) -> Iterator[str]:
        """Yield the undefined tokens in `text`. Numbers are dirids, not strings."""
        for match in _TOKEN.finditer(text):
            name = match.group(1)
            if name and not name.isdecimal() and name.lower() not in self._values:
                yield name

    def _replacement(self, match: re.Match[str]) -> str:
        name = match.group(1)
        value = self._values.get(name.lower(), match.group()) if name else "%"
        self._left -= len(value)
        return value if self._left >= 0 else ""


def _defined(section: Section) -> Iterator[tuple[str, str]]:
    """Yield the strings of a section in reverse order, so that the first definition of a name wins in a dict."""
    for entry in reversed(section.entries):
        if entry.key is not None:
            yield entry.key.lower(), ",".join(entry.values)


def expand_strings(inf: Inf, language: int = ENGLISH) -> Inf:
    """Return the INF with the tokens in all keys and values replaced, except in its [Strings] sections."""
    strings = Strings(inf, language)
    sections = {
        name: section if name.split(".")[0] == "strings" else _expand_section(section, strings)
        for name, section in inf.sections.items()
    }
    return replace(inf, sections=sections)


def _expand_section(section: Section, strings: Strings) -> Section:
    return replace(section, entries=tuple(_expand_entry(entry, strings) for entry in section.entries))


def _expand_entry(entry: Entry, strings: Strings) -> Entry:
    """Replace the tokens of an entry; one without tokens (the common case) is returned unchanged."""
    if "%" not in "".join(entry.texts):
        return entry
    key = None if entry.key is None else strings.expand(entry.key, entry.line)
    return Entry(entry.line, key, tuple(strings.expand(value, entry.line) for value in entry.values))

"""%strings% of an INF: the [Strings] sections, and text with their tokens replaced.

Source: "INF Strings Section" (windows-driver-docs, install/inf-strings-section.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from catalogs.inf.syntax import Entry, Inf, Section

ENGLISH = 0x0409
"""The language of the machines that catalogs are made on, and the one that INFs fall back to."""

_TOKEN = re.compile(r"%([^%]*)%")


class Strings:
    """The strings of an INF as one language sees them."""

    def __init__(self, inf: Inf, language: int = ENGLISH) -> None:
        """`language` is a Windows LANGID: [Strings.0409] is asked first, then [Strings.09], then [Strings]."""
        self._values: dict[str, str] = {}
        for name in ("strings", f"strings.{language & 0x3FF:02x}", f"strings.{language:04x}"):
            found = inf.section(name)
            if found is not None:
                self._values.update(_defined(found))

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values

    def expand(self, text: str) -> str:
        """`text` with its tokens replaced, once: `%%` is a percent sign, and what is not defined stays as it is."""
        return _TOKEN.sub(self._replaced, text) if "%" in text else text

    def unresolved(self, text: str) -> Iterator[str]:
        """The tokens in `text` that nothing defines. Numbers are folders (dirids), not strings."""
        for match in _TOKEN.finditer(text):
            name = match.group(1)
            if name and not name.isdecimal() and name.lower() not in self._values:
                yield name

    def _replaced(self, match: re.Match[str]) -> str:
        name = match.group(1)
        return self._values.get(name.lower(), match.group()) if name else "%"


def _defined(section: Section) -> Iterator[tuple[str, str]]:
    """The strings of a section, the first of each name last, so that it counts."""
    for entry in reversed(section.entries):
        if entry.key is not None:
            yield entry.key.lower(), ",".join(entry.values)


def expanded(inf: Inf, language: int = ENGLISH) -> Inf:
    """The INF with the tokens in all its keys and values replaced, but for those in its [Strings] themselves."""
    strings = Strings(inf, language)
    sections = {
        name: section if name.split(".")[0] == "strings" else _expanded(section, strings)
        for name, section in inf.sections.items()
    }
    return replace(inf, sections=sections)


def _expanded(section: Section, strings: Strings) -> Section:
    return replace(section, entries=tuple(_entry(entry, strings) for entry in section.entries))


def _entry(entry: Entry, strings: Strings) -> Entry:
    """The entry itself where it has no tokens, which is the common case."""
    if not any("%" in value for value in entry.values) and (entry.key is None or "%" not in entry.key):
        return entry
    key = None if entry.key is None else strings.expand(entry.key)
    return Entry(entry.line, key, tuple(map(strings.expand, entry.values)))

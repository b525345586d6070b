"""Recognize texts for which Python's parsers of XML and TOML take more time than in proportion to their size."""

from __future__ import annotations

import re

MAX_NAMESPACE = 1024
"""Characters of a namespace in XML: expat copies it for each name in it, and names can have one character."""
MAX_DOTS = 256
"""Dots in a line of TOML: tomllib takes quadratic time and memory for a key of many parts."""

_LONG_TAG = re.compile(r"<[^<]{65536}")
"""A tag that takes expat quadratic time, because it is parsed in pieces (CVE-2023-52425)."""
_LONG_NAMESPACE = re.compile(
    rf"""xmlns(?::[^\s=<>]{{0,500}}+)?\s*+=\s*+(?:"[^"<]{{{MAX_NAMESPACE + 1}}}|'[^'<]{{{MAX_NAMESPACE + 1}}})"""
)
_TOML_STRING = re.compile(r""""(?:[^"\\\n]|\\.)*+"?|'[^'\n]*+'?""")
"""A string of one line. TOML refuses one without an end; it ends with the line here, so that searching stays linear."""


def is_costly_xml(text: str) -> bool:
    """Tell whether a tag or a text between tags has more than 65,536 characters, or a namespace is too long."""
    return _LONG_TAG.search(text) is not None or _LONG_NAMESPACE.search(text) is not None


def is_costly_toml(text: str) -> bool:
    """Tell whether a line has more than `MAX_DOTS` dots outside of strings, as a key of so many parts has.

    Lines of a text with strings of several lines are counted as a whole.
    """
    outside = text if '"""' in text or "'''" in text else _TOML_STRING.sub("", text)
    return any(line.count(".") > MAX_DOTS for line in outside.split("\n"))
